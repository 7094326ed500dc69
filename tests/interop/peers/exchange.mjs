// What two peers do with each other once a channel is open. The driving side asks and checks; the echoing side gives back.
import {withTimeout} from "./channel.mjs";

const CLOSE = "close this channel", RESTART = "restart ICE";
const encoder = new TextEncoder();

// Exactly `size` octets of UTF-8; longer ones contain characters of two, three and four octets.
export function textOf(size) {
  const tail = size >= 16 ? "\u00e9\u6f22\u{1f30d}" : "";
  const room = size - encoder.encode(tail).length;
  let text = "";
  for (let i = 0; text.length < room; ++i) text += `${i},`;
  return text.slice(0, room) + tail;
}

export function bytesOf(size) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; ++i) bytes[i] = (i * 167 + (i >> 8)) & 0xff;
  return bytes;
}

const asBytes = message => (typeof message === "string" ? encoder.encode(message) : message);

export class Cases {
  list = [];
  async run(name, body) {
    const begin = performance.now();
    try {
      await body();
      this.list.push({name, ok: true, ms: Math.round(performance.now() - begin)});
      return true;
    } catch (error) {
      this.list.push({name, ok: false, detail: String(error?.message ?? error)});
      return false;
    }
  }
}

// ICE restarts: one side describes itself anew, the other answers, and messages go on all the while.
async function driveRestarts({connection, channel, cases, exchanged, report, restarts}) {
  for (const [side, begin] of [["this", () => connection.restart()], ["other", () => channel.send(RESTART)]]) {
    if (!restarts.includes(side)) continue;
    await cases.run(`ICE restart by ${side} side`, async () => {
      const described = new Promise(resolve => { exchanged.heard = resolve; });
      await begin();
      await withTimeout(described, 15, "the description of the restart");
      for (let n = 0; n < 30; ++n) {
        channel.send(`restart ${n}`);
        if ((await channel.next(15, "echo during the restart")) !== `restart ${n}`) throw new Error("wrong echo");
        await new Promise(resolve => setTimeout(resolve, 50));
      }
    });
    report({event: "restart-done", side});
  }
}

// Echo of every size in both kinds; restarts; a close by the other side; a second channel, closed by this side.
export async function driveRaw({connection, channel, sizes, sha256, cases, exchanged, report, restarts}) {
  for (const size of sizes) {
    for (const [kind, message] of [["text", textOf(size)], ["binary", bytesOf(size)]]) {
      const good = await cases.run(`${kind} ${size}`, async () => {
        const sent = await sha256(asBytes(message));
        channel.send(message);
        const back = await channel.next(30, "echo");
        if (typeof back !== typeof message) throw new Error(`came back as ${typeof back === "string" ? "text" : "binary"}`);
        if (asBytes(back).length !== size) throw new Error(`${asBytes(back).length} octets came back`);
        if ((await sha256(asBytes(back))) !== sent) throw new Error("came back changed");
      });
      if (!good) return;
    }
  }
  await driveRestarts({connection, channel, cases, exchanged, report, restarts});
  const pair = await Promise.resolve(connection.pair?.()).catch(() => undefined);
  report({event: "pair", pair: pair ?? "not told"});
  await cases.run("closed by the other side", async () => {
    channel.send(CLOSE);
    await withTimeout(channel.closed, 15, "close");
  });
  await cases.run("closed by this side", async () => {
    const again = connection.createChannel("again");
    await withTimeout(again.opened, 15, "opening a second channel");
    again.send("once more");
    if ((await again.next(15, "echo on the second channel")) !== "once more") throw new Error("wrong echo");
    again.close();
    await withTimeout(again.closed, 15, "close");
  });
}

export async function echoRaw(channel) {
  for (;;) {
    const message = await channel.next(120, "next message");
    if (message === CLOSE) return channel.close();
    channel.send(message);
  }
}

const meshMessage = (type, requestId, payload) =>
  JSON.stringify({type, request_id: requestId, source_agent: "interop", target_agent: "", payload});

// MeshMessages: asks the other side's agent for an echo, then answers what that agent asks until it says finish.
export async function driveMesh({channel, sizes, sha256, cases, report}) {
  for (const size of sizes) {
    const good = await cases.run(`task ${size}`, async () => {
      const message = textOf(size);
      channel.send(meshMessage("task_request", `r${size}`, {message, skill: "echo"}));
      const back = JSON.parse(await channel.next(30, "response"));
      if (back.type !== "task_response" || back.request_id !== `r${size}`) throw new Error(`answered with ${back.type}`);
      if ((await sha256(encoder.encode(back.payload.result))) !== (await sha256(encoder.encode(message)))) {
        throw new Error("came back changed");
      }
    });
    if (!good) return;
  }
  report({event: "driven"});
  await cases.run("answers tasks", async () => {
    for (;;) {
      const asked = JSON.parse(await channel.next(60, "task or the word to finish"));
      if (asked.type === "agent_prompt") return;
      channel.send(meshMessage("task_response", asked.request_id, {result: asked.payload.message, error: ""}));
    }
  });
}
