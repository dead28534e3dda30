// Our side: three processes on free ports, ended by their ids.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Nats } from './nats.mjs';
import { folder as merchants } from './merchants.mjs';

/// How long anything may take before it counts as broken: far longer than the slowest machine needs.
const PATIENCE_MS = 60_000;
/// How long a process may take to end after it was asked to.
const END_MS = 25_000;
const LOOK_MS = 50;

const certificates = fileURLToPath(new URL('../../deploy/dev/sandbox', import.meta.url));

/// Looks until there is something.
export async function until(what, look) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (deadline < Date.now()) throw new Error(`it never happened that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export class World {
  #processes = [];

  static async start(programs) {
    const world = new World();
    world.folder = mkdtempSync(join(tmpdir(), 'tongbao-interop-'));
    try {
      await world.#startAll(programs);
    } catch (error) {
      await world.end();
      throw error;
    }
    return world;
  }

  async #startAll(programs) {
    const { folder } = this;
    const store = `store_dir: "${folder}/store", sync_interval: always, max_file_store: 1TB`;
    writeFileSync(
      join(folder, 'nats.conf'),
      `listen: "127.0.0.1:-1"\nports_file_dir: "${folder}"\njetstream { ${store} }\n`,
    );
    const server = process.env.TONGBAO_NATS_SERVER || 'nats-server';
    const nats = this.#spawn('nats-server', server, ['-c', join(folder, 'nats.conf')], {});
    const natsUrl = await until('nats-server listens', () => {
      nats.mustRun();
      const file = readdirSync(folder).find((name) => name.endsWith(`_${nats.child.pid}.ports`));
      if (!file) return undefined;
      try {
        return JSON.parse(readFileSync(join(folder, file), 'utf8')).nats[0];
      } catch {
        return undefined; // It is still being written.
      }
    });
    this.nats = await until('nats-server answers', () => Nats.connect(natsUrl).catch(() => undefined));

    const notify = this.#spawn('notify-svc', join(programs, 'notify-svc'), [], {
      LISTEN: '127.0.0.1:0',
      ADMIN_LISTEN: '127.0.0.1:0',
      MERCHANTS_DIR: merchants,
      NATS_URL: natsUrl,
    });
    this.notify = `http://${await notify.announced('http')}`;
    const admin = `http://${await notify.announced('admin')}`;
    await until('notify-svc is ready', async () => (await fetch(`${admin}/readyz`)).ok);

    const sandbox = this.#spawn('sandbox', join(programs, 'sandbox'), [], {
      SANDBOX_LISTEN: '127.0.0.1:0',
      SANDBOX_TLS_LISTEN: '127.0.0.1:0',
      SANDBOX_TLS_DIR: certificates,
      MERCHANTS_DIR: merchants,
      NOTIFY_URL: this.notify,
    });
    this.sandbox = `http://${await sandbox.announced('http')}`;
    this.wechat = `https://${await sandbox.announced('https')}/`;
  }

  #spawn(name, program, args, environment) {
    const log = join(this.folder, `${name}.log`);
    const lines = openSync(log, 'a');
    const child = spawn(program, args, { env: environment, stdio: ['ignore', lines, lines] });
    const running = {
      child,
      ended: undefined,
      mustRun() {
        if (this.ended) throw new Error(`${name} ended (${this.ended}); it said:\n${readFileSync(log, 'utf8').slice(-2000)}`);
      },
      announced(what) {
        return until(`${name} listens for ${what}`, () => {
          this.mustRun();
          return new RegExp(`\\b${what} listening on ([0-9.]+:[0-9]+)`).exec(readFileSync(log, 'utf8'))?.[1];
        });
      },
    };
    running.gone = new Promise((resolve) => {
      child.on('error', (error) => { running.ended = error.message; resolve(); });
      child.on('exit', (code, signal) => { running.ended = signal ?? `status ${code}`; resolve(); });
    });
    this.#processes.push(running);
    return running;
  }

  /// Posts a callback to our ingress, as WeChat does.
  async post(path, body) {
    const headers = { 'content-type': 'text/xml' };
    const answer = await fetch(`${this.notify}/notify/wechat-v2/${path}`, { method: 'POST', headers, body });
    return { status: answer.status, body: await answer.text() };
  }

  /// A command for the sandbox.
  async command(path, body = {}) {
    const answer = await fetch(`${this.sandbox}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`the sandbox refuses ${path}: ${said.error}`);
    return said;
  }

  /// How many messages stand on a stream.
  async count(stream) {
    return (await this.nats.request(`$JS.API.STREAM.INFO.${stream}`, '')).state.messages;
  }

  /// The body of the newest message of a subject; nothing when there is none.
  async newest(stream, subject) {
    const { message } = await this.nats.request(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ last_by_subj: subject }));
    return message && JSON.parse(Buffer.from(message.data, 'base64').toString('utf8'));
  }

  /// Ends what was started, who takes work first.
  async end() {
    this.nats?.close();
    for (const { child, ended, gone } of this.#processes.reverse()) {
      if (ended) continue;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await gone;
      clearTimeout(late);
    }
  }

  /// Removes logs and data.
  forget() {
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true });
  }
}
