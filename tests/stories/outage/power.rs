//! The power of NATS is cut in a running world.

use std::{fs, process::Command};

use e2e::{
    Options, Part, World,
    disk::{Disk, skipped},
    eventually,
    sandbox_client::CallbackState,
    selling::Cashier,
    story,
};
use futures::future::join_all;

use crate::restart::{is_paid_once, is_told};

/// Payments about the moment of the cut.
const PAYMENTS: usize = 16;

/// Acks that were on their way to the server are lost with it, so this may take the 30 s of the durable's `ack_wait`.
#[test]
fn nothing_that_was_answered_with_success_is_lost_when_the_power_of_the_bus_is_cut() {
    story(Options::default(), async |world| {
        let Some(disk) = gets_its_own_disk(world).await else { return };
        let cashiers = join_all((1..).take(PAYMENTS).map(|amount_fen| world.open_cashier(amount_fen))).await;
        let paying: Vec<_> =
            cashiers.iter().cloned().map(|cashier| tokio::spawn(async move { cashier.pay().await })).collect();
        eventually("WeChat has read success, and not for all", async || 0 < successes(world).await).await;
        let before = successes(world).await;

        let frozen = world.nats.freeze();
        let image = disk.copy(&frozen);
        drop(frozen);
        world.kill(Part::Nats);
        drop(disk);
        let disk = image.mount(&world.folder().join("nats")).expect("a disk could be mounted before");
        world.keep(disk);
        for paid in paying {
            paid.await.expect("the user pays");
        }
        world.start(Part::Nats).await;
        let kept = world.facts("pay.v1.payment.paid.>").await.len();
        assert!(before <= kept, "{before} callbacks were answered with success, and {kept} facts are there");

        world.ready(Part::NotifySvc).await;
        for cashier in &cashiers {
            is_told(world, Cashier::out_trade_no(cashier)).await;
            is_paid_once(world, cashier).await;
        }
        // The checker finds every event of every order, though the outbox forgot them at their acks.
        assert_eq!(world.facts("pay.v1.payment.paid.>").await.len(), PAYMENTS);
    });
}

async fn successes(world: &World) -> usize {
    let callbacks = world.sandbox.ledger().await.callbacks;
    callbacks.iter().filter(|callback| callback.state == CallbackState::Delivered).count()
}

/// Puts the data of NATS onto a disk whose power can be cut; `None` where the machine has no such thing.
async fn gets_its_own_disk(world: &mut World) -> Option<Disk> {
    let (data, aside) = (world.folder().join("nats"), world.folder().join("nats-before"));
    world.stop(Part::Nats);
    fs::rename(&data, &aside).expect("the world's folder is ours");
    let disk = Disk::try_at(&data);
    let from = if disk.is_ok() { aside.join(".") } else { aside.clone() };
    let copied = Command::new("cp").arg("-a").arg(from).arg(&data).status();
    assert!(copied.is_ok_and(|status| status.success()), "the data of the stopped server can be copied");
    if let Ok(disk) = &disk {
        disk.settle();
    }
    world.start(Part::Nats).await;
    for part in [Part::NotifySvc, Part::OrderSvc] {
        world.ready(part).await;
    }
    disk.inspect_err(|why| skipped(why)).ok()
}
