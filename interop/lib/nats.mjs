// As much of NATS's text protocol as these checks need: requests, and answers to requests.
//
// Source: the NATS client protocol, https://docs.nats.io/reference/reference-protocols/nats-protocol.

import { connect } from 'node:net';

const REQUEST_MS = 10_000;

export class Nats {
  #socket;
  #read = Buffer.alloc(0);
  #handlers = new Map();
  #next = 1;

  static async connect(url) {
    const { hostname, port } = new URL(url);
    const nats = new Nats();
    await new Promise((resolve, reject) => {
      nats.#socket = connect({ host: hostname, port: Number(port) }, resolve);
      nats.#socket.once('error', reject);
    });
    nats.#socket.on('error', () => {});
    nats.#socket.on('data', (bytes) => nats.#take(bytes));
    nats.#socket.write('CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n');
    return nats;
  }

  /// Calls `handler` with each message of a subject, until the returned function is called. Returns once the server knows.
  async subscribe(subject, handler) {
    const id = this.#next++;
    this.#handlers.set(String(id), handler);
    this.#socket.write(`SUB ${subject} ${id}\r\n`);
    await this.#roundTrip();
    return () => {
      this.#handlers.delete(String(id));
      this.#socket.write(`UNSUB ${id}\r\n`);
    };
  }

  publish(subject, payload, reply = '') {
    const bytes = Buffer.from(payload);
    this.#socket.write(Buffer.concat([Buffer.from(`PUB ${subject} ${reply} ${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]));
  }

  /// Asks and waits for one answer, which is JSON.
  async request(subject, payload) {
    const inbox = `_INBOX.interop.${this.#next}`;
    let heard;
    const answer = new Promise((resolve) => { heard = resolve; });
    const stop = await this.subscribe(inbox, (message) => heard(message.payload));
    this.publish(subject, payload, inbox);
    let late;
    const patience = new Promise((_, reject) => {
      late = setTimeout(() => reject(new Error(`nobody answered on ${subject}`)), REQUEST_MS);
    });
    try {
      return JSON.parse((await Promise.race([answer, patience])).toString('utf8'));
    } finally {
      clearTimeout(late);
      stop();
    }
  }

  close() {
    this.#socket.destroy();
  }

  #pongs = [];

  #roundTrip() {
    return new Promise((resolve) => {
      this.#pongs.push(resolve);
      this.#socket.write('PING\r\n');
    });
  }

  #take(bytes) {
    this.#read = Buffer.concat([this.#read, bytes]);
    for (;;) {
      const end = this.#read.indexOf('\r\n');
      if (end < 0) return;
      const line = this.#read.subarray(0, end).toString('utf8');
      const [word, ...parts] = line.split(' ');
      if (word === 'MSG' || word === 'HMSG') {
        const length = Number(parts.at(-1));
        if (this.#read.length < end + 2 + length + 2) return;
        // The headers of an HMSG stand before its payload, and their length before its own.
        const headers = word === 'HMSG' ? Number(parts.at(-2)) : 0;
        const payload = this.#read.subarray(end + 2 + headers, end + 2 + length);
        this.#read = this.#read.subarray(end + 2 + length + 2);
        const reply = parts.length === (word === 'MSG' ? 4 : 5) ? parts[2] : undefined;
        this.#handlers.get(parts[1])?.({ subject: parts[0], reply, payload });
        continue;
      }
      this.#read = this.#read.subarray(end + 2);
      if (word === 'PING') this.#socket.write('PONG\r\n');
      if (word === 'PONG') this.#pongs.shift()?.();
    }
  }
}
