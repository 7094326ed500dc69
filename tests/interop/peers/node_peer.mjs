// A peer in Node: node node_peer.mjs --stack wrtc|libdatachannel|werift|pion|webrtc-rs --registry URL --api-key KEY --id ID --target ID
//   --role offerer|answerer [--mode drive|echo] [--exchange raw|mesh] [--closer self|other] [--sizes 1,100,...]
//   [--ice '[{"urls": ...}]'] [--policy all|relay] [--trickle yes|no] [--restarts this,other] [--late yes|no] [--program FILE]
// Prints JSON lines; the last one has "event":"result".
import {createHash} from "node:crypto";
import {createRequire} from "node:module";
import {parseArgs} from "node:util";

// The packages are installed into a build folder, not beside this file.
const load = createRequire(`${process.env.INTEROP_MODULES ?? process.cwd()}/node_modules/`);
const {values} = parseArgs({
  options: Object.fromEntries(["stack", "registry", "api-key", "id", "target", "role", "mode", "exchange", "closer", "sizes",
    "ice", "policy", "trickle", "restarts", "late", "program"]
    .map(name => [name, {type: "string"}])),
});
const report = object => process.stdout.write(JSON.stringify(object) + "\n");
const {fetchToken} = await import("./signaling.mjs");
const {runSession} = await import("./session.mjs");

const stacks = {
  wrtc: async () => (await import("./w3c.mjs")).w3cConnection(load("@roamhq/wrtc").RTCPeerConnection),
  werift: async () => (await import("./w3c.mjs")).w3cConnection(load("werift").RTCPeerConnection, {
    toWire: message => (typeof message === "string" ? message : Buffer.from(message)),
    // werift calls a channel closed while one of the two stream resets is under way. A channel made in that moment gets the same
    // stream with its old sequence numbers, and a process that ends in that moment leaves the other side's reset unanswered.
    closeLag: 500,
  }),
  pion: async () => (await import("./bridge.mjs")).bridgedConnection(values.program),
  "webrtc-rs": async () => (await import("./bridge.mjs")).bridgedConnection(values.program),
  libdatachannel: async () => (await import("./libdatachannel.mjs")).libdatachannelConnection(load("node-datachannel")),
};
try {
  const {token, peer_id: id} = await fetchToken(values.registry, values["api-key"]);
  if (id !== values.id) throw new Error(`the registry calls us ${id}, not ${values.id}`);
  const cases = await runSession({
    options: {...values, sizes: (values.sizes ?? "1,100").split(",")},
    makeConnection: await stacks[values.stack](),
    WebSocket: load("ws"),
    token,
    sha256: bytes => createHash("sha256").update(bytes).digest("hex"),
    report,
  });
  // The native stacks keep threads alive; what is to be said has been said.
  process.exit(cases.every(one => one.ok) ? 0 : 1);
} catch (error) {
  report({event: "result", ok: false, cases: [{name: "runs", ok: false, detail: String(error?.message ?? error)}]});
  process.exit(1);
}
