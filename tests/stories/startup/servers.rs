//! Servers that are not there, or are not as they must be.

use std::{fs, process::Command, time::Duration};

use e2e::{
    Options, Part, World, eventually,
    nats::url,
    ports::Port,
    process::{Process, Signal},
    programs, story,
};
use tokio::net::TcpStream;

use super::{APPS, Ended, MERCHANTS, run};
use crate::restart::{is_paid_once, is_told};

/// Those that use the bus.
const ON_THE_BUS: [Part; 3] = [Part::NotifySvc, Part::OrderSvc, Part::ReconcileSvc];

#[test]
fn a_bus_that_would_lose_what_it_acked_is_refused() {
    story(Options::default(), async |world| {
        let careless = Bus::start(world, "careless", "jetstream { store_dir: \"DIR\" }").await;
        for part in ON_THE_BUS {
            let ended = run_on(world, part, &careless);
            assert!(ended.reason().contains("set `sync_interval: always`"), "{part}: {ended:?}");
        }
    });
}

#[test]
fn a_bus_without_streams_is_refused() {
    story(Options::default(), async |world| {
        let plain = Bus::start(world, "plain", "").await;
        for part in ON_THE_BUS {
            let ended = run_on(world, part, &plain);
            assert!(ended.reason().contains("has no JetStream"), "{part}: {ended:?}");
        }
    });
}

#[test]
fn a_database_that_does_not_exist_is_refused_without_telling_the_password() {
    story(Options::default(), async |world| {
        let port = world.addresses().postgres.number();
        let wrong = format!("postgres://tongbao:hunter2@127.0.0.1:{port}/nothing");
        let order = [("ORDER_DATABASE_URL", wrong.as_str()), ("APPS_FILE", APPS)];
        let reconcile = [("RECONCILE_DATABASE_URL", wrong.as_str())];
        for ended in [run(Part::OrderSvc, &[], &order), run(Part::ReconcileSvc, &[], &reconcile)] {
            assert!(ended.reason().contains("cannot use the Postgres database"), "{ended:?}");
            assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
        }
    });
}

#[test]
fn a_start_waits_for_the_database_with_a_message() {
    story(Options::default().with_reconcile(), async |world| {
        for part in [Part::OrderSvc, Part::ReconcileSvc] {
            world.stop(part);
        }
        world.stop(Part::Postgres);
        for part in [Part::OrderSvc, Part::ReconcileSvc] {
            world.start_unready(part);
            says(world, part, "waiting for the Postgres database").await;
        }
        // Nothing was accepted yet, so it can be stopped at once.
        world.stop(Part::ReconcileSvc);
        world.start(Part::Postgres).await;
        world.ready(Part::OrderSvc).await;
        world.start(Part::ReconcileSvc).await;
        it_works(world).await;
    });
}

#[test]
fn a_start_waits_for_the_bus_with_a_message() {
    story(Options::default(), async |world| {
        let parts = [Part::OrderSvc, Part::NotifySvc];
        for part in parts {
            world.stop(part);
        }
        world.stop(Part::Nats);
        for part in parts {
            world.start_unready(part);
            says(world, part, "waiting for NATS").await;
        }
        world.start(Part::Nats).await;
        for part in parts {
            world.ready(part).await;
        }
        it_works(world).await;
    });
}

#[test]
fn order_svc_is_ready_only_when_it_knows_the_merchants() {
    story(Options::default(), async |world| {
        world.stop(Part::OrderSvc);
        world.stop(Part::PayGateway);
        world.start_unready(Part::OrderSvc);
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(Duration::from_secs(10));
        let client = client.build().expect("a client without certificates");
        let readyz = format!("{}/readyz", world.addresses().order_admin.url());
        eventually("it says what it waits for", async || {
            let answer = client.get(&readyz).send().await.map_err(|error| error.to_string())?;
            let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
            let others_are_ready = !text.contains("postgres");
            if status == 503 && text.contains("merchants") && others_are_ready { Ok(()) } else { Err(text) }
        })
        .await;
        world.start(Part::PayGateway).await;
        world.ready(Part::OrderSvc).await;
        it_works(world).await;
    });
}

/// Another nats-server than the world's.
struct Bus {
    _process: Process,
    port: Port,
    monitor: Port,
}

impl Bus {
    async fn start(world: &World, name: &str, jetstream: &str) -> Self {
        let (port, monitor) = (Port::reserve(), Port::reserve());
        let file = |ending: &str| world.folder().join(format!("{name}.{ending}"));
        let jetstream = jetstream.replace("DIR", &file("data").display().to_string());
        let text = format!("listen: \"{}\"\nhttp: \"{}\"\n{jetstream}\n", port.address(), monitor.address());
        fs::write(file("conf"), text).expect("the world's folder can be written");
        let mut command = Command::new(programs::nats_server());
        command.arg("-c").arg(file("conf"));
        let mut process = Process::start(name, command, &file("log"), Signal::Kill);
        eventually("the other nats-server listens", async || {
            assert!(process.runs(), "the other nats-server ended");
            TcpStream::connect(port.address()).await?;
            TcpStream::connect(monitor.address()).await
        })
        .await;
        Self { _process: process, port, monitor }
    }
}

fn run_on(world: &World, part: Part, bus: &Bus) -> Ended {
    let (orders, reconcile) = (world.postgres.url("orders"), world.postgres.url("reconcile"));
    let (nats, monitor) = (url(&bus.port), bus.monitor.url());
    let settings = [
        ("NATS_URL", nats.as_str()),
        ("NATS_MONITOR_URL", monitor.as_str()),
        ("MERCHANTS_DIR", MERCHANTS),
        ("APPS_FILE", APPS),
        ("ORDER_DATABASE_URL", orders.as_str()),
        ("RECONCILE_DATABASE_URL", reconcile.as_str()),
    ];
    run(part, &[], &settings)
}

async fn says(world: &World, part: Part, words: &str) {
    eventually(&format!("{part} says: {words}"), async || world.log(part).contains(words)).await;
}

async fn it_works(world: &World) {
    let cashier = world.open_cashier(100).await;
    cashier.pay().await;
    is_told(world, cashier.out_trade_no()).await;
    is_paid_once(world, &cashier).await;
}
