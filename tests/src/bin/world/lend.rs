//! A world for another program, as long as that holds our stdin open.

use std::{io, path::Path};

use anyhow::Context as _;
use e2e::{
    Options, World,
    world::{Addresses, Part, Plan},
};

use crate::folders;

pub(crate) async fn run(folder: &Path) -> anyhow::Result<()> {
    folders::remove(folder)?;
    let mut plan = Plan::temporary(folder, Options::default().asking(Options::REAL_SCHEDULE));
    // A browser tells a page without TLS nothing about the page with TLS that it comes from, and an H5 link lies where
    // pay-gateway asked for it.
    let wechat = plan.addresses.sandbox_tls.tls_url();
    plan.options = plan.options.setting(Part::PayGateway, "WECHAT_V2_URL", wechat);
    let world = World::begin(plan).await;
    println!("{}", told(world.addresses()));
    // Whoever started us may end in any way: its end of the pipe then closes, too.
    let held = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    held.await.context("nobody waited for the end of stdin")?.context("cannot read stdin")?;
    world.end();
    Ok(())
}

fn told(at: &Addresses) -> serde_json::Value {
    serde_json::json!({
        "order": at.order.address(),
        "gateway": at.gateway.address(),
        "notify": at.notify.url(),
        "sandbox": at.sandbox.url(),
        "sandbox_tls": at.sandbox_tls.tls_url(),
        "nats": at.nats.address(),
    })
}
