// Refund notices that the client's own AES sealed.

import assert from 'node:assert/strict';

import { Aes, Formatter, Hash, Merchant, xml } from '../lib/merchants.mjs';

const NUMBER = 'interop-refund-1';

/// The sealed part. The client writes no padding where the text ends with a block, which WeChat does; so it never does here.
function sealed(key) {
  const inner = {
    out_refund_no: NUMBER,
    out_trade_no: 'interop0000000001',
    refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS',
    refund_fee: '300',
    refund_id: '50000000002026112800000000001',
    refund_recv_accout: '支付用户零钱',
    refund_request_source: 'API',
    refund_status: 'SUCCESS',
    settlement_refund_fee: '300',
    settlement_total_fee: '1000',
    success_time: '2026-11-28 13:40:12',
    total_fee: '1000',
    transaction_id: '4200000000202611280000000001',
  };
  const text = xml(inner).replace(/^<xml>/, '<root>').replace(/<\/xml>$/, '</root>');
  const whole = Buffer.byteLength(text) % Aes.BLOCK_SIZE === 0 ? `${text}\n` : text;
  return Aes.AesEcb.encrypt(whole, Hash.md5(key));
}

function notice(merchant, reqInfo) {
  return {
    return_code: 'SUCCESS',
    appid: merchant.appId,
    mch_id: merchant.mchId,
    nonce_str: Formatter.nonce(),
    req_info: reqInfo,
  };
}

export async function refundNotices(world, table) {
  const [mini, shop] = [new Merchant('acme-mini'), new Merchant('acme-shop')];
  const post = (reqInfo) => world.post(`${mini.name}/refund`, xml(notice(mini, reqInfo)));
  const before = await world.count('PAY');
  const refused = async (reqInfo) => {
    const { status, body } = await post(reqInfo);
    assert.equal(status, 200);
    assert.match(body, /<return_code><!\[CDATA\[FAIL\]\]><\/return_code>/);
  };
  await table.check('a refund notice sealed by the client with another account\'s key is refused', async () => {
    await refused(sealed(shop.key));
    assert.equal(await world.count('PAY'), before);
  });
  await table.check('a refund notice whose last block was cut off is refused', async () => {
    const bytes = Buffer.from(sealed(mini.key), 'base64');
    await refused(bytes.subarray(0, bytes.length - Aes.BLOCK_SIZE).toString('base64'));
    assert.equal(await world.count('PAY'), before);
  });
  await table.check('a refund notice sealed by the client is a hint on the bus, without its amount', async () => {
    const { status, body } = await post(sealed(mini.key));
    assert.equal(status, 200);
    assert.match(body, /<return_code><!\[CDATA\[SUCCESS\]\]><\/return_code>/);
    assert.equal(await world.count('PAY'), before + 1);
    const hint = await world.newest('PAY', `pay.v1.refund.noticed.${mini.name}`);
    assert.deepEqual(Object.keys(hint).sort(), ['digest', 'mchId', 'merchant', 'outRefundNo', 'provider', 'refundId', 'word']);
    assert.deepEqual([hint.outRefundNo, hint.word], [NUMBER, 'SUCCESS']);
  });
}
