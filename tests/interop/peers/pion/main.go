// pion behind bridge.mjs: does what a line on the standard input says, tells what happens on the standard output.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/pion/webrtc/v4"
)

type order struct {
	Do         string             `json:"do"`
	IceServers []webrtc.ICEServer `json:"ice_servers"`
	Policy     string             `json:"policy"`
	ID         int                `json:"id"`
	Label      string             `json:"label"`
	Restart    bool               `json:"restart"`
	Type       string             `json:"type"`
	SDP        string             `json:"sdp"`
	Candidate  string             `json:"candidate"`
	Mid        string             `json:"mid"`
	Line       uint16             `json:"line"`
	Text       *string            `json:"text"`
	Binary     []byte             `json:"binary"` // base64 in JSON
}

type words map[string]any

var speaking sync.Mutex

func say(w words) {
	line, _ := json.Marshal(w)
	speaking.Lock()
	defer speaking.Unlock()
	fmt.Println(string(line))
}

func complain(err error) bool {
	if err != nil {
		say(words{"is": "failed", "what": err.Error()})
	}
	return err != nil
}

type peer struct {
	connection *webrtc.PeerConnection
	lock       sync.Mutex
	channels   map[int]*webrtc.DataChannel
	theirs     int // ids of channels that arrive are odd
}

func (p *peer) adopt(id int, c *webrtc.DataChannel) {
	p.lock.Lock()
	p.channels[id] = c
	p.lock.Unlock()
	c.OnOpen(func() { say(words{"is": "open", "id": id}) })
	c.OnClose(func() { say(words{"is": "closed", "id": id}) })
	c.OnMessage(func(m webrtc.DataChannelMessage) {
		if m.IsString {
			say(words{"is": "message", "id": id, "text": string(m.Data)})
		} else {
			say(words{"is": "message", "id": id, "binary": append([]byte{}, m.Data...)})
		}
	})
}

func (p *peer) connect(o order) error {
	policy := webrtc.ICETransportPolicyAll
	if o.Policy == "relay" {
		policy = webrtc.ICETransportPolicyRelay
	}
	var err error
	p.connection, err = webrtc.NewPeerConnection(webrtc.Configuration{ICEServers: o.IceServers, ICETransportPolicy: policy})
	if err != nil {
		return err
	}
	p.connection.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { say(words{"is": "state", "state": s.String()}) })
	p.connection.OnDataChannel(func(c *webrtc.DataChannel) {
		p.lock.Lock()
		p.theirs += 2
		id := p.theirs - 1
		p.lock.Unlock()
		say(words{"is": "channel", "id": id, "label": c.Label()})
		p.adopt(id, c)
	})
	p.connection.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			say(words{"is": "gathered", "sdp": p.connection.LocalDescription().SDP})
			return
		}
		found := c.ToJSON()
		say(words{"is": "candidate", "candidate": found.Candidate, "mid": found.SDPMid, "line": found.SDPMLineIndex})
	})
	return nil
}

func (p *peer) describe(d webrtc.SessionDescription, err error) error {
	if err != nil {
		return err
	}
	say(words{"is": "description", "type": d.Type.String(), "sdp": d.SDP})
	return p.connection.SetLocalDescription(d)
}

func (p *peer) take(o order) error {
	if o.Type == "answer" {
		return p.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: o.SDP})
	}
	err := p.connection.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.SDP})
	if err != nil {
		return err
	}
	return p.describe(p.connection.CreateAnswer(nil))
}

func (p *peer) send(o order) error {
	p.lock.Lock()
	c := p.channels[o.ID]
	p.lock.Unlock()
	if o.Text != nil {
		return c.SendText(*o.Text)
	}
	return c.Send(o.Binary)
}

func (p *peer) pair() {
	found := ""
	if sctp := p.connection.SCTP(); sctp != nil {
		if selected, err := sctp.Transport().ICETransport().GetSelectedCandidatePair(); err == nil && selected != nil {
			found = selected.Local.Typ.String() + "-" + selected.Remote.Typ.String()
		}
	}
	say(words{"is": "pair", "pair": found})
}

func (p *peer) obey(o order) error {
	if p.connection == nil && o.Do != "connect" {
		return errors.New("there is no connection")
	}
	switch o.Do {
	case "connect":
		return p.connect(o)
	case "channel":
		c, err := p.connection.CreateDataChannel(o.Label, nil)
		if err == nil {
			p.adopt(o.ID, c)
		}
		return err
	case "offer":
		return p.describe(p.connection.CreateOffer(&webrtc.OfferOptions{ICERestart: o.Restart}))
	case "take":
		return p.take(o)
	case "candidate":
		return p.connection.AddICECandidate(webrtc.ICECandidateInit{Candidate: o.Candidate, SDPMid: &o.Mid, SDPMLineIndex: &o.Line})
	case "send":
		return p.send(o)
	case "close_channel":
		p.lock.Lock()
		c := p.channels[o.ID]
		p.lock.Unlock()
		return c.Close()
	case "pair":
		p.pair()
	case "close":
		return p.connection.Close()
	}
	return nil
}

func main() {
	p := peer{channels: map[int]*webrtc.DataChannel{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var o order
		if !complain(json.Unmarshal(lines.Bytes(), &o)) {
			complain(p.obey(o))
		}
	}
}
