// A browser, and what can be seen in it.

import { join } from 'node:path';

import jsqr from 'jsqr';
import { PNG } from 'pngjs';
import puppeteer from 'puppeteer-core';

/// How long a page may take to say what it must: seconds, even where a machine is busy.
const PATIENCE_MS = 30_000;

/// What browses, and as what.
export const DESK = { viewport: { width: 1024, height: 768 } };
const PHONE = { width: 375, height: 720, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const SAFARI = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148';
export const WECHAT = { viewport: PHONE, agent: `${SAFARI} MicroMessenger/8.0.49` };
export const MOBILE = { viewport: PHONE, agent: `${SAFARI} Version/17.5 Safari/604.1` };

export class Browser {
  /// `ways`: where the browser finds a name and port instead of asking the network.
  static async launch(executablePath, pictures, ways) {
    const rules = Object.entries(ways).map(([name, address]) => `MAP ${name} ${address}`).join(', ');
    const args = [`--host-resolver-rules=${rules}`, '--ignore-certificate-errors', '--no-proxy-server'];
    // Chromium's own sandbox does not work for root, which is who runs things in containers.
    if (process.getuid() === 0) args.push('--no-sandbox');
    // Whoever stops us is heard in main.mjs; the pipe ends the browser when nobody can say anything any more.
    const ours = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
    const chromium = await puppeteer.launch({ executablePath, args, pipe: true, ...ours });
    return Object.assign(new Browser(), { chromium, pictures });
  }

  /// A page of somebody new, with nothing left of anybody before.
  async open(who, url, prepare = async () => {}) {
    const context = await this.chromium.createBrowserContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.setViewport(who.viewport);
    if (who.agent) await page.setUserAgent({ userAgent: who.agent });
    const wrong = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    await prepare(page);
    await page.goto(url);
    return new Page(page, wrong, this.pictures);
  }

  end() {
    return this.chromium.close();
  }
}

export class Page {
  constructor(page, wrong, pictures) {
    Object.assign(this, { page, wrong, pictures });
  }

  /// Waits until the shop's page is in a state, and gives its words. `why` says what it was instead.
  async becomes(state) {
    const look = () => [document.body.dataset.state ?? '', document.getElementById('say')?.textContent ?? ''];
    try {
      await this.page.waitForFunction((state) => document.body?.dataset.state === state, {}, state);
    } catch {
      const [is, says] = await this.page.evaluate(look);
      throw new Error(`the page at ${this.page.url()} is ${is || 'in no state'} and says "${says}", not ${state}`);
    }
    if (this.wrong.length) throw new Error(`the page's script failed: ${this.wrong.join('; ')}`);
    return (await this.page.evaluate(look))[1];
  }

  /// Does something that leads to another page, and waits for that.
  async leave(how) {
    await Promise.all([this.page.waitForNavigation(), how()]);
  }

  /// What the page's next POST to this path of the shop is answered with.
  async answered(path, how) {
    const fits = (answer) => answer.request().method() === 'POST' && path.test(new URL(answer.url()).pathname);
    const [answer] = await Promise.all([this.page.waitForResponse(fits), how()]);
    return answer.json();
  }

  /// Keeps a picture of the page as it is seen, and gives it.
  async picture(name) {
    return this.page.screenshot({ path: join(this.pictures, `${name}.png`) });
  }

  /// The text of the QR code that the page shows, read from a picture as a phone reads it; nothing when there is none.
  async readCode(name) {
    const { width, height, data } = PNG.sync.read(Buffer.from(await this.picture(name)));
    return jsqr(new Uint8ClampedArray(data), width, height)?.data;
  }

  /// How many pixels of it lie beside a screen of this width.
  async overhang(width) {
    const before = this.page.viewport();
    await this.page.setViewport({ ...before, width });
    const beside = await this.page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
    await this.page.setViewport(before);
    return beside;
  }

  close() {
    return this.page.browserContext().close();
  }
}
