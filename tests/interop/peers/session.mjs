// One run of a peer: joins the registry, links to the target in its role, does the exchange, reports.
import {Cases, driveMesh, driveRaw, echoRaw} from "./exchange.mjs";
import {join} from "./signaling.mjs";
import {withTimeout} from "./channel.mjs";

// `makeConnection(events)` returns {createChannel(label), makeOffer(), takeOffer(sdp), takeAnswer(sdp), takeCandidate(payload),
// close()} and calls events.description(type, sdp), events.candidate(text, mid, line), events.channel(Channel).
export async function runSession({options, makeConnection, WebSocket, token, sha256, report}) {
  const {registry, id, target, role, mode = "drive", exchange = "raw", closer = "self"} = options;
  const sizes = options.sizes.map(Number);
  const cases = new Cases();
  let signaling, connection, describe;
  const described = new Promise(resolve => { describe = resolve; });
  const early = [];
  let channelArrived, end;
  const ended = new Promise(resolve => { end = resolve; });
  const firstChannel = new Promise(resolve => { channelArrived = resolve; });

  const connect = () => {
    connection = makeConnection({
      description: (type, sdp) => (type === "offer" ? signaling.offer(target, sdp) : signaling.answer(target, sdp)),
      candidate: (text, mid, line) => signaling.candidate(target, text, mid, line),
      channel: channel => {
        channelArrived(channel);
        channel.closed.then(() => report({event: "closed", label: channel.label}));
        if (mode === "echo") channel.opened.then(() => echoRaw(channel)).catch(() => {});
      },
      state: state => {
        report({event: "state", state});
        if (["disconnected", "failed", "closed"].includes(state)) end();
      },
    });
  };
  const addEarly = async () => { for (const candidate of early.splice(0)) await connection.takeCandidate(candidate); };

  const begin = performance.now();
  signaling = await join({
    registry, token, id, WebSocket,
    handlers: {
      peers: list => { report({event: "registered", peers: list}); describe(list); },
      offer: async (from, sdp) => {
        if (from !== target || role === "offerer") return;
        connect();
        await connection.takeOffer(sdp);
        await addEarly();
      },
      answer: async (from, sdp) => {
        if (from !== target || !connection) return;
        await connection.takeAnswer(sdp);
        connection.described = true;
        await addEarly();
      },
      candidate: async (from, payload) => {
        if (from !== target) return;
        if (!connection || (role === "offerer" && !connection.described)) early.push(payload);
        else await connection.takeCandidate(payload);
      },
      failed: error => report({event: "trouble", detail: String(error?.message ?? error)}),
    },
  });

  let channel;
  const linked = await cases.run("linked", async () => {
    if (role === "offerer") {
      const peers = await withTimeout(described, 15, "peer list");
      if (!peers.includes(target)) throw new Error(`${target} is not in the peer list [${peers}]`);
      connect();
      channel = connection.createChannel("mesh");
      channel.closed.then(() => report({event: "closed", label: "mesh"}));
      if (mode === "echo") channel.opened.then(() => echoRaw(channel)).catch(() => {});
      await connection.makeOffer();
    } else {
      channel = await withTimeout(firstChannel, 60, "a channel from the other side");
    }
    await withTimeout(channel.opened, 40, "opening the channel");
  });
  if (linked) {
    report({event: "open", label: channel.label, ms: Math.round(performance.now() - begin)});
    if (channel.label !== "mesh") cases.list.push({name: "label", ok: false, detail: `the channel is called '${channel.label}'`});
    if (mode === "echo") {
      await ended;
      report({event: "ended"});
      return cases.list;
    }
    if (exchange === "raw") await driveRaw({connection, channel, sizes, sha256, cases});
    else await driveMesh({channel, sizes, sha256, cases, report});
    if (exchange === "mesh" && closer === "other") {
      report({event: "await-close"});
      await cases.run("closed by the other side", () => withTimeout(channel.closed, 20, "close"));
    }
  }
  connection?.close();
  signaling.close();
  report({event: "result", ok: cases.list.every(one => one.ok), cases: cases.list});
  return cases.list;
}
