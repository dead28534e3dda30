// A whole world on free ports, held by the stdin of `world lend`: it ends when we end, however that happens.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/// How long it may take to end: longer than the drains of its processes.
const END_MS = 120_000;

export class Tongbao {
  static async lend(programs, folder) {
    const child = spawn(`${programs}/world`, ['lend', folder], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    const gone = new Promise((resolve) => { child.once('exit', resolve); child.once('error', resolve); });
    const line = new Promise((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    const first = await Promise.race([line, gone.then(() => undefined)]);
    if (first === undefined) throw new Error(`the world did not start; its logs are in ${folder}`);
    const tongbao = Object.assign(new Tongbao(), { child, gone, folder, at: JSON.parse(first) });
    // The shop's own way, as its back office and its till would use it.
    process.env.ORDER_URL = tongbao.at.order;
    tongbao.call = (await import('../../../docs/front-end/shop/tongbao.mjs')).call;
    return tongbao;
  }

  /// A command for the sandbox.
  async command(path, body = {}) {
    const answer = await fetch(`${this.at.sandbox}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(`the sandbox refuses ${path}: ${said.error}`);
    return said;
  }

  async end() {
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill('SIGKILL'), END_MS);
    const status = await this.gone;
    clearTimeout(late);
    if (status !== 0) throw new Error(`the world ended with ${status}; its logs are in ${this.folder}`);
  }
}
