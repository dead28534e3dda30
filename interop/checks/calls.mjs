// The client's own calls, over TLS, against the sandbox: it signs, we verify; we sign, it verifies.

import assert from 'node:assert/strict';

import { Formatter, Merchant } from '../lib/merchants.mjs';
import { until } from '../lib/world.mjs';

const DAY_MS = 86_400_000;

/// A number that nobody has used.
const number = (name) => `interop-${name}-${Formatter.nonce(12)}`;

const BEIJING_MS = 8 * 3_600_000;

/// Moves WeChat's clock to the next noon in Beijing, and gives the civil date before that.
async function nextNoon(world) {
  const { now } = await world.command('clock', { advance_ms: 0 });
  const beijing = Date.parse(now) + BEIJING_MS;
  await world.command('clock', { advance_ms: Math.ceil(1.5 * DAY_MS - (beijing % DAY_MS)) });
  return new Date(beijing).toISOString().slice(0, 10).replaceAll('-', '');
}

/// What a business refusal of the client says.
async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('the call went through');
}

export async function calls(world, table) {
  for (const name of ['acme-mini', 'acme-shop']) {
    await sales(world, table, new Merchant(name));
  }
}

async function sales(world, table, merchant) {
  const { name, fields, signType } = merchant;
  // What is sold and given back here is to stand in one bill.
  await nextNoon(world);
  const client = merchant.client(world.wechat);
  const [paid, unpaid] = [number('paid'), number('unpaid')];
  const order = (outTradeNo) => ({
    ...fields,
    body: '龙井茶 <春茶> & "新茶"',
    notify_url: `https://pay.example.com/notify/wechat-v2/${name}/payment`,
    openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
    out_trade_no: outTradeNo,
    spbill_create_ip: '203.0.113.7',
    total_fee: '990',
    trade_type: 'JSAPI',
  });
  const query = async (outTradeNo) => (await client.pay.orderquery.post({ ...fields, out_trade_no: outTradeNo })).data;
  const check = (what, run) => table.check(`${name} (${signType}): ${what}`, run);

  await check('unified order', async () => {
    for (const outTradeNo of [paid, unpaid]) {
      const { data } = await client.pay.unifiedorder.post(order(outTradeNo));
      assert.equal(data.trade_type, 'JSAPI');
      assert.match(data.prepay_id, /^wx/);
    }
  });
  await check('the same number with another amount is refused', async () => {
    const error = await refusal(client.pay.unifiedorder.post({ ...order(paid), total_fee: '1' }));
    assert.equal(error.code, 'EV2_RES_STATUS_CODE_NOT_SUCESS');
    assert.ok(['INVALID_REQUEST', 'OUT_TRADE_NO_USED'].includes(error.response.data.err_code), error.response.data.err_code);
  });
  await check('a request that is signed with another key is refused', async () => {
    const error = await refusal(merchant.client(world.wechat, 'x'.repeat(32)).pay.unifiedorder.post(order(number('forged'))));
    assert.equal(error.response.data.return_code, 'FAIL');
  });
  await check('query before the payment', async () => {
    assert.equal((await query(paid)).trade_state, 'NOTPAY');
  });
  await check('the payment\'s callback is a fact on the bus', async () => {
    await world.command(`payments/${paid}/pay`);
    const fact = await until('the fact is on the bus', async () => {
      const newest = await world.newest('PAY', `pay.v1.payment.paid.${name}`);
      return newest?.outTradeNo === paid ? newest : undefined;
    });
    assert.deepEqual([fact.amountFen, fact.mchId, fact.appId], ['990', merchant.mchId, merchant.appId]);
  });
  await check('query after the payment', async () => {
    const data = await query(paid);
    assert.deepEqual([data.trade_state, data.total_fee, data.out_trade_no], ['SUCCESS', '990', paid]);
  });
  await check('close', async () => {
    // WeChat closes an order only five minutes after it was made.
    await world.command('clock', { advance_ms: 6 * 60_000 });
    await client.pay.closeorder.post({ ...fields, out_trade_no: unpaid });
    assert.equal((await query(unpaid)).trade_state, 'CLOSED');
    const error = await refusal(client.pay.closeorder.post({ ...fields, out_trade_no: paid }));
    assert.equal(error.response.data.err_code, 'ORDERPAID');
  });

  const refundNumber = number('refund');
  const refund = { ...fields, out_refund_no: refundNumber, out_trade_no: paid, refund_fee: '300', total_fee: '990' };
  await check('a refund without the client certificate is refused', async () => {
    const error = await refusal(client.secapi.pay.refund.post(refund));
    assert.equal(error.response?.status, 400, error.message);
  });
  await check('refund with the client certificate', async () => {
    const { data } = await client.secapi.pay.refund.post(refund, { security: true });
    assert.deepEqual([data.out_refund_no, data.refund_fee, data.total_fee], [refundNumber, '300', '990']);
  });
  await check('the refund repeated is the same refund', async () => {
    const first = (await client.secapi.pay.refund.post(refund, { security: true })).data.refund_id;
    assert.equal((await client.secapi.pay.refund.post(refund, { security: true })).data.refund_id, first);
  });
  await check('refund query', async () => {
    const { data } = await client.pay.refundquery.post({ ...fields, out_refund_no: refundNumber });
    assert.deepEqual([data.out_refund_no_0, data.refund_fee_0, data.refund_count], [refundNumber, '300', '1']);
    assert.ok(['PROCESSING', 'SUCCESS'].includes(data.refund_status_0), data.refund_status_0);
  });

  await check('bill of the day, raw', async () => {
    // A bill is made in the morning after.
    const day = await nextNoon(world);
    const asked = { ...fields, bill_date: day, bill_type: 'ALL' };
    const { data } = await client.pay.downloadbill.post(asked, { transformResponse: [] });
    const lines = String(data).replace(/^\ufeff/, '').split('\r\n');
    assert.match(lines[0], /^交易时间,公众账号ID,商户号,特约商户号,/);
    const rows = lines.filter((line) => line.includes(`\`${paid},`));
    assert.deepEqual(rows.map((row) => row.split(',`')[9]), ['SUCCESS', 'REFUND'], data);
    assert.match(data, /总交易单数,应结订单总金额,/);
  });
  await check('a day without a bill', async () => {
    const asked = { ...fields, bill_date: '20200101', bill_type: 'ALL' };
    const error = await refusal(client.pay.downloadbill.post(asked));
    assert.equal(error.response.data.return_code, 'FAIL');
  });
}
