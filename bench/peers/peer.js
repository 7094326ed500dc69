// A foreign peer for bench/e2e.run: node peer.js MODULE ROLE MODE SECONDS
// Signals are JSON lines on stdin and stdout, the last line is {"result": …}.
'use strict';

const [moduleName, role, mode, secondsText] = process.argv.slice(2);
const seconds = Number(secondsText);
const HIGH = 1 << 20, LOW = HIGH / 4;

// Both libraries behind one small face: connection({onSignal, onChannel}) -> {signal, open, close}
// and a channel {send, buffered, onLow, onMessage, isOpen}.
const libraries = {
  'node-datachannel'(library) {
    let serial = 0;
    const face = (dc) => {
      dc.setBufferedAmountLowThreshold(LOW);
      return {
        send: (data) => (typeof data === 'string' ? dc.sendMessage(data) : dc.sendMessageBinary(data)),
        buffered: () => dc.bufferedAmount(),
        onLow: (f) => dc.onBufferedAmountLow(f),
        onMessage: (f) => dc.onMessage(f),
        onOpen: (f) => (dc.isOpen() ? f() : dc.onOpen(f)),
      };
    };
    return {
      connection({ onSignal, onChannel }) {
        const pc = new library.PeerConnection('p' + serial++, { iceServers: [] });
        let described = false;
        const early = [];
        pc.onLocalDescription((sdp, type) => onSignal({ sdp, type }));
        pc.onLocalCandidate((candidate, mid) => onSignal({ candidate, mid }));
        pc.onDataChannel((dc) => onChannel(face(dc)));
        return {
          signal(s) {
            if (s.sdp !== undefined) {
              pc.setRemoteDescription(s.sdp, s.type);
              described = true;
              for (const c of early.splice(0)) pc.addRemoteCandidate(c.candidate, c.mid);
            } else if (s.candidate) {
              if (described) pc.addRemoteCandidate(s.candidate, s.mid ?? '0');
              else early.push(s);
            }
          },
          open: () => onChannel(face(pc.createDataChannel('bench'))),
          close: () => pc.close(),
        };
      },
      end: () => library.cleanup(),
    };
  },
  '@roamhq/wrtc'(library) {
    const face = (dc) => {
      dc.binaryType = 'arraybuffer';
      dc.bufferedAmountLowThreshold = LOW;
      return {
        send: (data) => dc.send(data),
        buffered: () => dc.bufferedAmount,
        onLow: (f) => { dc.onbufferedamountlow = f; },
        onMessage: (f) => { dc.onmessage = (e) => f(typeof e.data === 'string' ? e.data : new Uint8Array(e.data)); },
        onOpen: (f) => { if (dc.readyState === 'open') f(); else dc.onopen = f; },
      };
    };
    return {
      connection({ onSignal, onChannel }) {
        const pc = new library.RTCPeerConnection({ iceServers: [] });
        let described = false;
        const early = [];
        pc.onicecandidate = (e) => { if (e.candidate && e.candidate.candidate) onSignal({ candidate: e.candidate.candidate, mid: '0' }); };
        pc.ondatachannel = (e) => onChannel(face(e.channel));
        const add = (s) => pc.addIceCandidate({ candidate: s.candidate.replace(/^a=/, ''), sdpMid: s.mid ?? '0', sdpMLineIndex: 0 }).catch(() => {});
        return {
          async signal(s) {
            if (s.sdp !== undefined) {
              await pc.setRemoteDescription({ type: s.type, sdp: s.sdp });
              described = true;
              if (s.type === 'offer') {
                await pc.setLocalDescription(await pc.createAnswer());
                onSignal({ sdp: pc.localDescription.sdp, type: 'answer' });
              }
              for (const c of early.splice(0)) add(c);
            } else if (s.candidate) {
              if (described) add(s);
              else early.push(s);
            }
          },
          async open() {
            onChannel(face(pc.createDataChannel('bench')));
            await pc.setLocalDescription(await pc.createOffer());
            onSignal({ sdp: pc.localDescription.sdp, type: 'offer' });
          },
          close: () => pc.close(),
        };
      },
      end: () => {},
    };
  },
};

const library = libraries[moduleName](require(moduleName));
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n');
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6; };
const now = () => Number(process.hrtime.bigint());

function finish(result) {
  // One library's threads keep process.exit() waiting for ever; the result is out, that is all this process was for.
  process.stdout.write(JSON.stringify({ result }) + '\n', () => process.kill(process.pid, 'SIGKILL'));
}

function sendFor(channel, size) {
  const data = Buffer.alloc(size, 7);
  const end = now() + seconds * 1e9;
  const before = cpu();
  let ended = false;
  const more = () => {
    if (ended) return;
    while (channel.buffered() < HIGH) {
      if (now() > end) {
        ended = true;
        channel.send('end');
        return;
      }
      channel.send(data);
    }
  };
  // One library's low event leaves out what its transport still holds and may never come; a timer stands in.
  setInterval(more, 1);
  channel.onLow(more);
  channel.onMessage((m) => { if (m === 'done') finish({ cpu_seconds: cpu() - before }); });
  more();
}

function receive(channel) {
  let bytes = 0, messages = 0, first = 0, before = 0;
  channel.onMessage((m) => {
    if (typeof m === 'string') {
      const result = { bytes, messages, seconds: (now() - first) / 1e9, cpu_seconds: cpu() - before };
      channel.send('done');
      setTimeout(() => finish(result), 200);
      return;
    }
    if (first === 0) { first = now(); before = cpu(); }
    bytes += m.length;
    ++messages;
  });
}

function pingPong(channel) {
  const data = Buffer.alloc(64, 1);
  const times = [];
  const rounds = 5000, warm = 500;
  let sent = 0;
  const ping = () => { sent = now(); channel.send(data); };
  channel.onMessage(() => {
    times.push(now() - sent);
    if (times.length < rounds + warm) return ping();
    const sorted = times.slice(warm).sort((a, b) => a - b);
    channel.send('end');
    setTimeout(() => finish({ p50_us: sorted[rounds / 2] / 1e3, p99_us: sorted[Math.floor(rounds * 0.99)] / 1e3 }), 200);
  });
  ping();
}

function pair() {
  return new Promise((resolve) => {
    let a, b, open = 0;
    const opened = () => { if (++open === 2) resolve([a, b]); };
    const channel = (c) => c.onOpen(opened);
    a = library.connection({ onSignal: (s) => b.signal(s), onChannel: channel });
    b = library.connection({ onSignal: (s) => a.signal(s), onChannel: channel });
    a.open();
  });
}

async function inOneProcess() {
  if (mode === 'setup') {
    const times = [];
    for (let i = 0; i < 11; ++i) {
      const begin = now();
      const [a, b] = await pair();
      times.push((now() - begin) / 1e6);
      a.close();
      b.close();
    }
    times.sort((x, y) => x - y);
    return finish({ median_ms: times[5] });
  }
  const keep = [await pair()];
  if (global.gc) global.gc();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 50; ++i) keep.push(await pair());
  const after = process.memoryUsage().rss;
  await new Promise((r) => setTimeout(r, 1000));
  const from = cpu(), begin = now();
  await new Promise((r) => setTimeout(r, seconds * 1000));
  const percent = (cpu() - from) / ((now() - begin) / 1e9) * 100;
  keep.flat().forEach((p) => p.close());
  finish({ pair_kb: (after - before) / 1024 / 50, cpu_percent: percent });
}

if (role === 'both') {
  inOneProcess();
} else {
  const start = (channel) => channel.onOpen(() => {
    if (mode === 'rtt') {
      if (role === 'offer') pingPong(channel);
      else channel.onMessage((m) => { if (typeof m === 'string') setTimeout(() => finish({}), 50); else channel.send(Buffer.from(m)); });
    } else if (role === 'offer') {
      sendFor(channel, mode === 'messages' ? 1024 : 65536);
    } else {
      receive(channel);
    }
  });
  const connection = library.connection({ onSignal: (signal) => say({ signal }), onChannel: start });
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => connection.signal(JSON.parse(line).signal));
  if (role === 'offer') connection.open();
}
