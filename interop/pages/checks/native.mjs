// A QR code on a desk's screen, scanned and paid with the sandbox's phone.

import assert from 'node:assert/strict';

import { DESK, MOBILE } from '../lib/browser.mjs';

/// The narrowest phone that is still around, in CSS pixels.
const NARROW = 320;

export async function native({ tongbao, relay, shop, browser }, table) {
  const page = await browser.open(DESK, shop.url);
  let text;
  await table.check('native: the page shows a code that a phone can read', async () => {
    assert.equal(await page.becomes('pending'), 'Scan with WeChat to pay');
    text = await page.readCode('native');
    assert.match(text ?? 'nothing', /^weixin:\/\/wxpay\/bizpayurl\?pr=/);
  });
  await table.check('native: it fits a phone, in the dark, too', async () => {
    assert.equal(await page.overhang(NARROW), 0, `pixels lie beside a screen of ${NARROW}`);
    await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    assert.equal(await page.readCode('native-dark'), text);
    await page.page.emulateMediaFeatures([]);
  });
  await table.check('native: scanned and paid on the phone, the page says so', async () => {
    const phone = await browser.open(MOBILE, `${tongbao.at.sandbox}/phone`);
    await phone.page.type('textarea', text);
    await phone.leave(() => phone.page.click('button.pay'));
    await phone.picture('native-cashier');
    await phone.leave(() => phone.page.click('button.pay'));
    await phone.close();
    assert.match(await page.becomes('paid'), /^Paid/);
    assert.equal(await page.readCode('native-paid'), undefined, 'the code is still there');
  });
  await page.close();

  await table.check('native: a payment is seen though the shop\'s way to Tongbao broke before it', async () => {
    const page = await browser.open(DESK, shop.url);
    await page.becomes('pending');
    const code_url = await page.readCode('native-broken');
    relay.cut();
    await tongbao.command('pay', { code_url });
    assert.match(await page.becomes('paid'), /^Paid/);
    await page.close();
  });
}
