// A page inside WeChat: the silent consent is the sandbox's, the bridge is played here as WeChat puts it into a page.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { WECHAT } from '../lib/browser.mjs';

const key = readFileSync(new URL('../../../deploy/dev/merchants/acme-mini.key', import.meta.url), 'utf8').trim();

/// Runs in the page. Late, as WeChat is; what the user does in the cashier is decided out here.
function lateBridge() {
  setTimeout(() => {
    window.WeixinJSBridge = {
      invoke: (name, parameters, told) => window.cashier(name, parameters).then((err_msg) => told({ err_msg })),
    };
    document.dispatchEvent(new Event('WeixinJSBridgeReady'));
  }, 300);
}

/// As WeChat checks it. Source: WeChat Pay v2, "JSAPI: paySign".
function paySign({ paySign: _, ...signed }) {
  const text = Object.keys(signed).sort().map((name) => `${name}=${signed[name]}`).join('&');
  return createHmac('sha256', key).update(`${text}&key=${key}`).digest('hex').toUpperCase();
}

export async function jsapi({ tongbao, secure, browser }, table) {
  const opened = [];
  const cashier = async (name, parameters) => {
    assert.equal(name, 'getBrandWCPayRequest');
    opened.push(parameters);
    if (opened.length === 1) return 'get_brand_wcpay_request:cancel';
    await tongbao.command('pay', { prepay_id: parameters.package.replace('prepay_id=', '') });
    return 'get_brand_wcpay_request:ok';
  };
  const page = await browser.open(WECHAT, `${secure.url}jsapi.html`, async (page) => {
    await page.exposeFunction('cashier', cashier);
    await page.evaluateOnNewDocument(lateBridge);
  });
  await table.check('jsapi: the consent comes back, and the code is out of the address', async () => {
    assert.equal(page.page.url(), `${secure.url}jsapi.html`);
    await page.picture('jsapi');
  });
  await table.check('jsapi: who leaves the cashier reads that nothing was paid', async () => {
    await page.page.click('#pay');
    assert.equal(await page.becomes('pending'), 'Not paid yet. Tap to try again.');
    await page.picture('jsapi-left');
  });
  await table.check('jsapi: the cashier gets six texts with the merchant\'s signature', async () => {
    const [parameters] = opened;
    assert.deepEqual(Object.keys(parameters).sort(), ['appId', 'nonceStr', 'package', 'paySign', 'signType', 'timeStamp']);
    assert.ok(Object.values(parameters).every((value) => typeof value === 'string'));
    assert.equal(parameters.paySign, paySign(parameters));
  });
  await table.check('jsapi: the second tap opens the same cashier, and the page says that it is paid', async () => {
    await page.page.click('#pay');
    assert.match(await page.becomes('paid'), /^Paid/);
    assert.deepEqual(opened[1], opened[0]);
    await page.picture('jsapi-paid');
  });
  await page.close();
}
