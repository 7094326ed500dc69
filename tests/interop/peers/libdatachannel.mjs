// libdatachannel through its own API (not its imitation of the browser's) behind the interface that session.mjs uses.
import {Channel} from "./channel.mjs";

export function libdatachannelConnection(library) {
  return events => {
    const peer = new library.PeerConnection("interop", {iceServers: []});
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
    peer.onLocalDescription((sdp, type) => events.description(type.toLowerCase(), sdp));
    peer.onLocalCandidate((candidate, mid) => events.candidate(candidate.replace(/^a=/, ""), mid, 0));
    peer.onDataChannel(native => events.channel(adapt(native)));
    peer.onStateChange(state => events.state(state));
    return {
      createChannel: label => adapt(peer.createDataChannel(label)), // the first one also makes the offer
      makeOffer: async () => {},
      takeOffer: async sdp => peer.setRemoteDescription(sdp, "offer"),
      takeAnswer: async sdp => peer.setRemoteDescription(sdp, "answer"),
      takeCandidate: async ({candidate, sdpMid}) => peer.addRemoteCandidate(candidate, sdpMid || "0"),
      close: () => peer.close(),
    };
  };
}
