//! One process after the other dies at each point, in the middle of business.

use std::{os::unix::process::ExitStatusExt as _, pin::pin, process::ExitStatus, time::Duration};

use e2e::{Options, Part, World, checker::violations, eventually, story};
use futures::future::{Either, select};
use proto::bus::durables_of;
use tokio::time::Instant;

use super::{
    NOT_REACHED,
    business::{bookkeeping, business, dead_letters, settle},
    points::{points, sweepers},
};

/// How a process ends that called `abort`.
const SIGABRT: i32 = 6;

/// How soon the bus delivers again what a dead process held; it would take 30 s.
pub(super) const SOON: Duration = Duration::from_millis(250);

/// What a dead process holds is free when its lease is over, on the database's clock, which no command moves.
const LEASES_OF_ORDER_SVC: [&str; 5] = [
    "UPDATE requests SET claimed_until = now() WHERE now() < claimed_until",
    "UPDATE payments SET claimed_until = now() WHERE now() < claimed_until",
    "UPDATE refunds SET claimed_until = now() WHERE now() < claimed_until",
    "UPDATE repairs SET claimed_until = now() WHERE now() < claimed_until",
    "UPDATE outbox SET held_until = now() WHERE now() < held_until",
];
const LEASES_OF_RECONCILE_SVC: [&str; 1] = ["UPDATE runs SET lease_until = now() WHERE now() < lease_until"];

/// Lets each of these processes die at each of its points, at each of these passes, and prints what was seen.
///
/// # Panics
/// When a point is not passed, when a process ends in another way, or when the checker finds anything.
pub(super) fn sweep(parts: &'static [Part], hits: &'static [u32]) {
    let with_books = parts.contains(&Part::ReconcileSvc);
    let options = if with_books { Options::default().with_reconcile() } else { Options::default() };
    story(options, async |world| {
        let mut faults = Vec::new();
        for point in points() {
            for part in parts.iter().copied().filter(|part| sweepers(&point).contains(part)) {
                for hit in hits.iter().copied().filter(|hit| !NOT_REACHED.contains(&(part, point.as_str(), *hit))) {
                    let seen = Box::pin(crash(world, part, &point, hit)).await;
                    tell(part, &point, hit, &seen);
                    faults.extend(seen.err().map(|fault| format!("{part} {point}#{hit}: {fault}")));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    });
}

/// One line of the table of a sweep.
#[expect(clippy::print_stdout, reason = "whoever runs the sweep reads what was seen")]
fn tell(part: Part, point: &str, hit: u32, seen: &Result<String, String>) {
    let seen = seen.as_ref().map_or_else(|fault| format!("FAILED: {fault}"), Clone::clone);
    println!("{:<13} {point:<24} {hit}  {seen}", part.program());
}

/// One death. Says how it went, or what went wrong.
pub(super) async fn crash(world: &mut World, part: Part, point: &str, hit: u32) -> Result<String, String> {
    let place = format!("{point}#{hit}");
    let (said, started) = (world.log(part).len(), Instant::now());
    if world.ended(part).is_none() {
        world.kill(part);
    }
    world.start_with(part, &[("CRASH_AT", &place)]).await;
    let flow = async {
        business(world).await;
        if part == Part::ReconcileSvc {
            bookkeeping(world).await;
        }
        settle(world).await;
    };
    let mut death = match select(pin!(flow), pin!(world.ends(part))).await {
        Either::Left(((), _)) => None,
        Either::Right((status, flow)) => {
            let died = started.elapsed();
            tokio::join!(flow, comes_back(world, part));
            Some((status, died))
        }
    };
    world.options_mut().dead_letters += dead_letters(part);
    let mut found = violations(world).await;
    if death.is_none()
        && let Some(status) = world.ended(part)
    {
        // It died in its last step, when everybody had what they waited for.
        death = Some((status, started.elapsed()));
        comes_back(world, part).await;
        settle(world).await;
        found.extend(violations(world).await);
    }
    if !found.is_empty() {
        return Err(format!("the checker found: {}", found.join("; ")));
    }
    let Some((status, died)) = death else { return Err("the point was not passed so often".to_owned()) };
    let log = world.log(part);
    is_the_end(status, log.get(said..).unwrap_or_default(), &format!("crash point {point} hit {hit}"))?;
    let (died, all) = (died.as_millis(), started.elapsed().as_millis());
    Ok(format!("aborted after {died:>5} ms; settled after {all:>5} ms with 0 violations"))
}

/// Whether a process ended by its own abort, at the point where it was to.
fn is_the_end(status: ExitStatus, said: &str, expected: &str) -> Result<(), String> {
    if status.signal() != Some(SIGABRT) {
        return Err(format!("it ended with {status}"));
    }
    if said.lines().filter(|line| *line == expected).count() != 1 {
        return Err(format!("it did not say once: {expected}"));
    }
    Ok(())
}

/// Starts a process again that has died, frees what it held, and lets the bus deliver again what it did not ack.
pub(super) async fn comes_back(world: &World, part: Part) {
    let (database, leases): (_, &[_]) = match part {
        Part::OrderSvc => ("orders", &LEASES_OF_ORDER_SVC),
        Part::ReconcileSvc => ("reconcile", &LEASES_OF_RECONCILE_SVC),
        _ => ("", &[]),
    };
    for lease in leases {
        let pool = world.postgres.pool(database);
        sqlx::query(*lease).execute(&pool).await.unwrap_or_else(|error| panic!("{lease}: {error}"));
        pool.close().await;
    }
    world.start_with(part, &[]).await;
    if part == Part::OrderSvc || part == Part::ReconcileSvc {
        // It looks after its durables once more when it is connected, and would set its own time again.
        eventually("it has seen to its durables", async || {
            0 < world.metric(part, "bus_stream_checks_total", &[("outcome", "ok")]).await
        })
        .await;
    }
    let streams = world.streams().await;
    for durable in durables_of(part.program()) {
        streams.deliver_again_after(durable.name, SOON).await;
    }
}
