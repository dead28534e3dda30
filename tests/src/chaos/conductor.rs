//! Brings the faults about, looks whether each has really struck, and brings back what died.

use std::{collections::BTreeMap, fs, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    kind::Kind,
    process::{Beside, points, stands_still},
    schedule::{Phase, Schedule},
    timeline::Timeline,
};
use crate::{
    Link, Part, World, proxy,
    sandbox_client::{Fault, FaultPoint, FaultRule},
    selling::{MERCHANT, OTHER_MERCHANT},
};

/// Everybody's time before faults that did not strike are tried again.
const RETRY_JUMP: Duration = Duration::from_mins(5);
/// Between two looks at the processes.
const WATCHING: Duration = Duration::from_millis(200);
/// Longer than a claim of order-svc lasts on the database's clock.
const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(63);
/// Everybody's time when the faults have stopped, so that an account that WeChat has limited need not rest any more.
const REST: Duration = Duration::from_secs(65);
/// Callbacks that one rule at WeChat strikes; of calls it is one.
const CALLBACKS: u32 = 2;
/// What order-svc says in its transactions, of which one loses the answer to its commit.
const COMMITS: [&str; 5] = [
    "INSERT INTO orders",
    "INSERT INTO payments",
    "INSERT INTO refunds",
    "INSERT INTO applied_events",
    "DELETE FROM outbox",
];

/// A kind of fault, and how often it has struck.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    pub(super) kind: Kind,
    pub(super) observed: u64,
}

/// Leads one run.
pub(super) struct Conductor<'w> {
    pub(super) world: &'w mut World,
    pub(super) timeline: &'w Timeline,
    pub(super) faults: Vec<Watched>,
    /// Ends that nobody asked for.
    pub(super) unasked: Vec<String>,
    rng: fastrand::Rng,
    /// Rules at WeChat by their ids there.
    rules: BTreeMap<u64, usize>,
    /// Who is to die by itself.
    crashes: BTreeMap<Part, usize>,
    second: Option<Beside>,
    /// Until when order-svc is overtaken.
    overtaken: Option<(usize, Instant)>,
    /// Until which phase an account is short of money.
    short: Option<u32>,
    phases: u32,
}

impl<'w> Conductor<'w> {
    pub(super) fn new(world: &'w mut World, timeline: &'w Timeline, kinds: &[Kind], rng: fastrand::Rng) -> Self {
        let faults = kinds.iter().map(|kind| Watched { kind: kind.clone(), observed: 0 }).collect();
        Self {
            world,
            timeline,
            faults,
            unasked: Vec::new(),
            rng,
            rules: BTreeMap::new(),
            crashes: BTreeMap::new(),
            second: None,
            overtaken: None,
            short: None,
            phases: 0,
        }
    }

    /// The whole schedule, and then what did not strike, again and again, for as long as the schedule at most.
    pub(super) async fn lead(&mut self, schedule: &Schedule, loaded: impl Fn(&Kind) -> Option<u64>) {
        let tail = schedule.phases.len() * 2 / 3;
        for (number, phase) in schedule.phases.iter().enumerate() {
            if number == tail {
                self.disarm();
            }
            self.phase(phase, schedule.each).await;
        }
        let until = Instant::now() + schedule.each * u32::try_from(schedule.phases.len()).expect("it is short");
        while Instant::now() < until || self.overtaken.is_some() {
            self.see_load(&loaded);
            let missed: Vec<usize> = (0..self.faults.len()).filter(|place| self.faults[*place].observed == 0).collect();
            if missed.is_empty() && self.overtaken.is_none() {
                break;
            }
            let kinds: Vec<Kind> = self.faults.iter().map(|fault| fault.kind.clone()).collect();
            let phase = Schedule::retry(&kinds, &missed, &mut self.rng);
            // Most calls are made because their time has come.
            self.world.sandbox.advance(RETRY_JUMP).await;
            self.phase(&phase, schedule.each).await;
        }
        self.calm().await;
        self.see_load(&loaded);
    }

    /// What the load brings about is counted by the load.
    fn see_load(&mut self, loaded: &impl Fn(&Kind) -> Option<u64>) {
        for fault in &mut self.faults {
            if let Some(counted) = loaded(&fault.kind) {
                fault.observed = counted;
            }
        }
    }

    async fn phase(&mut self, phase: &Phase, each: Duration) {
        let until = Instant::now() + each;
        self.phases += 1;
        let (mut links, mut processes): (Vec<(usize, Link, proxy::Fault, u64)>, _) = (Vec::new(), Vec::new());
        for place in phase.faults.iter().copied() {
            match self.faults[place].kind.clone() {
                Kind::Network(link, fault) => {
                    // One trouble at a time on each link; the other comes again.
                    if links.iter().all(|(_, busy, ..)| *busy != link) {
                        let before = self.world.link(link).observed(fault);
                        self.trouble(link, fault);
                        links.push((place, link, fault, before));
                    }
                }
                Kind::WeChat(on, fault) => self.rule(place, on, fault).await,
                Kind::Jump => {
                    let minutes = self.rng.u64(1..=4);
                    self.world.sandbox.advance(Duration::from_mins(minutes)).await;
                    self.timeline.tell(format_args!("clock jump of {minutes} min"));
                }
                Kind::ShortBalance if self.short.is_none() => {
                    self.world.sandbox.set_balance(MERCHANT, Some(0)).await;
                    self.short = Some(self.phases + 2);
                    self.timeline.tell(format_args!("{MERCHANT} has no money for refunds"));
                }
                Kind::ShortBalance | Kind::Settled(_) => {}
                _ => processes.push(place),
            }
        }
        for place in processes {
            self.process(place, each).await;
        }
        self.watch_until(until).await;
        for (place, link, fault, before) in links {
            let proxy = self.world.link(link);
            proxy.pass();
            let struck = proxy.observed(fault) - before;
            self.timeline.tell(format_args!("{}: struck {struck} times", self.faults[place].kind));
        }
        self.look().await;
    }

    fn trouble(&mut self, link: Link, fault: proxy::Fault) {
        let proxy = self.world.link(link);
        match fault {
            proxy::Fault::Cut => drop(proxy.cut()),
            proxy::Fault::Refuse => {
                proxy.refuse();
                // Otherwise nobody would need a new one.
                proxy.cut();
            }
            proxy::Fault::Delay => proxy.delay(Duration::from_millis(self.rng.u64(10..120))),
            proxy::Fault::BlackHole => proxy.black_hole(),
            proxy::Fault::HalfOpen => drop(proxy.half_open()),
            proxy::Fault::CutAfter => proxy.cut_after(proxy::Direction::ToClient, self.rng.u64(..2_000)),
            proxy::Fault::LoseAck => proxy.lose_acks(2),
            proxy::Fault::LoseCommit if link == Link::OrderSvcToPostgres => {
                proxy.lose_commit_of(COMMITS[self.rng.usize(..COMMITS.len())]);
            }
            proxy::Fault::LoseCommit => proxy.lose_commit_of("INSERT INTO"),
        }
    }

    async fn rule(&mut self, place: usize, on: FaultPoint, fault: Fault) {
        // After such an answer the account rests for a minute. One of them can.
        let limited = matches!(&fault, Fault::ErrorCode { code, .. } if code == "FREQUENCY_LIMITED");
        let merchant = limited.then(|| OTHER_MERCHANT.to_owned());
        let is_callback = matches!(on, FaultPoint::Callback | FaultPoint::RefundCallback);
        let times = if is_callback { CALLBACKS } else { 1 };
        let rule = self.world.sandbox.fault(FaultRule { on, merchant, out_trade_no: None, fault, times }).await;
        self.rules.insert(rule.id, place);
    }

    async fn process(&mut self, place: usize, each: Duration) {
        let kind = self.faults[place].kind.clone();
        match kind {
            Kind::Kill(part) if self.world.runs(part) => {
                self.crashes.remove(&part);
                self.world.kill(part);
                self.faults[place].observed += 1;
                self.timeline.tell(&kind);
                let away = Duration::from_millis(self.rng.u64(200..1_500));
                self.watch_until(Instant::now() + away).await;
                self.bring_back(part).await;
            }
            Kind::Crash(part) if self.world.runs(part) => {
                let points = points(part);
                let point = format!("{}#{}", points[self.rng.usize(..points.len())], self.rng.u8(1..=3));
                self.world.kill(part);
                self.world.start_unready_with(part, &[("CRASH_AT", &point)]);
                self.crashes.insert(part, place);
                self.timeline.tell(format_args!("{part} is to die at {point}"));
            }
            Kind::Pause(part) if self.world.runs(part) => {
                self.world.pause(part);
                let stands = stands_still(self.world.pid(part));
                let time = Duration::from_millis(self.rng.u64(500..2_500)).min(each);
                self.timeline.tell(format_args!("{kind} for {} ms", time.as_millis()));
                sleep(time).await;
                self.world.go_on(part);
                self.faults[place].observed += u64::from(stands);
            }
            Kind::Replica if self.second.is_none() => {
                self.begin_second(place, each * 3);
            }
            Kind::Overtaken if self.world.runs(Part::OrderSvc) && self.overtaken.is_none() => {
                if self.second.is_none() {
                    self.begin_second(place, LONGER_THAN_A_LEASE);
                }
                self.world.pause(Part::OrderSvc);
                self.overtaken = Some((place, Instant::now() + LONGER_THAN_A_LEASE));
                self.timeline.tell("order-svc stands still for longer than its leases");
            }
            // It is away or busy for another reason; it comes again.
            _ => {}
        }
    }

    fn begin_second(&mut self, place: usize, time: Duration) {
        let process = self.world.start_second();
        self.second = Some(Beside { process, place, until: Instant::now() + time });
        self.timeline.tell("a second order-svc starts");
    }

    async fn bring_back(&mut self, part: Part) {
        match part {
            // Nobody stands between us and the servers.
            Part::Postgres | Part::Nats => self.world.start(part).await,
            // What it needs may be away, too.
            _ => self.world.start_unready(part),
        }
        self.timeline.tell(format_args!("{part} is back"));
    }

    /// Watches the processes, and brings back who has died by itself.
    async fn watch_until(&mut self, until: Instant) {
        while Instant::now() < until {
            sleep_until(until.min(Instant::now() + WATCHING)).await;
            self.watch().await;
        }
    }

    async fn watch(&mut self) {
        for part in [Part::OrderSvc, Part::PayGateway, Part::NotifySvc, Part::ReconcileSvc] {
            let Some(status) = self.world.ended(part) else { continue };
            match self.crashes.remove(&part) {
                Some(place) => {
                    self.faults[place].observed += 1;
                    self.timeline.tell(format_args!("{part} died at its point"));
                }
                // What it needs broke while it started: it says so and ends, and whoever keeps processes starts it again.
                None if self.gave_up_its_start(part) => self.timeline.tell(format_args!("{part} gave up its start")),
                None => self.unasked.push(format!("{part} ended with {status}, and nobody wanted that")),
            }
            self.bring_back(part).await;
        }
        if let Some((place, until)) = self.overtaken
            && until <= Instant::now()
        {
            let worked = match &self.second {
                Some(beside) => beside.works().await,
                None => 0,
            };
            self.faults[place].observed += worked;
            self.world.go_on(Part::OrderSvc);
            self.overtaken = None;
            self.timeline.tell("order-svc goes on after its leases are over");
        }
        if self.overtaken.is_none()
            && let Some(beside) = self.second.take_if(|beside| beside.until <= Instant::now())
        {
            self.end_second(beside).await;
        }
    }

    fn gave_up_its_start(&self, part: Part) -> bool {
        self.world.log(part).lines().last().is_some_and(|line| line.starts_with("error: cannot "))
    }

    async fn end_second(&mut self, mut beside: Beside) {
        let log = fs::read_to_string(self.world.folder().join("order-svc-2.log")).unwrap_or_default();
        if !beside.process.runs() && !log.lines().last().is_some_and(|line| line.starts_with("error: cannot ")) {
            self.unasked.push("the second order-svc ended by itself".to_owned());
        }
        let worked = beside.works().await;
        if self.faults[beside.place].kind == Kind::Replica {
            self.faults[beside.place].observed += worked;
        }
        self.timeline.tell(format_args!("the second order-svc dies after {worked} messages of its own"));
    }

    /// What has struck so far.
    async fn look(&mut self) {
        for fault in &mut self.faults {
            if let Kind::Network(link, trouble) = &fault.kind {
                fault.observed = self.world.link(*link).observed(*trouble);
            }
        }
        let mut hits: BTreeMap<usize, u64> = BTreeMap::new();
        for rule in self.world.sandbox.faults().await {
            if let Some(place) = self.rules.get(&rule.id) {
                *hits.entry(*place).or_default() += u64::from(rule.hits);
            }
        }
        for (place, hits) in hits {
            let new = hits.saturating_sub(self.faults[place].observed);
            if 0 < new {
                self.faults[place].observed = hits;
                self.timeline.tell(format_args!("{}: struck {hits} times", self.faults[place].kind));
            }
        }
        let offset_ms = self.world.sandbox.clock().await.offset_ms;
        // Who stands still answers nobody, and nobody waits for that.
        let heard = match self.overtaken {
            Some(_) => Ok(None),
            None => self.world.try_metric(Part::OrderSvc, "clock_offset_ms", &[]).await,
        };
        if let Some(jump) = self.faults.iter_mut().find(|fault| fault.kind == Kind::Jump)
            && 0 < offset_ms
            && heard == Ok(Some(offset_ms))
        {
            jump.observed += 1;
        }
        if self.short.is_some_and(|until| until <= self.phases) {
            self.short = None;
            self.refuse_no_more().await;
        }
    }

    async fn refuse_no_more(&mut self) {
        self.world.sandbox.set_balance(MERCHANT, None).await;
        let refused = self.refused_for_money().await;
        self.timeline.tell(format_args!("{MERCHANT} has money again; {refused} refunds have waited for it"));
    }

    /// Refunds that were told that there is too little money, ever. 0 while the database is away.
    async fn refused_for_money(&mut self) -> u64 {
        let orders = self.world.postgres.pool("orders");
        let question = "SELECT count(*) FROM refunds WHERE waiting = 'BALANCE' OR provider_code = 'NOTENOUGH'";
        let waited: i64 = sqlx::query_scalar(question).fetch_one(&orders).await.unwrap_or(0);
        orders.close().await;
        let waited = u64::try_from(waited).unwrap_or(0);
        if let Some(fault) = self.faults.iter_mut().find(|fault| fault.kind == Kind::ShortBalance) {
            fault.observed = fault.observed.max(waited);
        }
        waited
    }

    /// Nobody is to die by itself any more.
    fn disarm(&mut self) {
        while let Some((part, _)) = self.crashes.pop_first() {
            if self.world.runs(part) {
                self.world.kill(part);
                self.world.start_unready(part);
            }
        }
    }

    /// Everything is well again.
    async fn calm(&mut self) {
        self.watch().await;
        self.look().await;
        self.disarm();
        if let Some(beside) = self.second.take() {
            self.end_second(beside).await;
        }
        for link in Link::ALL {
            self.world.link(link).pass();
        }
        self.world.sandbox.clear_faults().await;
        self.refuse_no_more().await;
        self.timeline.tell("all faults have stopped");
        self.world.all_ready().await;
        self.world.pass(REST).await;
        self.timeline.tell("everybody is ready");
    }
}
