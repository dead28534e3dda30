// Payment notices that the client's own signer made.

import assert from 'node:assert/strict';

import { Formatter, Merchant, xml } from '../lib/merchants.mjs';

/// What our ingress says to a notice that need not come again.
const TAKEN = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

/// A payment that nobody made, in the fields that WeChat tells.
function notice(merchant, number) {
  return {
    appid: merchant.appId,
    attach: '支付测试 a&b <c>',
    bank_type: 'CMB_DEBIT',
    cash_fee: '990',
    coupon_fee_0: '10',
    coupon_fee: '10',
    coupon_count: '1',
    device_info: '',
    fee_type: 'CNY',
    is_subscribe: 'N',
    mch_id: merchant.mchId,
    nonce_str: Formatter.nonce(),
    openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
    out_trade_no: `interop${number}`,
    result_code: 'SUCCESS',
    return_code: 'SUCCESS',
    something_new: '0',
    time_end: '20261128133525',
    total_fee: '1000',
    trade_type: 'JSAPI',
    transaction_id: `420000000020261128${number}`,
  };
}

export async function paymentNotices(world, table) {
  const post = (merchant, fields) => world.post(`${merchant.name}/payment`, xml(fields));
  const [mini, shop] = [new Merchant('acme-mini'), new Merchant('acme-shop')];
  let kept = 0;
  for (const [merchant, number] of [[mini, '0000000001'], [shop, '0000000002']]) {
    await table.check(`a payment notice signed by the client with ${merchant.signType} is a fact on the bus`, async () => {
      const fields = notice(merchant, number);
      assert.deepEqual(await post(merchant, merchant.signed(fields)), { status: 200, body: TAKEN });
      kept += 1;
      assert.equal(await world.count('PAY'), kept);
      const fact = await world.newest('PAY', `pay.v1.payment.paid.${merchant.name}`);
      assert.deepEqual(
        [fact.outTradeNo, fact.transactionId, fact.amountFen, fact.payerAmountFen, fact.mchId, fact.appId],
        [fields.out_trade_no, fields.transaction_id, '1000', '990', merchant.mchId, merchant.appId],
      );
    });
  }
  await table.check('the same notice again is taken, and stays one fact', async () => {
    const fields = notice(mini, '0000000001');
    assert.equal((await post(mini, mini.signed(fields))).body, TAKEN);
    assert.equal(await world.count('PAY'), kept);
  });

  const genuine = mini.signed(notice(mini, '0000000003'));
  const flipped = (genuine.sign[0] === 'A' ? 'B' : 'A') + genuine.sign.slice(1);
  const { sign, ...unsigned } = genuine;
  const wrong = [
    ['a corrupt signature', { ...genuine, sign: flipped }, 'sign_wrong'],
    ['a signature in lower case', { ...genuine, sign: sign.toLowerCase() }, 'sign_wrong'],
    ['a changed amount', { ...genuine, total_fee: '1' }, 'sign_wrong'],
    ['a field that was added', { ...genuine, something_newer: '1' }, 'sign_wrong'],
    ['no signature', unsigned, 'unsigned'],
    ['another account\'s key', mini.signed(notice(mini, '0000000003'), { key: shop.key }), 'sign_wrong'],
    ['MD5 instead of the account\'s HMAC-SHA256', mini.signed(notice(mini, '0000000003'), { signType: 'MD5' }), 'sign_type_genuine'],
    ['another account\'s number', mini.signed({ ...notice(mini, '0000000003'), mch_id: shop.mchId }), 'other_account'],
  ];
  for (const [what, fields, reason] of wrong) {
    await table.check(`a payment notice with ${what} is refused`, async () => {
      const { status, body } = await post(mini, fields);
      const refusal = `<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[${reason}]]></return_msg></xml>`;
      assert.deepEqual({ status, body }, { status: 200, body: refusal });
      assert.equal(await world.count('PAY'), kept);
    });
  }
  await table.check('the notice that the refused ones were made of is taken', async () => {
    assert.equal((await post(mini, genuine)).body, TAKEN);
    assert.equal(await world.count('PAY'), kept + 1);
  });
}
