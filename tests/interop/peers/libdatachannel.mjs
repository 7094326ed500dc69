// libdatachannel through its own API (not its imitation of the browser's) behind the interface that session.mjs uses.
import {Channel, withTimeout} from "./channel.mjs";

const relayTypes = {udp: "TurnUdp", tcp: "TurnTcp", tls: "TurnTls"};

// A server as the W3C writes it, in the fields of this library.
function servers({urls, username, credential}) {
  return [urls].flat().map(url => {
    const [, scheme, hostname, port, transport] = /^(turns?):([^:?]+):(\d+)(?:\?transport=(\w+))?$/.exec(url);
    return {hostname, port: Number(port), username, password: credential, relayType: relayTypes[scheme === "turns" ? "tls" : transport ?? "udp"]};
  });
}

export function libdatachannelConnection(library) {
  return (events, {iceServers, policy, trickle}) => {
    const peer = new library.PeerConnection("interop", {iceServers: iceServers.flatMap(servers), iceTransportPolicy: policy});
    const adapt = native => {
      const channel = new Channel(native.getLabel(), {
        send: message => (typeof message === "string" ? native.sendMessage(message) : native.sendMessageBinary(message)),
        close: () => native.close(),
      });
      native.onMessage(data => channel.deliver(typeof data === "string" ? data : new Uint8Array(data)));
      native.onClosed(() => channel.setClosed());
      native.onOpen(() => channel.setOpen());
      if (native.isOpen()) channel.setOpen();
      return channel;
    };
    peer.onLocalDescription((sdp, type) => { if (trickle) events.description(type.toLowerCase(), sdp); });
    peer.onLocalCandidate((candidate, mid) => { if (trickle) events.candidate(candidate.replace(/^a=/, ""), mid, 0); });
    peer.onGatheringStateChange(state => {
      const whole = peer.localDescription();
      if (!trickle && state === "complete" && whole) events.description(whole.type.toLowerCase(), whole.sdp);
    });
    peer.onDataChannel(native => events.channel(adapt(native)));
    peer.onStateChange(state => events.state(state));
    return {
      createChannel: label => adapt(peer.createDataChannel(label)), // the first one also makes the offer
      makeOffer: async () => {},
      takeOffer: async sdp => peer.setRemoteDescription(sdp, "offer"),
      takeAnswer: async sdp => peer.setRemoteDescription(sdp, "answer"),
      takeCandidate: async ({candidate, sdpMid}) => peer.addRemoteCandidate(candidate, sdpMid || "0"),
      pair: async () => {
        const pair = peer.getSelectedCandidatePair();
        return pair ? `${pair.local.type}-${pair.remote.type}` : undefined;
      },
      // The farewells go out in the background: a process that ends at once would take them along.
      close: async () => {
        const over = new Promise(resolve => peer.onStateChange(state => { if (state === "closed") resolve(); }));
        peer.close();
        await withTimeout(over, 5, "the end of the connection").catch(error => events.trouble(error.message));
      },
    };
  };
}
