// A phone's browser outside WeChat: to the sandbox's page and back, paid or not, with and without a redirect_url.

import assert from 'node:assert/strict';

import { MOBILE } from '../lib/browser.mjs';

export async function h5({ tongbao, shop, secure, browser }, table) {
  const tap = async (page) => {
    const [, order] = (await page.page.evaluate(() => location.search)).split('order=');
    await page.page.click('#pay');
    // The sandbox's pages have a header, the shop's have none. It may refuse with a sentence; only its cashier has a button.
    await page.page.waitForSelector('header');
    const button = await page.page.$('button.pay');
    assert.ok(button, `no cashier: ${await page.page.evaluate(() => document.body.innerText)}`);
    return order;
  };

  await table.check('h5: paid at WeChat, the browser comes back by itself and reads that it is paid', async () => {
    const page = await browser.open(MOBILE, `${secure.url}h5.html`);
    await page.picture('h5');
    await tap(page);
    await page.picture('h5-cashier');
    await page.leave(() => page.page.click('button.pay'));
    assert.match(page.page.url(), /^https:\/\/shop\.example\.com\/h5-return\.html\?order=/);
    assert.match(await page.becomes('paid'), /^Paid/);
    await page.picture('h5-paid');
    await page.close();
  });

  await table.check('h5: who comes back unpaid reads that, tries again, and pays the same order', async () => {
    const page = await browser.open(MOBILE, `${secure.url}h5.html`);
    await tap(page);
    await page.leave(() => page.page.evaluate(() => [...document.querySelectorAll('button')].at(-1).click()));
    const order = new URL(page.page.url()).searchParams.get('order');
    assert.match(await page.becomes('pending'), /^Not paid yet/);
    await page.picture('h5-unpaid');
    await page.leave(() => page.page.click('#again a'));
    assert.equal(await tap(page), order);
    await page.leave(() => page.page.click('button.pay'));
    assert.equal(new URL(page.page.url()).searchParams.get('order'), order);
    assert.match(await page.becomes('paid'), /^Paid/);
    await page.close();
  });

  await table.check('h5: without a redirect_url the way back leads to the return page, too', async () => {
    const page = await browser.open(MOBILE, `${shop.url}h5.html`);
    await tap(page);
    const { searchParams } = new URL(page.page.url());
    assert.equal(searchParams.get('redirect_url'), null);
    await tongbao.command('pay', { prepay_id: searchParams.get('prepay_id') });
    await page.page.goBack();
    assert.match(page.page.url(), /\/h5-return\.html\?order=/);
    assert.match(await page.becomes('paid'), /^Paid/);
    await page.close();
  });
}
