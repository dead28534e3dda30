// Starts a whole world, the sample shop and a browser, lets somebody buy tea in every way that a page can sell it, and says
// what held.

import { join, resolve } from 'node:path';

import { Table } from '../lib/table.mjs';
import { Browser } from './lib/browser.mjs';
import { Relay } from './lib/relay.mjs';
import { Shop } from './lib/shop.mjs';
import { Tongbao } from './lib/tongbao.mjs';
import { native } from './checks/native.mjs';
import { jsapi } from './checks/jsapi.mjs';
import { h5 } from './checks/h5.mjs';
import { till } from './checks/till.mjs';
import { closed } from './checks/closed.mjs';

const [programs, chromium, pictures] = process.argv.slice(2).map((path) => resolve(path));
const table = new Table();
const ends = [];
// Whoever stops us stops what we started, too; each of these is asked by its id.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => finish(130));

async function finish(status) {
  for (const end of ends.splice(0).reverse()) await end().catch((error) => console.error(`pages: ${error.message}`));
  process.exit(status);
}

async function start(what) {
  const started = await what;
  ends.push(() => started.end());
  return started;
}

try {
  const tongbao = await start(Tongbao.lend(programs, join(pictures, 'world')));
  const relay = await start(Relay.to(tongbao.at.order));
  const shop = await start(Shop.open(relay.address));
  const secure = await start(Shop.openSecure(tongbao.at.order, 'shop.example.com'));
  const browser = await start(Browser.launch(chromium, pictures, {
    [`${secure.domain}:443`]: secure.listens,
    'open.weixin.qq.com:443': new URL(tongbao.at.sandbox_tls).host,
  }));
  // The last one moves the clock.
  for (const checks of [native, jsapi, h5, till, closed]) {
    await checks({ tongbao, relay, shop, secure, browser }, table);
  }
} catch (error) {
  table.broke(error);
}
table.print();
console.log(`pages: screenshots and logs are in ${pictures}`);
await finish(table.holds() ? 0 : 1);
