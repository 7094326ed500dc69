// A stack in another language behind the interface that session.mjs uses. Its program (pion/, webrtc-rs/) does what it is told
// and says what happens, one JSON object a line:
//   to it      {do: connect, ice_servers, policy} {do: channel, id, label} {do: offer, restart} {do: take, type, sdp}
//              {do: candidate, candidate, mid, line} {do: send, id, text | binary} {do: close_channel, id} {do: pair} {do: close}
//   from it    {is: description, type, sdp} {is: candidate, candidate, mid, line} {is: gathered, sdp} {is: channel, id, label}
//              {is: open, id} {is: message, id, text | binary} {is: closed, id} {is: state, state} {is: pair, pair} {is: failed, what}
// Binary is base64. Channels that we make have even ids, those that arrive odd ones.
import {spawn} from "node:child_process";
import {createInterface} from "node:readline";
import {Channel, withTimeout} from "./channel.mjs";

export function bridgedConnection(command) {
  return (events, {iceServers, policy, trickle}) => {
    const child = spawn(command, {stdio: ["pipe", "pipe", "inherit"]});
    const tell = object => { if (child.stdin.writable) child.stdin.write(JSON.stringify(object) + "\n"); };
    child.stdin.on("error", () => {});
    const channels = new Map();
    let ownId = 0, resolvePair = () => {};
    const adapt = (id, label) => {
      const channel = new Channel(label, {
        send: message => tell(typeof message === "string" ? {do: "send", id, text: message}
          : {do: "send", id, binary: Buffer.from(message).toString("base64")}),
        close: () => tell({do: "close_channel", id}),
      });
      channels.set(id, channel);
      return channel;
    };
    let held = null; // the kind of a description that waits for the end of gathering
    const handlers = {
      description: ({type, sdp}) => { if (trickle) events.description(type, sdp); else held = type; },
      gathered: ({sdp}) => { if (held) events.description(held, sdp); held = null; },
      candidate: ({candidate, mid, line}) => { if (trickle) events.candidate(candidate, mid, line); },
      channel: ({id, label}) => events.channel(adapt(id, label)),
      open: ({id}) => channels.get(id)?.setOpen(),
      message: ({id, text, binary}) => channels.get(id)?.deliver(text ?? new Uint8Array(Buffer.from(binary, "base64"))),
      closed: ({id}) => channels.get(id)?.setClosed(),
      state: ({state}) => events.state(state),
      pair: ({pair}) => resolvePair(pair || undefined),
      failed: ({what}) => events.trouble(what),
    };
    createInterface({input: child.stdout}).on("line", line => {
      const said = JSON.parse(line);
      handlers[said.is](said);
    });
    child.on("error", error => events.trouble(String(error)));
    child.on("exit", () => events.state("closed"));
    tell({do: "connect", ice_servers: iceServers, policy});
    return {
      createChannel: label => {
        const id = (ownId += 2);
        tell({do: "channel", id, label});
        return adapt(id, label);
      },
      makeOffer: async () => tell({do: "offer", restart: false}),
      restart: async () => tell({do: "offer", restart: true}),
      takeOffer: async sdp => tell({do: "take", type: "offer", sdp}),
      takeAnswer: async sdp => tell({do: "take", type: "answer", sdp}),
      takeCandidate: async ({candidate, sdpMid, sdpMLineIndex}) =>
        tell({do: "candidate", candidate, mid: sdpMid || "0", line: sdpMLineIndex ?? 0}),
      pair: () => {
        const answer = new Promise(resolve => { resolvePair = resolve; });
        tell({do: "pair"});
        return withTimeout(answer, 5, "selected pair");
      },
      close: () => { tell({do: "close"}); child.stdin.end(); },
    };
  };
}
