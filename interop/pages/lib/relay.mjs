// A way between two of ours that can break.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Relay {
  #open = new Set();

  static async to(address) {
    const relay = new Relay();
    const { hostname: host, port } = new URL(`http://${address}`);
    relay.server = createServer((from) => {
      const to = connect({ host, port: Number(port) });
      for (const [one, other] of [[from, to], [to, from]]) {
        relay.#open.add(one);
        one.on('error', () => {});
        one.on('close', () => { relay.#open.delete(one); other.destroy(); });
        one.pipe(other);
      }
    });
    await once(relay.server.listen(0, '127.0.0.1'), 'listening');
    relay.address = `127.0.0.1:${relay.server.address().port}`;
    return relay;
  }

  /// Breaks every connection; new ones are as good as before.
  cut() {
    for (const socket of this.#open) socket.destroy();
  }

  async end() {
    this.server.close();
    this.cut();
  }
}
