//! Proves that no fen is missing: the promises of the design, as code over three witnesses that cannot all be wrong in the
//! same way. WeChat's own ledger says what was really paid, Postgres says what we believe, the streams say what we told.
//!
//! [`check`] runs at the end of every story. It waits until nothing is on its way, gathers the [`Evidence`], and judges it;
//! the judgement is a pure function, so a test can show that each rule is able to fail.

mod books;
mod evidence;
mod judge;
mod rows;

pub use books::Books;
pub use evidence::Evidence;
pub use judge::judge;
pub use rows::{OrderRow, PaymentRow};

use crate::{Options, Part, World, eventually};

/// What a story may leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Dead letters that must be there.
    pub dead_letters: usize,
    /// Money that WeChat has and no order of ours knows about.
    pub unsettled: bool,
}

impl From<&Options> for Allowed {
    fn from(options: &Options) -> Self {
        Self { dead_letters: options.dead_letters, unsettled: options.unsettled_ok }
    }
}

/// Looks at a whole world.
///
/// # Panics
/// With every violation, one per line; or when the world does not become quiet.
pub async fn check(world: &mut World) {
    let violations = violations(world).await;
    assert!(violations.is_empty(), "the checker found:\n- {}", violations.join("\n- "));
}

/// Everything that is wrong in a world, one sentence each.
///
/// # Panics
/// When a server is down, because then there is nothing to look at; or when the world does not become quiet.
pub async fn violations(world: &mut World) -> Vec<String> {
    for part in [Part::Postgres, Part::Nats, Part::Sandbox] {
        assert!(world.runs(part), "{part} is down: a story brings back what it took away");
    }
    let quiet = [Part::OrderSvc, Part::ReconcileSvc].map(|part| world.runs(part));
    let allowed = Allowed::from(world.options());
    let world = &*world;
    let (orders, reconcile) = (world.postgres.pool("orders"), world.postgres.pool("reconcile"));
    let streams = world.streams().await;
    let evidence = eventually("the world is quiet", async || {
        evidence::gather(&world.sandbox, &streams, &orders, &reconcile, quiet).await
    })
    .await;
    orders.close().await;
    reconcile.close().await;
    judge(&evidence, allowed)
}
