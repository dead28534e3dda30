// Starts nats-server, the sandbox and notify-svc on free ports, lets an independent client speak with them, and says what held.

import { World } from './lib/world.mjs';
import { Table } from './lib/table.mjs';
import { paymentNotices } from './checks/payment_notices.mjs';
import { refundNotices } from './checks/refund_notices.mjs';
import { nativeScans } from './checks/native_scans.mjs';
import { calls } from './checks/calls.mjs';

const [programs] = process.argv.slice(2);
const table = new Table();
const world = await World.start(programs).catch((error) => {
  console.error(`interop: ${error.message}`);
  process.exit(1);
});
try {
  // The sandbox sends no callback before `calls`, so what stands on the stream until then is what the first three put there.
  for (const checks of [paymentNotices, refundNotices, nativeScans, calls]) {
    await checks(world, table);
  }
} catch (error) {
  table.broke(error);
} finally {
  await world.end();
}
table.print();
if (table.holds()) {
  world.forget();
} else {
  console.error(`interop: logs are in ${world.folder}`);
}
process.exit(table.holds() ? 0 : 1);
