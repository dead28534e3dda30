//! Every story ends with the checker of [`payctl::verify`], which proves that no fen is missing. Here it is told what a story
//! may leave behind, and the world is given time to become quiet.

use payctl::verify::{Allowed, LedgerSource, Limits, Progress, Rule, Sources, Violation, Window, judge, look};

use crate::{Options, Part, World, eventually, world::client};

/// What the checker is told about a story.
fn allowed(options: &Options) -> Allowed {
    Allowed { dead_letters: options.dead_letters, unsettled: options.unsettled_ok, unknown: !options.all_known }
}

/// Looks at a whole world.
///
/// # Panics
/// With every violation, one per line; or when the world does not become quiet.
pub async fn check(world: &mut World) {
    let violations = violations(world).await;
    assert!(violations.is_empty(), "the checker found:\n- {}", violations.join("\n- "));
}

/// Everything that is wrong in a world, one sentence each, after the word of its rule.
///
/// # Panics
/// When a server is down, because then there is nothing to look at; or when the world does not become quiet.
pub async fn violations(world: &mut World) -> Vec<String> {
    for part in [Part::Postgres, Part::Nats, Part::Sandbox] {
        assert!(world.runs(part), "{part} is down: a story brings back what it took away");
    }
    let [order_svc_runs, reconcile_svc_runs] = [Part::OrderSvc, Part::ReconcileSvc].map(|part| world.runs(part));
    let (orders, reconcile) = (world.postgres.pool("orders"), world.postgres.pool("reconcile"));
    let sources = Sources {
        orders: orders.clone(),
        reconcile: Some(reconcile.clone()),
        jetstream: world.streams().await.jetstream().clone(),
        ledger: Some(LedgerSource { http: client(), url: world.sandbox.url().to_owned() }),
        order_svc_runs,
        reconcile_svc_runs,
    };
    let allowed = allowed(world.options());
    let (limits, progress) = (Limits::default(), Progress::silent());
    let quiet = async || {
        eventually("the world is quiet", async || {
            let evidence = look(&sources, &Window::EVERYTHING, &limits, &progress).await;
            let evidence = evidence.map_err(|error| format!("{error:#}"))?;
            let judged = [Rule::RefundState, Rule::Transition].map(|rule| rule.missing(&evidence));
            assert_eq!(judged, [None, None], "a rule that is skipped proves nothing");
            let found = judge(&evidence, &allowed);
            let under_way: Vec<_> = found.iter().filter(|violation| violation.rule.is_under_way()).collect();
            if under_way.is_empty() { Ok(sentences(&found)) } else { Err(sentences(under_way).join("; ")) }
        })
        .await
    };
    let mut found = quiet().await;
    if !found.is_empty() {
        // The bus is read after the database, and what happens in between looks wrong once. What is wrong stays wrong.
        let again = quiet().await;
        found.retain(|sentence| again.contains(sentence));
    }
    orders.close().await;
    reconcile.close().await;
    found
}

fn sentences<'v>(violations: impl IntoIterator<Item = &'v Violation>) -> Vec<String> {
    violations.into_iter().map(Violation::to_string).collect()
}
