// An order that is closed while its code is on the screen.

import assert from 'node:assert/strict';

import { DESK } from '../lib/browser.mjs';

/// WeChat closes nothing in an order's first five minutes.
const CLOSABLE_MS = 6 * 60_000;

export async function closed({ tongbao, shop, browser }, table) {
  await table.check('closed: the page of an order that is closed takes its code away', async () => {
    const page = await browser.open(DESK, 'about:blank');
    const { order } = await page.answered(/^\/orders$/, () => page.page.goto(shop.url));
    await page.becomes('pending');
    const { orders } = await tongbao.call('ListOrders', { order_no: order });
    await tongbao.command('clock', { advance_ms: CLOSABLE_MS });
    await tongbao.call('CloseOrder', { request_id: crypto.randomUUID(), name: orders[0].name });
    assert.match(await page.becomes('closed'), /^This order is closed/);
    assert.equal(await page.readCode('closed'), undefined, 'the code is still there');
    await page.close();
  });
}
