// The phone shows a pay code, and a till charges it.

import assert from 'node:assert/strict';

import { MOBILE } from '../lib/browser.mjs';

export async function till({ tongbao, browser }, table) {
  const phone = await browser.open(MOBILE, `${tongbao.at.sandbox}/phone`);
  await phone.leave(() => phone.page.click('a[href="/phone/pay-code"]'));
  /// A code of a user who behaves like this, charged for a new order.
  const charge = async (behaviour) => {
    await phone.page.select('select[name=behaviour]', behaviour);
    await phone.leave(() => phone.page.click('button.pay'));
    await phone.picture(`till-${behaviour}`);
    const auth_code = (await phone.page.$eval('#code', (code) => code.textContent)).replace(/\s/g, '');
    const { name } = await tongbao.call('CreateOrder', {
      request_id: crypto.randomUUID(), order_no: crypto.randomUUID(), merchant: 'acme-mini', amount_fen: 990, description: 'Tea',
    });
    return tongbao.call('PayOrder', {
      request_id: crypto.randomUUID(), name, payer_ip: '203.0.113.7', pay_code: { app_id: 'wxac3e0000000000a2', auth_code },
    });
  };
  await table.check('till: a code from the phone is charged', async () => {
    assert.equal((await charge('pays')).payment.state, 'STATE_SUCCEEDED');
  });
  await table.check('till: the code fits a phone', async () => {
    assert.equal(await phone.overhang(320), 0, 'pixels lie beside a screen of 320');
  });
  await table.check('till: a payer who enters a password is waited for', async () => {
    assert.equal((await charge('password')).payment.state, 'STATE_PENDING');
  });
  await table.check('till: a payer without money is told as that', async () => {
    await assert.rejects(charge('no_money'), /the payer cannot pay this way: NOTENOUGH/);
  });
  await phone.close();
}
