// WeChat's question of Native mode 1, signed by the client, and our signed answer, verified by the client.

import assert from 'node:assert/strict';

import { Formatter, Hash, Merchant, fieldsOf, xml } from '../lib/merchants.mjs';

const PREPAY_ID = 'wx28133525000000interop0000000001';
const PRODUCT = '01981b6e6f3c7a01b2c3d4e5f6a7b8c9';

/// The fields of an answer, whose signature is the client's own.
function verified(merchant, { status, body }) {
  assert.equal(status, 200);
  const { sign, ...fields } = fieldsOf(body);
  assert.equal(sign, Hash.sign(merchant.signType, fields, merchant.key), body);
  return fields;
}

export async function nativeScans(world, table) {
  for (const name of ['acme-mini', 'acme-shop']) {
    const merchant = new Merchant(name);
    const question = merchant.signed({
      appid: merchant.appId,
      is_subscribe: 'Y',
      mch_id: merchant.mchId,
      nonce_str: Formatter.nonce(),
      openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
      product_id: PRODUCT,
    });
    const scan = (fields) => world.post(`${name}/native`, xml(fields));
    await table.check(`a scan of ${name} that nobody answers is refused with words, signed with ${merchant.signType}`, async () => {
      const fields = verified(merchant, await scan(question));
      assert.deepEqual([fields.return_code, fields.result_code], ['SUCCESS', 'FAIL']);
      assert.ok(0 < fields.err_code_des.length);
    });
    const asked = [];
    const stop = await world.nats.subscribe(`ask.v1.native.scanned.${name}`, ({ reply, payload }) => {
      asked.push(JSON.parse(payload.toString('utf8')));
      world.nats.publish(reply, JSON.stringify({ prepayId: PREPAY_ID }));
    });
    await table.check(`a scan of ${name} is answered with its prepaid order, signed with ${merchant.signType}`, async () => {
      const fields = verified(merchant, await scan(question));
      assert.deepEqual(
        [fields.return_code, fields.result_code, fields.appid, fields.mch_id, fields.prepay_id],
        ['SUCCESS', 'SUCCESS', merchant.appId, merchant.mchId, PREPAY_ID],
      );
      assert.equal(asked.length, 1);
      assert.deepEqual([asked[0].productId, asked[0].nonceStr], [PRODUCT, question.nonce_str]);
    });
    await table.check(`a scan of ${name} with a changed product is refused unsigned, and nobody is asked`, async () => {
      const { body } = await scan({ ...question, product_id: `${PRODUCT}0`.slice(1) });
      assert.deepEqual(fieldsOf(body), { return_code: 'FAIL', return_msg: 'sign_wrong' });
      assert.equal(asked.length, 1);
    });
    stop();
  }
}
