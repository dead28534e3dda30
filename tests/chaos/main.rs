//! The short form of `make chaos`, and what must fail in it.

use std::{
    env,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use e2e::{
    Part,
    chaos::{Kind, Run},
    sandbox_client::{Fault, FaultPoint},
};

/// Drawn once; `CHAOS_SEED` overrides it.
const SEED: u64 = 20_261_129;
/// How long faults go on.
const TIME: Duration = Duration::from_secs(45);

/// One run at a time: each is measured by a machine of its own.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn load_and_faults_of_every_kind_at_one_time_leave_nothing_wrong() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = env::var("CHAOS_SEED").ok().map_or(SEED, |seed| seed.parse().expect("CHAOS_SEED is a number"));
    let report = Run::short(seed, TIME).go();
    assert!(report.is_clean(), "seed {}: {:#?}", report.seed, report.failed);
}

/// A payment that nobody made, and an event that nobody applied.
const TAMPERING: [&str; 2] = [
    "UPDATE payments SET state = 'SUCCEEDED', transaction_id = '4200000000000000000000000000', paid_time = now()
     WHERE payment_id = (SELECT payment_id FROM payments WHERE state = 'PENDING' OR state = 'CLOSED' LIMIT 1)",
    "DELETE FROM applied_events WHERE event_id = (SELECT event_id FROM applied_events LIMIT 1)",
];

#[test]
fn a_fault_that_cannot_strike_and_books_that_lie_each_fail_a_run() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Nobody logs in by a code here, so WeChat is never asked for that.
    let never = Kind::WeChat(FaultPoint::JsCode2Session, Fault::Redirect);
    let kinds = vec![Kind::Kill(Part::NotifySvc), Kind::WeChat(FaultPoint::Callback, Fault::Lose), never.clone()];
    let report = Run { seed: SEED, time: Duration::from_secs(6), kinds, tampering: &TAMPERING }.go();
    let not_observed = format!("observed: {never}");
    assert_eq!(report.failed[&not_observed], ["not observed"]);
    for rule in ["paid_without_money", "paid_without_fact", "kept_payment", "unapplied"] {
        assert!(report.failed.contains_key(rule), "{rule} did not notice: {:#?}", report.failed);
    }
    for kept in ["observed: kill notify-svc", "observed: callback lose", "quiet", "equal_answers", "sequence"] {
        assert!(report.passed.iter().any(|passed| passed == kept), "{kept}: {:#?}", report.failed);
    }
    // It failed as it should, so nobody needs to look into it.
    std::fs::remove_dir_all(&report.folder).expect("the world's folder is ours");
}
