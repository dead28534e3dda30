//! Two processes share the days that the schedule hands out, also when one of them dies.

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::{FromConsumer as _, pull};
use jiff::civil::Date;
use proto::bus::{RECONCILE_SVC_WORK, durable, header};
use proto::event::ReconcileDay;
use proto::reconcile::v1::run::State;
use proto::time::to_wire;
use svc_kit::bus::{Message, Publisher};
use wechat_pay::bill::TradeRow;

use crate::bill::{self, Payment};
use crate::gateway::Bill;
use crate::harness::World;
use crate::replica::Replica;

const MERCHANTS: usize = 12;

/// How soon the bus hands out again what a dead process held; it would take 30 s.
const SOON: Duration = Duration::from_secs(1);

impl World {
    /// Merchants of a chain, each with one payment in its bill that we never issued.
    fn set_chain(&self, day: Date) -> Vec<String> {
        let names = (0..MERCHANTS).map(|number| (format!("chain-{number}"), format!("{}", 1_900_001_000 + number)));
        names
            .map(|(name, mch_id)| {
                self.gateway.add_merchant(&name, &mch_id);
                let row = TradeRow { mch_id, ..Payment::on(day, 100).row() };
                self.gateway.set_bill(&name, day, Bill::Whole(bill::text(&[row])));
                name
            })
            .collect()
    }

    /// Hands out a day of each, as two processes do at one tick.
    async fn hand_out(&self, merchants: &[String], day: Date) {
        let publisher = Publisher::new(&self.bus);
        let tick = Some(to_wire(self.clock.now()));
        for _ in 0..2 {
            for merchant in merchants {
                let work = ReconcileDay { merchant: merchant.clone(), bill_date: day.to_string(), tick_time: tick };
                let message = Message::from_event(&work, "test").expect("a message");
                publisher.publish(&message).await.expect("the stream takes it");
            }
        }
    }

    /// Half an hour later all of them are handed out again, because something differs.
    async fn hand_out_later(&self, merchants: &[String], day: Date) {
        self.hand.advance(Duration::from_mins(30));
        self.hand_out(merchants, day).await;
        self.work_is_done().await;
    }

    /// Waits until nothing of the work is left, delivered or not.
    async fn work_is_done(&self) {
        let spec = durable(RECONCILE_SVC_WORK).expect("it is in the table");
        self.until("the work is done", async || {
            let stream = self.bus.jetstream().get_stream_no_info(spec.stream).await.ok()?;
            let info = stream.consumer_info(spec.name).await.ok()?;
            (info.num_pending == 0 && info.num_ack_pending == 0).then_some(())
        })
        .await;
    }

    /// Lets the bus soon hand out again what is not acked.
    async fn hand_out_again_soon(&self) {
        let spec = durable(RECONCILE_SVC_WORK).expect("it is in the table");
        let stream = self.bus.jetstream().get_stream_no_info(spec.stream).await.expect("the name is a name");
        let info = stream.consumer_info(spec.name).await.expect("its owner made it");
        let config = pull::Config::try_from_consumer_config(info.config).expect("all of ours are pull consumers");
        stream.update_consumer(pull::Config { ack_wait: SOON, ..config }).await.expect("it is changed");
    }

    /// Subject and id of everything told by reconcile-svc, as often as it stands there, once the outbox is empty.
    pub(crate) async fn told(&self) -> Vec<(String, String)> {
        self.until("everything is told", async || {
            let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&self.pool).await.ok()?;
            (waiting == 0).then_some(())
        })
        .await;
        let mut stream = self.bus.jetstream().get_stream("RECON").await.expect("it is there");
        let last = stream.info().await.expect("it answers").state.last_sequence;
        let mut told = Vec::new();
        for sequence in 1..=last {
            let message = stream.get_raw_message(sequence).await.expect("nothing is deleted");
            let id = message.headers.get(header::ID).expect("an id").to_string();
            told.push((message.subject.to_string(), id));
        }
        told
    }

    /// Each merchant's day was compared in one version, what differs was found once, and both were told once.
    async fn is_done_once(&self, merchants: &[String]) {
        let runs = self.runs().await;
        let ran: BTreeSet<&str> = runs.iter().map(|run| run.merchant.as_str()).collect();
        assert_eq!((runs.len(), ran.len()), (merchants.len(), merchants.len()), "{runs:?}");
        assert!(
            runs.iter().all(|run| run.version == 1 && run.current && run.state() == State::Differences),
            "{runs:?}"
        );
        let found = self.discrepancies().await;
        let of: BTreeSet<&str> = found.iter().map(|found| found.merchant.as_str()).collect();
        assert_eq!((found.len(), of.len()), (merchants.len(), merchants.len()), "{found:?}");
        assert_eq!(self.log().await.len(), merchants.len(), "each was opened once");
        let told = self.told().await;
        for fact in ["recon.v1.run.completed.", "recon.v1.discrepancy.opened."] {
            let of_fact: Vec<&(String, String)> =
                told.iter().filter(|(subject, _)| subject.starts_with(fact)).collect();
            let ids: BTreeSet<&str> = of_fact.iter().map(|(_, id)| id.as_str()).collect();
            assert_eq!((of_fact.len(), ids.len()), (merchants.len(), merchants.len()), "{fact}: {of_fact:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_days_and_each_is_compared_once() {
    let world = World::start().await;
    let second = Replica::start(&world, &[]);
    second.client(&world).await;
    let day = world.day();
    let merchants = world.set_chain(day);
    world.gateway.hold_downloads();
    world.hand_out(&merchants, day).await;
    // Each does one at a time, so two at once are one of each.
    world.until("both have one", async || (world.gateway.held() == 2).then_some(())).await;
    world.gateway.let_all_through();
    world.work_is_done().await;

    world.is_done_once(&merchants).await;
    let here = world.counted_in_all("reconcile_runs_total").await;
    assert!((1..MERCHANTS).contains(&here), "{here} of {MERCHANTS} here, and the others there");
    assert_eq!(world.gateway.downloads(), MERCHANTS, "nobody did another's work");

    world.hand_out_later(&merchants, day).await;
    assert_eq!(world.gateway.downloads(), 2 * MERCHANTS);
    world.is_done_once(&merchants).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_of_two_dies_in_its_work_the_other_finishes_all_of_it() {
    let world = World::start().await;
    let mut second = Replica::start(&world, &[]);
    second.client(&world).await;
    let day = world.day();
    let merchants = world.set_chain(day);
    world.gateway.hold_downloads();
    world.hand_out(&merchants, day).await;
    world.until("both have one", async || (world.gateway.held() == 2).then_some(())).await;
    world.gateway.let_through(4);
    world.until("both have their next", async || (world.gateway.downloads() == 6).then_some(())).await;

    second.kill();
    world.until("one waits no longer", async || (world.gateway.held() == 1).then_some(())).await;
    world.hand_out_again_soon().await;
    world.leases_end().await;
    world.gateway.let_all_through();
    world.work_is_done().await;
    // What the bus handed out again may have been taken up meanwhile without it.
    world
        .until("nothing is under way", async || {
            let under_way = "SELECT count(*) FROM runs WHERE state = 'RUNNING'";
            let count: i64 = sqlx::query_scalar(under_way).fetch_one(&world.pool).await.ok()?;
            (count == 0).then_some(())
        })
        .await;
    world.is_done_once(&merchants).await;
    world.hand_out_later(&merchants, day).await;
    world.is_done_once(&merchants).await;
    world.end().await;
}
