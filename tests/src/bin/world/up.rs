//! Starts a new world on the documented ports, and leaves it running.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use e2e::{
    Options, World,
    world::{Addresses, Links, Plan},
};

use crate::{down, folders, recorded};

/// Longer than a closed connection keeps its number.
const LOAN_TIME: Duration = Duration::from_secs(90);
const LOAN_PAUSE: Duration = Duration::from_secs(2);

pub(crate) async fn run() -> anyhow::Result<()> {
    let _alone = folders::alone("up")?;
    let before = recorded::read()?;
    if !before.is_empty() && before.iter().all(recorded::Recorded::runs) {
        println!("it is up already; `make down` ends it");
        tell(&Addresses::documented());
        return Ok(());
    }
    if !before.is_empty() {
        println!("a part of an earlier world has ended; ending the rest of it");
        down::end()?;
    }
    ports_are_free().await?;
    let (folder, postgres_data) = (folders::folder("up"), folders::postgres_data());
    // The sandbox begins with an empty ledger, and books that remember more than WeChat does would only confuse.
    folders::remove(&folder)?;
    folders::remove(&postgres_data)?;

    println!("starting Postgres, nats-server, sandbox, pay-gateway, notify-svc, order-svc, reconcile-svc …");
    let options = Options { reconcile: true, reconcile_by_itself: true, ..Options::default() };
    let plan = Plan {
        folder: folder.clone(),
        postgres_data,
        keep: true,
        addresses: Addresses::documented(),
        options: options.asking(Options::REAL_SCHEDULE),
        links: Links::default(),
    };
    let world = World::begin(plan).await;
    recorded::write(&world.processes())?;
    world.leave_running();
    println!("up; logs are in {}, and `make down` ends it", folder.display());
    tell(&Addresses::documented());
    Ok(())
}

/// Some of the documented numbers are among those that systems lend to outgoing connections. Such a loan ends by itself;
/// somebody who listens does not.
async fn ports_are_free() -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let taken = Addresses::documented_taken();
        if taken.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = taken.iter().map(|(port, name)| format!("{} ({name})", port.number())).collect();
        let names = names.join(", ");
        if taken.iter().any(|(port, _)| port.answers()) || LOAN_TIME < began.elapsed() {
            return Err(anyhow!("these ports are taken by somebody else: {names}"));
        }
        println!("waiting for ports that outgoing connections of this machine hold: {names}");
        tokio::time::sleep(LOAN_PAUSE).await;
    }
}

fn tell(at: &Addresses) {
    let order = at.order.address();
    println!(
        "
the teams' API     {order}  (gRPC, with reflection)
the bus            nats://{}  (monitor {})
WeChat's side      {}/  (open payments with a pay button, refunds, callbacks; a phone at /phone)
  over TLS         {}/  (the same, and what wants a merchant's certificate)
reports            {}/
callbacks go to    {}/notify/wechat-v2/<merchant>/payment
reconciliation     {}  (gRPC)
Postgres           postgres://tongbao@{}/orders and /reconcile
health, metrics    {} order-svc, {} pay-gateway, {} notify-svc, {} reconcile-svc

an order, its QR code, and what becomes of it (export ORDER_TOKEN=shop-development-token):
  target/debug/payctl order create --order-no S-1 --merchant acme-mini --amount-fen 990 --description 'Dragon Well tea'
  target/debug/payctl order pay S-1 --app-id wxac3e0000000000a1 native
  target/debug/payctl order watch S-1
the user's phone:
  {}/phone
what everybody hears:
  target/debug/payctl events tail --follow
the next day (reports come from 10:00 in Beijing on; move on until then):
  target/debug/payctl trigger clock +1d",
        at.nats.address(),
        at.nats_monitor.url(),
        at.sandbox.url(),
        at.sandbox_tls.tls_url(),
        at.report.url(),
        at.notify.url(),
        at.reconcile.address(),
        at.postgres.address(),
        at.order_admin.url(),
        at.gateway_admin.url(),
        at.notify_admin.url(),
        at.reconcile_admin.url(),
        at.sandbox.url(),
    );
}
