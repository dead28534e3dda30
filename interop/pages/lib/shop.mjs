// The sample shop as its readers start it, and once more behind TLS, which WeChat wants of JSAPI and H5 pages.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer as listenSecurely } from 'node:https';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
/// The shop ends when its stdin does, and so with us, however we end.
const HELD = 'data:text/javascript,process.stdin.on("end", () => process.exit()).resume()';
const server = path('../../../docs/front-end/shop/server.mjs');
/// The browser is told to accept it under every name.
const certificate = {
  cert: readFileSync(path('../../../deploy/dev/sandbox/server.pem')),
  key: readFileSync(path('../../../deploy/dev/sandbox/server.key')),
};

export class Shop {
  /// At the address where it listens. `order`: where order-svc is.
  static async open(order, publicUrl) {
    const port = await freePort();
    const child = spawn(process.execPath, ['--import', HELD, server], {
      env: {
        PATH: process.env.PATH,
        PORT: String(port),
        ORDER_URL: order,
        PAYER_IP: '203.0.113.7',
        ...(publicUrl && { PUBLIC_URL: publicUrl }),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => { child.once('exit', resolve); child.once('error', resolve); });
    const line = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const url = await Promise.race([line, gone.then(() => undefined)]);
    if (!url) throw new Error('the shop did not start');
    return Object.assign(new Shop(), { child, gone, url });
  }

  /// At `https://<domain>/`, for browsers that find the domain where `listens` says.
  static async openSecure(order, domain) {
    const shop = await Shop.open(order, `https://${domain}`);
    const { port } = new URL(shop.url);
    shop.front = listenSecurely(certificate, (from, to) => {
      const { method, url, headers } = from;
      const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      });
      passed.on('error', () => to.destroy());
      to.on('close', () => passed.destroy());
      from.pipe(passed);
    });
    await once(shop.front.listen(0, '127.0.0.1'), 'listening');
    shop.domain = domain;
    shop.url = `https://${domain}/`;
    shop.listens = `127.0.0.1:${shop.front.address().port}`;
    return shop;
  }

  async end() {
    this.front?.closeAllConnections();
    this.front?.close();
    this.child.kill('SIGTERM');
    await this.gone;
  }
}

async function freePort() {
  const socket = createServer();
  await once(socket.listen(0, '127.0.0.1'), 'listening');
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}
