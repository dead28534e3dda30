//! Everything in turns, so that a slow minute of the machine is everybody's.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use e2e::Part;

use crate::{
    calls::Drained,
    machine::Statement,
    notices::Says,
    orders,
    peer::{Form, Peer},
    stage::Stage,
    table::{Measure, Samples},
};

/// Most callbacks of one run that have orders: memory and disk have limits.
const MOST: usize = 400_000;

/// Connections over which callbacks come, ours and the peer's: WeChat does not wait for one answer before it sends the next notice.
pub(crate) const MANY: &str = "512";

/// Callers on each of the four connections of teams, who do not wait for each other's answers.
const MANY_CALLERS: &str = "64";

pub(crate) async fn measure(stage: &mut Stage) -> anyhow::Result<Samples> {
    stage.prepare_machine().await?;
    let mut samples = Samples::new();
    let rounds = stage.arguments.rounds;
    // How many bodies a run needs is guessed from the last one: they are signed before it begins.
    let mut guess = Guess { callbacks: 6_000, whole: 6_000, peer: 6_000, plain: 20_000 };
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        let mut found = Found(&mut samples);
        machine(stage, &mut found).await?;
        callbacks(stage, &mut found, &mut guess).await?;
        verify_tax(stage, &mut found, &mut guess).await?;
        calls(stage, &mut found).await?;
        whole(stage, &mut found, &mut guess).await?;
        peer(stage, &mut found, &mut guess).await?;
    }
    Ok(samples)
}

/// Per second.
struct Guess {
    callbacks: u64,
    whole: u64,
    peer: u64,
    plain: u64,
}

impl Guess {
    /// Enough for a run that is half as fast again as the last.
    fn bodies(stage: &Stage, per_second: u64) -> usize {
        let wanted = per_second * stage.arguments.ms / 1000 * 3 / 2;
        usize::try_from(wanted).unwrap_or(MOST).min(MOST)
    }
}

struct Found<'a>(&'a mut Samples);

impl Found<'_> {
    fn note(&mut self, measure: Measure, value: u64) {
        println!("  {measure:?}: {value}");
        self.0.entry(measure).or_default().push(value);
    }
}

async fn machine(stage: &mut Stage, found: &mut Found<'_>) -> anyhow::Result<()> {
    stage.stopped(Part::OrderSvc);
    found.note(Measure::Updates, stage.commits(Statement::Update).await?);
    found.note(Measure::Inserts, stage.commits(Statement::Insert).await?);
    found.note(Measure::Publishes, stage.single_publishes().await?);
    let (commit, ack) = stage.durable_steps().await?;
    found.note(Measure::DurableSteps, commit + ack);
    Ok(())
}

/// Callbacks while nobody consumes; then what they made waits for order-svc, once with everything beside it and once alone; then the
/// events of the second time wait for the relay.
async fn callbacks(stage: &mut Stage, found: &mut Found<'_>, guess: &mut Guess) -> anyhow::Result<()> {
    if !stage.wants(&[
        "callbacks in",
        "callbacks in, 32",
        "facts applied",
        "facts applied, told",
        "outbox relay",
        "beside Node",
    ]) {
        return Ok(());
    }
    let facts = call_back(stage, guess, &[]).await?;
    found.note(Measure::CallbacksOfFew, facts.per_second());
    let drained = applied(stage, facts.good, &[]).await?;
    found.note(Measure::AppliedAndTold, drained.applied);

    stage.stopped(Part::OrderSvc);
    let facts = call_back(stage, guess, &["--connections", MANY]).await?;
    found.note(Measure::Callbacks, facts.per_second());
    let drained = applied(stage, facts.good, &[("PUBLISH_EVENTS", "false")]).await?;
    found.note(Measure::Applied, drained.applied);

    stage.stopped(Part::OrderSvc);
    orders::tidy(&stage.orders, &["outbox", "outbox_archive"]).await?;
    let drained = stage.drain(0, facts.good, &[]).await?;
    found.note(Measure::Relayed, drained.published);
    stage.quiet().await;
    Ok(())
}

async fn call_back(stage: &Stage, guess: &mut Guess, more: &[&str]) -> anyhow::Result<e2e::load::Outcome> {
    let numbers = stage.template.copies(&stage.orders, Guess::bodies(stage, guess.callbacks)).await?;
    let bodies = stage.notices("notices", Says::Paid, &numbers)?;
    let outcome = stage.call_back(&bodies, more).await?;
    guess.callbacks = outcome.per_second();
    Ok(outcome)
}

/// Lets order-svc apply so many facts that wait. As many orders are paid.
async fn applied(stage: &mut Stage, facts: u64, environment: &[(&str, &str)]) -> anyhow::Result<Drained> {
    let before = orders::paid(&stage.orders).await?;
    let events = if environment.is_empty() { facts } else { 0 };
    let drained = stage.drain(facts, events, environment).await?;
    if environment.is_empty() {
        stage.quiet().await;
    }
    let paid = u64::try_from(orders::paid(&stage.orders).await? - before)?;
    ensure!(paid == facts, "{facts} callbacks were answered with success, {paid} orders are paid");
    Ok(drained)
}

async fn verify_tax(stage: &mut Stage, found: &mut Found<'_>, guess: &mut Guess) -> anyhow::Result<()> {
    if !stage.wants(&["verify tax"]) {
        return Ok(());
    }
    let count = Guess::bodies(stage, guess.plain);
    let numbers: Vec<String> = (0..count).map(|_| uuid::Uuid::now_v7().simple().to_string()).collect();
    let bodies = stage.notices("not-paid", Says::NotPaid, &numbers)?;
    let verified = stage.call_back(&bodies, &[]).await?;
    found.note(Measure::Verified, verified.per_second());
    let address = stage.world.addresses().notify.address();
    let nobody = ["--status", "404", "--expect", ""];
    let constant = stage.post(&address, "/notify/wechat-v2/nobody/payment", &bodies, &nobody).await?;
    ensure!(constant.good == constant.due, "nobody's callbacks must be 404: {constant:?}");
    found.note(Measure::Constant, constant.per_second());
    guess.plain = constant.per_second();
    Ok(())
}

async fn calls(stage: &mut Stage, found: &mut Found<'_>) -> anyhow::Result<()> {
    if !stage.wants(&["create", "create, 32", "pay"]) {
        return Ok(());
    }
    stage.running(Part::OrderSvc).await;
    found.note(Measure::Created, stage.create(&["--callers", MANY_CALLERS]).await?.per_second());
    stage.quiet().await;
    found.note(Measure::CreatedByFew, stage.create(&[]).await?.per_second());
    stage.quiet().await;
    found.note(Measure::Paid, stage.pay(&[]).await?.per_second());
    stage.quiet().await;
    Ok(())
}

async fn whole(stage: &mut Stage, found: &mut Found<'_>, guess: &mut Guess) -> anyhow::Result<()> {
    if !stage.wants(&["end to end", "end to end p50", "end to end p99", "paid beside Node"]) {
        return Ok(());
    }
    stage.running(Part::OrderSvc).await;
    let most = stage.whole(Guess::bodies(stage, guess.whole), None).await?;
    let told = most.told.clone().context("facts were waited for")?;
    let per_second = e2e::load::per_second(told.facts, std::time::Duration::from_micros(told.took_us));
    guess.whole = most.per_second();
    found.note(Measure::Whole, per_second);
    let half = stage.whole(Guess::bodies(stage, per_second), Some(per_second / 2)).await?;
    let told = half.told.context("facts were waited for")?;
    found.note(Measure::WholeP50, told.latency.p50);
    found.note(Measure::WholeP99, told.latency.p99);
    Ok(())
}

impl Stage {
    /// Orders that wait for their payers, and the notices that say that they were paid.
    pub(crate) async fn prepare_whole(&self, count: usize) -> anyhow::Result<PathBuf> {
        let numbers = self.template.copies(&self.orders, count).await?;
        self.notices("notices", Says::Paid, &numbers)
    }

    /// From callbacks to their order.paid; `rate` in callbacks per second, or everything at once.
    pub(crate) async fn whole(&self, count: usize, rate: Option<u64>) -> anyhow::Result<e2e::load::Outcome> {
        let bodies = self.prepare_whole(count).await?;
        let rate = rate.unwrap_or(0).to_string();
        let outcome = self.call_back(&bodies, &["--told-at", self.world.nats.url(), "--rate", &rate]).await?;
        let told = outcome.told.as_ref().map_or(0, |told| told.facts);
        ensure!(told == outcome.good, "{} callbacks were answered with success, {told} order.paid came", outcome.good);
        self.quiet().await;
        Ok(outcome)
    }
}

async fn peer(stage: &mut Stage, found: &mut Found<'_>, guess: &mut Guess) -> anyhow::Result<()> {
    if !stage.wants(&["beside Node", "beside Node, one stmt", "beside Node, all cores", "paid beside Node"]) {
        return Ok(());
    }
    stage.stopped(Part::OrderSvc);
    let forms = [
        (Form::Plain, Measure::Peer),
        (Form::OneStatement, Measure::PeerAtOnce),
        (Form::AllCores, Measure::PeerOfMany),
    ];
    for (form, measure) in forms {
        let peer = match Peer::start(stage, form).await {
            Ok(peer) => peer,
            // Everything else is worth a run without it; the verdict says that it is missing.
            Err(error) => {
                println!("  no peer: {error:#}");
                return Ok(());
            }
        };
        // As ours, which has served callbacks before: its first ones compile it and open its connections.
        peer.callbacks(stage, Guess::bodies(stage, guess.peer)).await?;
        let per_second = peer.callbacks(stage, Guess::bodies(stage, guess.peer)).await?;
        found.note(measure, per_second);
        guess.peer = guess.peer.max(per_second);
        peer.end();
    }
    Ok(())
}
