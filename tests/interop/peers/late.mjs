// A direct path that comes late: first only the relay of this side works, then the addresses of both sides are told.
// The relay has to hear of the other side's address, for its permission; a port where nobody listens does that.
const NOBODY = 1025; // libwebrtc takes no lower port from a peer
const isRelayed = candidate => / typ relay/.test(candidate);
const atPort = (candidate, port) => candidate.replace(/^(\S+ \S+ \S+ \S+ \S+ )\d+/, `$1${port}`);

export class LatePath {
  #outgoing = [];
  #incoming = [];
  #open = false;

  constructor(send, take) { Object.assign(this, {send, take}); }

  // Ours, on the way to the other side.
  outgoing(...candidate) {
    if (this.#open || isRelayed(candidate[0])) this.send(...candidate); else this.#outgoing.push(candidate);
  }

  // Theirs, on the way to the stack.
  async incoming(payload) {
    if (this.#open) return await this.take(payload);
    this.#incoming.push(payload);
    await this.take({...payload, candidate: atPort(payload.candidate, NOBODY)});
  }

  // A description without its candidates, which take the same way as those that follow it.
  strip(sdp) {
    const lines = sdp.split("\r\n");
    const held = lines.filter(line => line.startsWith("a=candidate:"))
      .map(line => ({candidate: line.slice(2), sdpMid: "0", sdpMLineIndex: 0}));
    return {sdp: lines.filter(line => !/^a=(candidate:|end-of-candidates)/.test(line)).join("\r\n"), held};
  }

  async open() {
    this.#open = true;
    for (const candidate of this.#outgoing.splice(0)) this.send(...candidate);
    for (const payload of this.#incoming.splice(0)) await this.take(payload);
  }
}
