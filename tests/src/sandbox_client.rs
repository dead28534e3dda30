//! What a test tells WeChat: let the user pay, let this go wrong, let time pass; and what WeChat really knows.
//!
//! ```no_run
//! # async fn example(world: &e2e::World, out_trade_no: &str) {
//! use e2e::sandbox_client::{Fault, FaultPoint, FaultRule, always, once};
//!
//! world.sandbox.fault(always(FaultPoint::Callback, Fault::Lose)).await;
//! let late = Fault::Late { delay_ms: 10_000 };
//! world.sandbox.fault(FaultRule { merchant: Some("acme-mini".into()), ..once(FaultPoint::OrderQuery, late) }).await;
//! world.sandbox.clear_faults().await;
//! let callback = world.sandbox.attempted(out_trade_no, 2).await; // waits for two attempts
//! # }
//! ```

mod bills;
mod desk;

use std::time::Duration;

use reqwest::{Method, StatusCode};
pub use sandbox::control::{
    ActiveFault, AnswerClass, Attempt, Callback, CallbackKind, CallbackState, Cashier, ClockState, Comment, FaceCode,
    Fault, FaultPoint, FaultRule, Faults, Ledger, LoginCode, Misbilled, NewPayCode, Order, Paid, Pay, PayBehaviour,
    PayCode, Payment, PlatformRefund, RedPacketStatus, Refund, RefundRate, RefundSource, RefundState, Report, Scan,
    Scanned, Shown,
};
use sandbox::control::{Advance, Balance, Cancel, NewLoginCode, NewOAuthCode, PayOpened, Problem, Settle, SettleDelay};
use serde::{Serialize, de::DeserializeOwned};

use crate::{eventually, world::client};

/// As good as for ever.
const EVERY_TIME: u32 = u32::MAX;

/// The sandbox, by its control API. Clones are cheap.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    http: reqwest::Client,
    url: String,
}

/// The control API said no: its HTTP status and sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its HTTP status.
    pub status: u16,
    /// Its sentence.
    pub error: String,
}

/// A rule for everyone that strikes once.
pub fn once(on: FaultPoint, fault: Fault) -> FaultRule {
    FaultRule { on, merchant: None, out_trade_no: None, fault, times: 1 }
}

/// A rule for everyone that strikes until the faults are cleared.
pub fn always(on: FaultPoint, fault: Fault) -> FaultRule {
    FaultRule { times: EVERY_TIME, ..once(on, fault) }
}

impl SandboxClient {
    /// The sandbox at `url`.
    pub fn new(url: String) -> Self {
        Self { http: client(), url }
    }

    /// Where it is: WeChat's API, the control API, and the page.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The user pays what was ordered.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn pay(&self, out_trade_no: &str) -> Paid {
        self.pay_as(out_trade_no, &Pay::default())
            .await
            .unwrap_or_else(|refused| panic!("the user cannot pay: {refused:?}"))
    }

    /// The user pays in an unusual way.
    ///
    /// # Errors
    /// When WeChat does not let them.
    pub async fn pay_as(&self, out_trade_no: &str, pay: &Pay) -> Result<Paid, Refused> {
        self.call(Method::POST, &format!("payments/{out_trade_no}/pay"), Some(pay)).await
    }

    /// Lets something go wrong from now on.
    ///
    /// # Panics
    /// When the rule makes no sense.
    pub async fn fault(&self, rule: FaultRule) -> ActiveFault {
        self.must(Method::POST, "faults", Some(&rule)).await
    }

    /// How often a fault has struck. A fault that was not observed proves nothing.
    ///
    /// # Panics
    /// When it was cleared.
    pub async fn hits(&self, fault: &ActiveFault) -> u32 {
        self.faults().await.iter().find(|known| known.id == fault.id).expect("it was not cleared").hits
    }

    /// Every rule since the last clearing, and how often each has struck.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn faults(&self) -> Vec<ActiveFault> {
        let faults: Faults = self.must(Method::GET, "faults", None::<&()>).await;
        faults.faults
    }

    /// Lets everything go right again.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn clear_faults(&self) {
        let _: Faults = self.must(Method::DELETE, "faults", None::<&()>).await;
    }

    /// Everything that really happened.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn ledger(&self) -> Ledger {
        self.must(Method::GET, "ledger", None::<&()>).await
    }

    /// One order of WeChat's; `None` when it never heard of it.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn order(&self, out_trade_no: &str) -> Option<Order> {
        self.ledger_of(out_trade_no).await.orders.pop()
    }

    /// Everything that WeChat refunded or tries to refund of an order, oldest first.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn refunds(&self, out_trade_no: &str) -> Vec<Refund> {
        self.ledger_of(out_trade_no).await.orders.into_iter().flat_map(|order| order.refunds).collect()
    }

    /// One refund of WeChat's; `None` when it never accepted it.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn refund(&self, out_refund_no: &str) -> Option<Refund> {
        let mut refunds = self.ledger().await.orders.into_iter().flat_map(|order| order.refunds);
        refunds.find(|refund| refund.out_refund_no == out_refund_no)
    }

    /// Decides what becomes of a refund: of one that is on its way, or of one that bounced.
    ///
    /// # Panics
    /// When WeChat does not know it, or it has ended already.
    pub async fn settle(&self, out_refund_no: &str, state: RefundState) -> Refund {
        self.settle_as(out_refund_no, state)
            .await
            .unwrap_or_else(|refused| panic!("the refund cannot be settled: {refused:?}"))
    }

    /// As [`SandboxClient::settle`], for who expects a no.
    ///
    /// # Errors
    /// When WeChat does not know it, or it has ended already.
    pub async fn settle_as(&self, out_refund_no: &str, state: RefundState) -> Result<Refund, Refused> {
        let settle = Settle { state, merchant: None };
        self.call(Method::POST, &format!("refunds/{out_refund_no}/settle"), Some(&settle)).await
    }

    /// How long refunds are on their way from now on, in WeChat's time; `None` leaves them to [`SandboxClient::settle`].
    ///
    /// # Panics
    /// When it is longer than ten years.
    pub async fn set_settle_delay(&self, delay: Option<Duration>) {
        let delay_ms = delay.map(|delay| u64::try_from(delay.as_millis()).expect("stories are shorter"));
        let _: SettleDelay = self.must(Method::POST, "settle_delay", Some(&SettleDelay { delay_ms })).await;
    }

    /// What a merchant has for refunds from now on, in fen; `None` is without limit.
    ///
    /// # Panics
    /// When there is no such merchant, or the amount is negative.
    pub async fn set_balance(&self, merchant: &str, fen: Option<i64>) {
        let path = format!("merchants/{merchant}/balance");
        let _: Balance = self.must(Method::POST, &path, Some(&Balance { fen })).await;
    }

    /// A person refunds so much of an order in the merchant platform; `None` is all that is left.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn refund_at_platform(&self, out_trade_no: &str, amount_fen: Option<i64>) -> Refund {
        let wanted = PlatformRefund { merchant: None, amount_fen };
        self.must(Method::POST, &format!("payments/{out_trade_no}/refund"), Some(&wanted)).await
    }

    /// Waits until WeChat has read success for a state that a refund reached, after however many attempts.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn refund_delivered(&self, out_refund_no: &str, state: RefundState) -> Callback {
        let about = CallbackKind::Refund { out_refund_no: out_refund_no.to_owned(), state };
        eventually(&format!("WeChat has told that {out_refund_no} is {}", state.as_str()), async || {
            let callback = self.ledger().await.callbacks.into_iter().find(|callback| callback.kind == about);
            let callback = callback.ok_or("no callback yet".to_owned())?;
            if callback.state == CallbackState::Delivered { Ok(callback) } else { Err(format!("{callback:?}")) }
        })
        .await
    }

    /// Waits until WeChat has tried at least so many times to tell about a payment, and the last attempt has ended.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn attempted(&self, out_trade_no: &str, times: usize) -> Callback {
        eventually(&format!("{times} attempts to tell about {out_trade_no}"), async || {
            let callback = self.payment_callback(out_trade_no).await.ok_or("no callback yet")?;
            if callback.state == CallbackState::Sending || callback.attempts.len() < times {
                return Err("fewer attempts");
            }
            Ok(callback)
        })
        .await
    }

    /// Waits until WeChat has read success for a payment, after however many attempts.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn delivered(&self, out_trade_no: &str) -> Callback {
        eventually(&format!("WeChat has told about {out_trade_no}"), async || {
            let callback = self.payment_callback(out_trade_no).await.ok_or("no callback yet".to_owned())?;
            if callback.state == CallbackState::Delivered { Ok(callback) } else { Err(format!("{callback:?}")) }
        })
        .await
    }

    /// What time it is.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn clock(&self) -> ClockState {
        self.must(Method::GET, "clock", None::<&()>).await
    }

    /// Lets time pass at WeChat alone. [`World::pass`](crate::World::pass) is for everybody.
    ///
    /// # Panics
    /// When that leaves the calendar.
    pub async fn advance(&self, time: Duration) -> ClockState {
        let advance_ms = u64::try_from(time.as_millis()).expect("stories are shorter than the universe");
        self.must(Method::POST, "clock", Some(&Advance { advance_ms })).await
    }

    /// What `wx.login` gives a mini program: good once, for five minutes.
    ///
    /// # Panics
    /// When no merchant is paired with the app.
    pub async fn login_code(&self, app_id: &str) -> LoginCode {
        let new = NewLoginCode { app_id: app_id.to_owned(), openid: None };
        self.must(Method::POST, "login_codes", Some(&new)).await
    }

    /// What WeChat's redirect gives a page of an official account: good once, for five minutes.
    ///
    /// # Panics
    /// When no merchant is paired with the account.
    pub async fn oauth_code(&self, app_id: &str) -> LoginCode {
        let new = NewOAuthCode { app_id: app_id.to_owned(), openid: None, scope: None };
        self.must(Method::POST, "oauth_codes", Some(&new)).await
    }

    /// A user pays what stands behind the text of a QR code.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn pay_code_url(&self, code_url: &str) -> Paid {
        let opened = PayOpened { code_url: Some(code_url.to_owned()), ..PayOpened::default() };
        self.must(Method::POST, "pay", Some(&opened)).await
    }

    /// A user pays what was prepaid.
    ///
    /// # Panics
    /// When WeChat does not let them.
    pub async fn pay_prepaid(&self, prepay_id: &str) -> Paid {
        let opened = PayOpened { prepay_id: Some(prepay_id.to_owned()), ..PayOpened::default() };
        self.must(Method::POST, "pay", Some(&opened)).await
    }

    /// A user points the phone at a QR code.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn scan(&self, code_url: &str) -> Scanned {
        self.scan_as(&Scan { code_url: code_url.to_owned(), ..Scan::default() }).await
    }

    /// A user points the phone at a QR code, in an unusual way.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn scan_as(&self, scan: &Scan) -> Scanned {
        self.must(Method::POST, "scans", Some(scan)).await
    }

    /// What a new user's phone shows at a till; a charge of it comes to `behaviour`.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn pay_code(&self, behaviour: PayBehaviour) -> PayCode {
        self.pay_code_as(&NewPayCode { behaviour, ..NewPayCode::default() }).await
    }

    /// As [`SandboxClient::pay_code`], with more to say.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn pay_code_as(&self, new: &NewPayCode) -> PayCode {
        self.must(Method::POST, "pay-codes", Some(new)).await
    }

    /// What a device makes of a new user's face; a charge of it comes to `behaviour`.
    ///
    /// # Panics
    /// When the sandbox does not answer.
    pub async fn face_code(&self, behaviour: PayBehaviour) -> FaceCode {
        let new = NewPayCode { behaviour, ..NewPayCode::default() };
        self.must(Method::POST, "face-codes", Some(&new)).await
    }

    /// The user who is asked for a password gives up.
    ///
    /// # Panics
    /// When nobody is asked.
    pub async fn cancel(&self, out_trade_no: &str) {
        let _: serde_json::Value =
            self.must(Method::POST, &format!("payments/{out_trade_no}/cancel"), Some(&Cancel::default())).await;
    }

    async fn payment_callback(&self, out_trade_no: &str) -> Option<Callback> {
        let mut callbacks = self.ledger_of(out_trade_no).await.callbacks;
        callbacks.retain(|callback| callback.kind == CallbackKind::Payment);
        callbacks.pop()
    }

    async fn ledger_of(&self, out_trade_no: &str) -> Ledger {
        self.must(Method::GET, &format!("ledger?out_trade_no={out_trade_no}"), None::<&()>).await
    }

    async fn must<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&impl Serialize>) -> T {
        let what = format!("{method} /_sandbox/{path}");
        self.call(method, path, body).await.unwrap_or_else(|refused| panic!("{what}: {refused:?}"))
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Refused> {
        let mut request = self.http.request(method, format!("{}/_sandbox/{path}", self.url));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap_or_else(|error| panic!("the sandbox does not answer: {error}"));
        let status = answer.status();
        let text = answer.text().await.unwrap_or_else(|error| panic!("the sandbox stopped answering: {error}"));
        if status != StatusCode::OK {
            let problem = serde_json::from_str(&text).unwrap_or(Problem { error: text });
            return Err(Refused { status: status.as_u16(), error: problem.error });
        }
        Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("the sandbox answered {text}: {error}")))
    }
}
