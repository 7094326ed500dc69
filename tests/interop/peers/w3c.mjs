// The standard RTCPeerConnection API behind the interface that session.mjs uses: browsers, libwebrtc in Node, and werift,
// which has the API and differs in details.
import {Channel, withTimeout} from "./channel.mjs";

// `closeLag`: milliseconds between what the stack calls the close of a channel and the moment when the stream is free again.
export function w3cConnection(RTCPeerConnection, {toWire = message => message, closeLag = 0} = {}) {
  return (events, {iceServers, policy, trickle, renomination}) => {
    const peer = new RTCPeerConnection({iceServers, iceTransportPolicy: policy});
    const adapt = native => {
      const channel = new Channel(native.label, {send: message => native.send(toWire(message)), close: () => native.close()});
      native.binaryType = "arraybuffer";
      native.onmessage = ({data}) => channel.deliver(typeof data === "string" ? data : new Uint8Array(data));
      native.onclose = () => setTimeout(channel.setClosed, closeLag);
      native.onopen = () => channel.setOpen();
      if (native.readyState === "open") channel.setOpen();
      return channel;
    };
    peer.ondatachannel = event => events.channel(adapt(event.channel));
    let gathered = () => {};
    let early = null; // candidates that must not overtake the description they belong to
    const trickleOut = found => events.candidate(found.candidate, found.sdpMid, found.sdpMLineIndex);
    peer.onicecandidate = ({candidate}) => {
      if (!candidate?.candidate) return gathered();
      if (early) early.push(candidate); else if (trickle) trickleOut(candidate);
    };
    peer.onconnectionstatechange = () => events.state(peer.connectionState);
    // A description goes out at once and candidates follow, or all of it goes when everything is gathered.
    const describe = async description => {
      const complete = new Promise(resolve => { gathered = resolve; });
      early = [];
      // The API has no switch for it; a stack that knows renomination takes the word from its own description.
      if (renomination) description = {type: description.type, sdp: description.sdp.replace(/a=ice-options:.*/, "$& renomination")};
      await peer.setLocalDescription(description);
      if (!trickle && peer.iceGatheringState !== "complete") await withTimeout(complete, 15, "end of gathering");
      events.description(description.type, trickle ? description.sdp : peer.localDescription.sdp);
      const held = early;
      early = null;
      if (trickle) held.forEach(trickleOut);
    };
    return {
      createChannel: label => adapt(peer.createDataChannel(label)),
      makeOffer: async () => describe(await peer.createOffer()),
      restart: async () => describe(await peer.createOffer({iceRestart: true})),
      takeOffer: async sdp => {
        await peer.setRemoteDescription({type: "offer", sdp});
        await describe(await peer.createAnswer());
      },
      takeAnswer: sdp => peer.setRemoteDescription({type: "answer", sdp}),
      takeCandidate: ({candidate, sdpMid, sdpMLineIndex}) =>
        peer.addIceCandidate({candidate, sdpMid: sdpMid || null, sdpMLineIndex: sdpMLineIndex ?? 0}),
      pair: async () => selectedPair(await peer.getStats()),
      close: () => peer.close(),
    };
  };
}

// Types of the two candidates in use, "relay-relay"; nothing when the stack does not tell.
function selectedPair(stats) {
  const all = [...stats.values()];
  const transport = all.find(one => one.type === "transport" && one.selectedCandidatePairId);
  const pair = transport ? stats.get(transport.selectedCandidatePairId)
    : all.find(one => one.type === "candidate-pair" && one.nominated && one.state === "succeeded");
  const local = pair && stats.get(pair.localCandidateId), remote = pair && stats.get(pair.remoteCandidateId);
  return local && remote ? `${local.candidateType}-${remote.candidateType}` : undefined;
}
