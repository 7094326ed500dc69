// One run of a peer: joins the registry, links to the target in its role, does the exchange, reports.
import {Cases, driveMesh, driveRaw, echoRaw} from "./exchange.mjs";
import {LatePath} from "./late.mjs";
import {join} from "./signaling.mjs";
import {withTimeout} from "./channel.mjs";

// `makeConnection(events, {iceServers, policy, trickle})` returns {createChannel(label), makeOffer(), takeOffer(sdp),
// takeAnswer(sdp), takeCandidate(payload), close()}, and restart() and pair() when the stack can; it calls
// events.description(type, sdp), events.candidate(text, mid, line), events.channel(Channel), events.trouble(text).
export async function runSession({options, makeConnection, WebSocket, token, sha256, report}) {
  const {registry, id, target, role, mode = "drive", exchange = "raw", closer = "self"} = options;
  const sizes = options.sizes.map(Number);
  const ice = {iceServers: JSON.parse(options.ice ?? "[]"), policy: options.policy ?? "all", trickle: options.trickle !== "no",
    renomination: options.late === "yes"};
  const cases = new Cases();
  let signaling, connection, describe;
  const described = new Promise(resolve => { describe = resolve; });
  const early = [], agreed = []; // candidates without a description, and the descriptions of both sides
  let channelArrived, end;
  const ended = new Promise(resolve => { end = resolve; });
  const exchanged = {count: 0, heard: () => {}}; // offers and answers that were taken
  const firstChannel = new Promise(resolve => { channelArrived = resolve; });

  const connect = () => {
    connection = makeConnection({
      description: (type, sdp) => { agreed.push(sdp); return (type === "offer" ? signaling.offer(target, sdp) : signaling.answer(target, sdp)); },
      candidate: (text, mid, line) => late.outgoing(text, mid, line),
      channel: channel => {
        channelArrived(channel);
        channel.closed.then(() => report({event: "closed", label: channel.label}));
        if (mode === "echo") channel.opened.then(() => echoRaw(channel)).catch(() => {});
      },
      state: state => {
        report({event: "state", state});
        if (["disconnected", "failed", "closed"].includes(state)) end();
      },
      trouble: detail => report({event: "trouble", detail}),
    }, ice);
  };
  const addEarly = async () => { for (const candidate of early.splice(0)) await late.incoming(candidate); };

  const late = new LatePath((text, mid, line) => signaling.candidate(target, text, mid, line),
    payload => connection.takeCandidate(payload));
  if (options.late !== "yes") await late.open();

  const begin = performance.now();
  signaling = await join({
    registry, token, id, WebSocket,
    handlers: {
      peers: list => { report({event: "registered", peers: list}); describe(list); },
      offer: async (from, sdp) => {
        if (from !== target || (role === "offerer" && !connection?.described)) return;
        if (!connection) connect(); // a later offer restarts ICE
        agreed.push(sdp);
        const {sdp: stripped, held} = options.late === "yes" ? late.strip(sdp) : {sdp, held: []};
        await connection.takeOffer(stripped);
        early.unshift(...held);
        await addEarly();
        exchanged.heard(++exchanged.count);
      },
      answer: async (from, sdp) => {
        if (from !== target || !connection) return;
        await connection.takeAnswer(sdp);
        connection.described = true;
        await addEarly();
        exchanged.heard(++exchanged.count);
      },
      candidate: async (from, payload) => {
        if (from !== target) return;
        if (!connection || (role === "offerer" && !connection.described)) early.push(payload);
        else await late.incoming(payload);
      },
      failed: error => report({event: "trouble", detail: String(error?.message ?? error)}),
    },
  });

  let channel;
  // The other side controls: it finds the direct path, says so with a higher nomination, and this side moves.
  const renominated = async () => {
    const begun = await connection.pair();
    report({event: "relayed", pair: begun});
    await cases.run("starts on its relay", async () => { if (!begun?.startsWith("relay-")) throw new Error(`on ${begun}`); });
    await cases.run("both sides say renomination", async () => {
      if (agreed.length !== 2) throw new Error(`${agreed.length} descriptions`);
      if (!agreed.every(sdp => /^a=ice-options:.*\brenomination\b/m.test(sdp))) throw new Error("one does not");
    });
    await late.open();
    await cases.run("the nomination moves the pair to the direct path", async () => {
      for (let n = 0; n < 150; ++n) {
        const now = await connection.pair();
        if (now && !now.includes("relay")) {
          if (agreed.length !== 2) throw new Error("ICE was restarted for it");
          return report({event: "moved", pair: now, ms: n * 100});
        }
        await new Promise(resolve => setTimeout(resolve, 100));
      }
      throw new Error("still on the relay after 15 s");
    });
  };

  const link = async () => {
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
  };
  const endedEarly = ended.then(() => { throw new Error("the connection ended before the channel was open"); });
  const linked = await cases.run("linked", () => Promise.race([link(), endedEarly]));
  endedEarly.catch(() => {}); // later ends are expected
  if (linked) {
    report({event: "open", label: channel.label, ms: Math.round(performance.now() - begin)});
    if (channel.label !== "mesh") cases.list.push({name: "label", ok: false, detail: `the channel is called '${channel.label}'`});
    if (mode === "echo") {
      await ended;
      report({event: "ended"});
      return cases.list;
    }
    if (options.late === "yes") await renominated();
    if (exchange === "raw") await driveRaw({connection, channel, sizes, sha256, cases, exchanged, report, restarts: options.restarts ?? ""});
    else await driveMesh({channel, sizes, sha256, cases, report});
    if (exchange === "mesh" && closer === "other") {
      report({event: "await-close"});
      await cases.run("closed by the other side", () => withTimeout(channel.closed, 20, "close"));
    }
  }
  await connection?.close(); // where it is a promise, the end of the connection is not on the wire before
  signaling.close();
  report({event: "result", ok: cases.list.every(one => one.ok), cases: cases.list});
  return cases.list;
}
