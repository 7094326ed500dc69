// A data channel as the exchange wants it, whoever made it: awaitable open, messages and close.

export function withTimeout(promise, seconds, what) {
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

export class Channel {
  #waiting = [];
  #arrived = [];

  // `port` has send(string | Uint8Array) and close().
  constructor(label, port) {
    this.label = label;
    this.port = port;
    this.opened = new Promise(resolve => { this.setOpen = resolve; });
    this.closed = new Promise(resolve => { this.setClosed = resolve; });
  }

  // Called by the adapter with a string or a Uint8Array.
  deliver(message) {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(message); else this.#arrived.push(message);
  }

  async next(seconds, what) {
    if (this.#arrived.length > 0) return this.#arrived.shift();
    return await withTimeout(new Promise(resolve => this.#waiting.push(resolve)), seconds, what);
  }

  send(message) { this.port.send(message); }
  close() { this.port.close(); }
}
