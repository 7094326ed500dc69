// The signaling protocol from the side of a peer, for the browser page and for Node alike: one JSON object a text frame,
// {type, peer_id, target_id?, payload}.

export async function fetchToken(registry, apiKey) {
  const reply = await fetch(new URL("/api/token", registry), {method: "POST", headers: {"X-API-Key": apiKey}});
  if (!reply.ok) throw new Error(`token refused with ${reply.status}`);
  return await reply.json();
}

// Connects and registers. `handlers` has peers(list), offer(from, sdp), answer(from, sdp), candidate(from, candidate).
export async function join({registry, token, id, WebSocket, handlers}) {
  const url = new URL("/ws", registry);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("token", token);
  const socket = new WebSocket(url.href);
  const send = (type, target, payload) =>
    socket.send(JSON.stringify({type, peer_id: id, ...(target ? {target_id: target} : {}), payload}));

  // Candidates may overtake the description they belong to; a promise chain keeps everything in the order of arrival.
  let last = Promise.resolve();
  const enqueue = step => { last = last.then(step).catch(error => handlers.failed(error)); };
  socket.addEventListener("message", event => {
    const {type, peer_id: from, payload} = JSON.parse(event.data);
    if (type === "peer_list") enqueue(() => handlers.peers(payload.peers));
    if (type === "offer") enqueue(() => handlers.offer(from, payload.sdp));
    if (type === "answer") enqueue(() => handlers.answer(from, payload.sdp));
    if (type === "ice_candidate") enqueue(() => handlers.candidate(from, payload));
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", event => reject(new Error(`signaling failed: ${event.message ?? "no connection"}`)));
  });
  send("register", undefined, null);
  return {
    offer: (target, sdp) => send("offer", target, {sdp}),
    answer: (target, sdp) => send("answer", target, {sdp}),
    candidate: (target, candidate, mid, line) =>
      send("ice_candidate", target, {candidate, sdpMid: mid ?? "", sdpMLineIndex: line ?? 0}),
    close: () => socket.close(),
  };
}
