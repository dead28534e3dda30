// The service that a team would write instead of ours: it receives WeChat Pay v2 payment notices and marks orders paid,
// in one transaction each, and answers SUCCESS after the commit. Fastify took about a third less processor time for a
// notice than Express 5; `tenpay` reads and verifies what arrives; `pg` speaks to Postgres.
//
// PEER_PORT (0: any free one), PEER_DATABASE_URL, PEER_MCH_ID, PEER_APP_ID, PEER_API_KEY, PEER_WORKERS (1: one plain
// process), and PEER_ONE_STATEMENT (1: one statement instead of a transaction of four: faster, and few write it so).
// Run it with NODE_ENV=production. It prints `listening PORT` once it can be called, and ends on SIGTERM.
//
// `tenpay` takes a notice without `sign_type` for MD5, so an account that signs with HMAC-SHA256 is not served.

import cluster from 'node:cluster';

import Fastify from 'fastify';
import pg from 'pg';
import Tenpay from 'tenpay';

/// Connections to Postgres of one process. 8 and 32 were no faster.
const POOL_SIZE = 16;
/// No notice is longer; a longer body is answered with 413.
const BODY_LIMIT_BYTES = 64 * 1024;

const TABLES = `
  CREATE TABLE IF NOT EXISTS peer_orders (
    out_trade_no text PRIMARY KEY,
    amount_fen bigint NOT NULL,
    state text NOT NULL,
    transaction_id text,
    paid_time timestamptz
  );
  CREATE TABLE IF NOT EXISTS peer_notices (
    transaction_id text PRIMARY KEY,
    received_at timestamptz DEFAULT now()
  )`;

// A statement with a name is prepared once on each connection.
const INSERT_NOTICE = {
  name: 'insert_notice',
  text: 'INSERT INTO peer_notices (transaction_id) VALUES ($1) ON CONFLICT DO NOTHING',
};
const PAY_ORDER = {
  name: 'pay_order',
  text: `UPDATE peer_orders SET state = 'PAID', transaction_id = $1, paid_time = $2
         WHERE out_trade_no = $3 AND state = 'PENDING' AND amount_fen = $4`,
};
const PAY_AT_ONCE = {
  name: 'pay_at_once',
  text: `WITH paid AS (${PAY_ORDER.text} RETURNING transaction_id)
         INSERT INTO peer_notices (transaction_id) SELECT transaction_id FROM paid`,
};
const FIND_NOTICE = { name: 'find_notice', text: 'SELECT FROM peer_notices WHERE transaction_id = $1' };

const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>';

const setting = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

/// What a verified notice says, in the types of the tables; undefined when that is no payment.
function payment({ transaction_id, out_trade_no, total_fee, time_end, fee_type = 'CNY' }) {
  // An element that occurs twice is an array here.
  const fields = [transaction_id, out_trade_no, total_fee, time_end];
  if (!fields.every((value) => typeof value === 'string' && value !== '')) return undefined;
  if (fee_type !== 'CNY' || !/^[0-9]{1,10}$/.test(total_fee)) return undefined;
  const time = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(time_end);
  if (!time) return undefined;
  const [, year, month, day, hour, minute, second] = time;
  const paidTime = `${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`;
  return { transactionId: transaction_id, outTradeNo: out_trade_no, amountFen: total_fee, paidTime };
}

/// Writes a payment down. True when it is in the books now, by this notice or by an earlier one.
async function apply(pool, { transactionId, outTradeNo, amountFen, paidTime }) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const notice = await client.query({ ...INSERT_NOTICE, values: [transactionId] });
    if (notice.rowCount === 1) {
      const order = await client.query({ ...PAY_ORDER, values: [transactionId, paidTime, outTradeNo, amountFen] });
      if (order.rowCount !== 1) {
        await client.query('ROLLBACK');
        client.release();
        return false;
      }
    }
    await client.query('COMMIT');
    client.release();
    return true;
  } catch (error) {
    // The connection is closed, and Postgres rolls back what was begun on it.
    client.release(error);
    throw error;
  }
}

/// The same in one round trip: an order is paid and its notice written, or neither. What pays nothing is looked up.
async function applyAtOnce(pool, { transactionId, outTradeNo, amountFen, paidTime }) {
  const paid = await pool.query({ ...PAY_AT_ONCE, values: [transactionId, paidTime, outTradeNo, amountFen] });
  if (paid.rowCount === 1) return true;
  const earlier = await pool.query({ ...FIND_NOTICE, values: [transactionId] });
  return earlier.rowCount === 1;
}

function service(pool) {
  const tenpay = Tenpay.init({
    appid: setting('PEER_APP_ID'),
    mchid: setting('PEER_MCH_ID'),
    partnerKey: setting('PEER_API_KEY'),
  });
  const verify = tenpay.middlewareForExpress('pay');
  const write = process.env.PEER_ONE_STATEMENT === '1' ? applyAtOnce : apply;
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES });
  // WeChat's Content-Type says nothing reliable.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const notify = {
    // Of Express it wants no more than `body`, `header` and `send`, which Fastify has, too. It answers FAIL itself.
    preHandler: (request, reply, done) => {
      verify(request, reply, done);
    },
    handler: async (request, reply) => {
      const paid = payment(request.weixin);
      if (!paid) {
        reply.reply('not a payment in CNY');
        return reply;
      }
      try {
        if (!(await write(pool, paid))) {
          reply.reply('no such order waits for this amount');
          return reply;
        }
      } catch (error) {
        console.error(`peer: ${error.message}`);
        reply.reply('try again');
        return reply;
      }
      return reply.header('Content-Type', 'application/xml; charset=utf-8').send(SUCCESS);
    },
  };
  app.post('/notify', notify);
  app.post('/notify/*', notify);
  return app;
}

/// Serves in this process until SIGTERM. Returns the port.
async function serve() {
  const pool = new pg.Pool({ connectionString: setting('PEER_DATABASE_URL'), max: POOL_SIZE });
  // An idle connection that Postgres closes is replaced when it is wanted.
  pool.on('error', (error) => console.error(`peer: ${error.message}`));
  const app = service(pool);
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PEER_PORT ?? 0) });
  process.once('SIGTERM', async () => {
    await app.close();
    await pool.end();
    // What ties a worker to the first process keeps it alive.
    cluster.worker?.disconnect();
  });
  return app.server.address().port;
}

async function createTables() {
  const client = new pg.Client({ connectionString: setting('PEER_DATABASE_URL') });
  await client.connect();
  await client.query(TABLES);
  await client.end();
}

/// Starts workers that share one port. Returns the port once all of them listen.
async function serveWithWorkers(count) {
  let ending = false;
  process.once('SIGTERM', () => {
    ending = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
  cluster.on('exit', (worker) => {
    if (ending) return;
    console.error(`peer: worker ${worker.process.pid} ended on its own`);
    for (const other of Object.values(cluster.workers)) other.process.kill('SIGTERM');
    process.exit(1);
  });
  const ports = Array.from({ length: count }, () => new Promise((resolve) => {
    cluster.fork().once('listening', ({ port }) => resolve(port));
  }));
  return (await Promise.all(ports))[0];
}

if (cluster.isWorker) {
  await serve();
} else {
  const workers = Number(process.env.PEER_WORKERS ?? 1);
  if (!Number.isInteger(workers) || workers < 1) throw new Error('PEER_WORKERS is not a whole number above 0');
  await createTables();
  const port = workers === 1 ? await serve() : await serveWithWorkers(workers);
  console.log(`listening ${port}`);
}
