// What a signaling relay is when it is written in an evening on the ws package: register by query, forward to target_id.
const { WebSocketServer } = require('ws');
const sockets = new Map();
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
server.on('connection', (socket, request) => {
  const id = new URL(request.url, 'http://here').searchParams.get('id');
  sockets.set(id, socket);
  socket.on('message', (data) => {
    const m = JSON.parse(data);
    if (m.type === 'register') {
      socket.send(JSON.stringify({ type: 'peer_list', peer_id: 'registry', payload: { peers: [...sockets.keys()].slice(0, 10) } }));
      return;
    }
    if (m.peer_id !== id) return;
    const to = sockets.get(m.target_id);
    if (to) to.send(JSON.stringify({ type: m.type, peer_id: m.peer_id, target_id: m.target_id, payload: m.payload }));
  });
  socket.on('close', () => sockets.delete(id));
});
