//! One order from its wish to its end, by people who do everything that people do.

use std::time::Duration;

use futures::future::join_all;
use proto::order::v1::{
    self, CloseOrderRequest, CreateOrderRequest, GetOrderRequest, GetRefundRequest, ListRefundsRequest, Order,
    PayOrderRequest, PayOrderResponse, WatchOrderRequest, mini_program::Payer, order::State, pay_order_request::Method,
};
use proto::time::to_wire;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};
use uuid::{Builder, Uuid};

use super::{
    caller::{Outcome, ask},
    load::Trade,
    tally::Said,
};
use crate::{
    sandbox_client::Pay,
    selling::{MERCHANT, OFFICIAL_ACCOUNT, OTHER_MERCHANT, Team},
};

/// How long orders can be paid. The shortest run out when time jumps, the longest within the end of a run.
const LIVES_S: [i64; 4] = [240, 600, 1_200, 1_800];
/// The same request several times at once.
const AT_ONCE: usize = 4;
/// How long somebody looks whether money has arrived.
const LOOKING: Duration = Duration::from_secs(12);
/// Between two looks.
const LOOK_PAUSE: Duration = Duration::from_millis(700);
/// How long somebody follows an order.
const FOLLOWING: Duration = Duration::from_secs(8);

/// One customer. Everything about them is drawn from a number of their own.
pub(super) struct Customer<'t> {
    pub(super) trade: &'t Trade,
    pub(super) rng: fastrand::Rng,
    pub(super) team: usize,
}

impl<'t> Customer<'t> {
    /// Does one customer's business.
    pub(super) async fn live(mut self) {
        let Some(order) = self.create().await else { return };
        let name = order.name.clone();
        let by_official_account = order.merchant == MERCHANT && self.rng.u8(..4) == 0;
        let Some(first) = self.pay(&name, by_official_account).await else { return };
        if self.rng.u8(..20) == 0 {
            self.follow(&name).await;
        }
        match self.rng.u8(..100) {
            0..55 => self.pays(&first, &Pay::default(), "payments at once").await,
            55..65 => {
                sleep(Duration::from_millis(self.rng.u64(1_000..8_000))).await;
                self.pays(&first, &Pay::default(), "payments later").await;
            }
            65..70 => {
                // The cashier is open, and the user comes when the order may have expired long since.
                sleep(Duration::from_millis(self.rng.u64(6_000..12_000))).await;
                self.pays(&first, &Pay { in_cashier: true, ..Pay::default() }, "payments after expiry").await;
            }
            70..80 => {
                let Some(second) = self.pay(&name, order.merchant == MERCHANT).await else { return };
                if second != first {
                    self.trade.tally.count("second attempts");
                }
                let cashier = Pay { in_cashier: true, ..Pay::default() };
                self.pays(&first, &cashier, "payments of a first attempt").await;
                self.pays(&second, &cashier, "payments of a second attempt").await;
            }
            80..92 => {
                self.close(&name).await;
                if self.rng.bool() {
                    self.pays(&first, &Pay { in_cashier: true, ..Pay::default() }, "payments after the close").await;
                }
            }
            92 => {
                let wrong = Pay { amount_fen: Some(order.amount_fen + 1), ..Pay::default() };
                self.pays(&first, &wrong, "payments of another amount").await;
                return;
            }
            _ => {
                self.trade.tally.count("payers who never pay");
                return;
            }
        }
        if self.is_paid(&name).await && self.rng.u8(..100) < 70 {
            self.refund(&name, order.amount_fen).await;
        }
    }

    fn who(&self) -> &'t Team {
        &self.trade.teams[self.team]
    }

    /// A request id of this customer's own.
    fn id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    async fn create(&mut self) -> Option<Order> {
        let life = LIVES_S[self.rng.usize(..LIVES_S.len())];
        let now = self.trade.sandbox.clock().await.now;
        let request = CreateOrderRequest {
            request_id: self.id(),
            order_no: format!("C-{}", Uuid::parse_str(&self.id()).expect("it is one").simple()),
            merchant: if self.rng.u8(..4) == 0 { OTHER_MERCHANT } else { MERCHANT }.to_owned(),
            amount_fen: self.rng.i64(1..=5_000),
            description: "一壶茶 a pot of tea".to_owned(),
            expire_time: Some(to_wire(now + jiff::SignedDuration::from_secs(life))),
            particulars: None,
        };
        let times = if self.rng.u8(..8) == 0 { AT_ONCE } else { 1 };
        let tally = &self.trade.tally;
        tally.count("orders wanted");
        let create = || {
            ask(tally, self.who(), &request, |mut orders, request| async move { orders.create_order(request).await })
        };
        let order = self.agreed("CreateOrder", join_all((0..times).map(|_| create())).await)?;
        tally.count("orders created");
        tally.answered(self.team, Said::Created(Box::new((request.clone(), order.clone()))));
        tally.sees(&order);
        if self.rng.u8(..10) == 0 {
            let other = CreateOrderRequest { amount_fen: request.amount_fen + 1, ..request };
            let reused = ask(&self.trade.tally, self.who(), &other, |mut orders, request| async move {
                orders.create_order(request).await
            });
            match reused.await {
                Outcome::Refused(status) if status.code() == Code::AlreadyExists => {
                    self.trade.tally.count("reused request ids refused");
                }
                Outcome::Refused(status) if is_too_late(&status) => {}
                Outcome::Unknown => {}
                other => self.trade.tally.wrong("reuse_refused", format!("{} again: {other:?}", order.name)),
            }
        }
        Some(order)
    }

    /// Opens a cashier; the number that WeChat knows it by.
    async fn pay(&mut self, name: &str, by_official_account: bool) -> Option<String> {
        let payer = format!("oPayer{}", self.rng.u64(..));
        let method = if by_official_account {
            Method::Jsapi(v1::Jsapi {
                app_id: OFFICIAL_ACCOUNT.to_owned(),
                payer: Some(v1::jsapi::Payer::Openid(payer)),
            })
        } else {
            Method::MiniProgram(v1::MiniProgram { app_id: String::new(), payer: Some(Payer::Openid(payer)) })
        };
        let request = PayOrderRequest {
            request_id: self.id(),
            name: name.to_owned(),
            payer_ip: "203.0.113.7".to_owned(),
            method: Some(method),
        };
        let times = if self.rng.u8(..8) == 0 { AT_ONCE } else { 1 };
        let tally = &self.trade.tally;
        let pay =
            || ask(tally, self.who(), &request, |mut orders, request| async move { orders.pay_order(request).await });
        let opened: PayOrderResponse = self.agreed("PayOrder", join_all((0..times).map(|_| pay())).await)?;
        tally.count("cashiers opened");
        tally.answered(self.team, Said::Paying(Box::new((request, opened.clone()))));
        Some(opened.payment?.out_trade_no)
    }

    /// The user pays, when WeChat lets them.
    async fn pays(&mut self, out_trade_no: &str, how: &Pay, what: &'static str) {
        let times = if self.rng.u8(..12) == 0 { 2 } else { 1 };
        for _ in 0..times {
            match self.trade.sandbox.pay_as(out_trade_no, how).await {
                Ok(_) => {
                    self.trade.tally.count("payments");
                    self.trade.tally.count(what);
                }
                Err(_) => self.trade.tally.count("payments that WeChat refused"),
            }
        }
    }

    async fn close(&mut self, name: &str) {
        let request = CloseOrderRequest { request_id: self.id(), name: name.to_owned() };
        let closed = ask(&self.trade.tally, self.who(), &request, |mut orders, request| async move {
            orders.close_order(request).await
        });
        if let Some(order) = closed.await.given() {
            self.trade.tally.count("closes");
            self.trade.tally.sees(&order);
            self.trade.tally.answered(self.team, Said::Closed(Box::new((request, order))));
        }
    }

    /// Reads the order until it is paid, or nobody waits any more; sometimes WeChat is asked.
    async fn is_paid(&mut self, name: &str) -> bool {
        let began = Instant::now();
        let mut version = 0;
        while began.elapsed() < LOOKING {
            let request = GetOrderRequest { name: name.to_owned(), refresh: self.rng.u8(..5) == 0 };
            if request.refresh {
                self.trade.tally.count("refreshes");
            }
            let read = ask(&self.trade.tally, self.who(), &request, |mut orders, request| async move {
                orders.get_order(request).await
            });
            let Some(order) = read.await.given() else { return false };
            self.trade.tally.sees(&order);
            if order.version < version {
                let sentence = format!("{name} went back from version {version} to {}", order.version);
                self.trade.tally.wrong("answers_and_end", sentence);
            }
            version = order.version;
            match order.state() {
                State::Paid | State::PartiallyRefunded | State::Refunded => return true,
                State::Closed => return false,
                State::Pending | State::Unspecified => sleep(LOOK_PAUSE).await,
            }
        }
        false
    }

    async fn follow(&mut self, name: &str) {
        let request = WatchOrderRequest { name: name.to_owned() };
        let watched = ask(&self.trade.tally, self.who(), &request, |mut orders, request| async move {
            orders.watch_order(request).await
        });
        let Some(mut stream) = watched.await.given() else { return };
        self.trade.tally.count("orders followed");
        let until = Instant::now() + FOLLOWING;
        let mut version = 0;
        while let Ok(Ok(Some(order))) = timeout(until.saturating_duration_since(Instant::now()), stream.message()).await
        {
            self.trade.tally.sees(&order);
            if order.version <= version {
                let sentence = format!("whoever follows {name} saw version {} after {version}", order.version);
                self.trade.tally.wrong("answers_and_end", sentence);
            }
            version = order.version;
        }
    }

    async fn refund(&mut self, name: &str, paid_fen: i64) {
        let part = |rng: &mut fastrand::Rng| rng.i64(1..=paid_fen);
        let amounts = match self.rng.u8(..10) {
            0..4 => vec![paid_fen],
            4..7 => vec![part(&mut self.rng)],
            7 => vec![(paid_fen / 3).max(1); 3],
            // Together more than there is: only one of them can be.
            _ => vec![paid_fen; 3],
        };
        let requests: Vec<v1::CreateRefundRequest> = amounts
            .into_iter()
            .map(|amount_fen| v1::CreateRefundRequest {
                request_id: self.id(),
                order: name.to_owned(),
                amount_fen,
                reason: "cold tea".to_owned(),
                payment: String::new(),
                goods: vec![],
            })
            .collect();
        let (trade, team) = (self.trade, self.who());
        let times = if self.rng.u8(..6) == 0 { AT_ONCE } else { 1 };
        let asked = join_all(requests.iter().map(|request| async move {
            let refund =
                |_| {
                    ask(&trade.tally, team, request, |mut orders, request| async move {
                        orders.create_refund(request).await
                    })
                };
            (request.clone(), join_all((0..times).map(refund)).await)
        }));
        for (request, outcomes) in asked.await {
            let unknown = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unknown));
            match self.agreed("CreateRefund", outcomes) {
                Some(refund) => {
                    trade.tally.count("refunds asked for");
                    trade.tally.answered(self.team, Said::Refunding(Box::new((request, refund.clone()))));
                    trade.decide(&refund.out_refund_no, &mut self.rng).await;
                    self.look_at(name, &refund).await;
                }
                None if unknown => trade.tally.refund_unanswered(name),
                None => {}
            }
        }
    }

    async fn look_at(&mut self, order: &str, refund: &v1::Refund) {
        if self.rng.u8(..3) == 0 {
            let request = GetRefundRequest { name: refund.name.clone(), refresh: true };
            let read = ask(&self.trade.tally, self.who(), &request, |mut orders, request| async move {
                orders.get_refund(request).await
            });
            if let Some(now) = read.await.given()
                && (&now.name, now.amount_fen) != (&refund.name, refund.amount_fen)
            {
                self.trade.tally.wrong("answers_and_end", format!("{refund:?} is read as {now:?}"));
            }
        }
        if self.rng.u8(..6) == 0 {
            let request = ListRefundsRequest { order: order.to_owned(), ..ListRefundsRequest::default() };
            let listed = ask(&self.trade.tally, self.who(), &request, |mut orders, request| async move {
                orders.list_refunds(request).await
            });
            if let Some(listed) = listed.await.given()
                && !listed.refunds.iter().any(|listed| listed.name == refund.name)
            {
                self.trade.tally.wrong("answers_and_end", format!("{} is not among the refunds", refund.name));
            }
        }
    }

    /// The answer to one request that was made one or more times: there is only one.
    fn agreed<T: PartialEq + std::fmt::Debug>(&self, what: &str, outcomes: Vec<Outcome<T>>) -> Option<T> {
        let tally = &self.trade.tally;
        if 1 < outcomes.len() {
            tally.count("requests made several times at once");
        }
        let (mut answer, mut refusals) = (None, Vec::new());
        for outcome in outcomes {
            match (outcome, &answer) {
                (Outcome::Given(given), None) => answer = Some(given),
                (Outcome::Given(given), Some(first)) if given != *first => {
                    tally.wrong("equal_answers", format!("{what}: {first:?} and {given:?}"));
                }
                (Outcome::Given(_) | Outcome::Unknown, _) => {}
                (Outcome::Refused(status), _) => refusals.push(status),
            }
        }
        for status in refusals {
            tally.count("refusals");
            if answer.is_some() {
                tally.wrong("equal_answers", format!("{what} was answered, and refused with {status:?}"));
            }
            if is_too_late(&status) {
                tally.count("orders that nobody could pay in time");
            } else if !matches!(status.code(), Code::FailedPrecondition | Code::Internal) {
                tally.wrong("no_mistakes", format!("{what}: {status:?}"));
            }
        }
        answer
    }
}

/// Whether a request waited for so long, or time jumped so far, that what it asks for has expired.
fn is_too_late(status: &Status) -> bool {
    status.code() == Code::InvalidArgument && status.message().contains("expire_time")
}
