// The standard RTCPeerConnection API behind the interface that session.mjs uses: browsers and libwebrtc in Node.
import {Channel} from "./channel.mjs";

export function w3cConnection(RTCPeerConnection) {
  return events => {
    const peer = new RTCPeerConnection({iceServers: []});
    const adapt = native => {
      const channel = new Channel(native.label, native);
      native.binaryType = "arraybuffer";
      native.onmessage = ({data}) => channel.deliver(typeof data === "string" ? data : new Uint8Array(data));
      native.onclose = () => channel.setClosed();
      native.onopen = () => channel.setOpen();
      if (native.readyState === "open") channel.setOpen();
      return channel;
    };
    peer.ondatachannel = event => events.channel(adapt(event.channel));
    peer.onicecandidate = ({candidate}) => {
      if (candidate?.candidate) events.candidate(candidate.candidate, candidate.sdpMid, candidate.sdpMLineIndex);
    };
    peer.onconnectionstatechange = () => events.state(peer.connectionState);
    return {
      createChannel: label => adapt(peer.createDataChannel(label)),
      makeOffer: async () => {
        const offer = await peer.createOffer();
        await peer.setLocalDescription(offer);
        events.description("offer", offer.sdp);
      },
      takeOffer: async sdp => {
        await peer.setRemoteDescription({type: "offer", sdp});
        const answer = await peer.createAnswer();
        await peer.setLocalDescription(answer);
        events.description("answer", answer.sdp);
      },
      takeAnswer: sdp => peer.setRemoteDescription({type: "answer", sdp}),
      takeCandidate: ({candidate, sdpMid, sdpMLineIndex}) =>
        peer.addIceCandidate({candidate, sdpMid: sdpMid || null, sdpMLineIndex: sdpMLineIndex ?? 0}),
      close: () => peer.close(),
    };
  };
}
