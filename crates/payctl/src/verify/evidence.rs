use jiff::Timestamp;
use sandbox::control::Ledger;
use uuid::Uuid;

use super::{DeadLetter, Fact, Journal, OrderRow, PaymentRow, RefundRow, RepairRow};

/// Everything that the witnesses say about the orders of one [`super::Window`].
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What really happened at the provider; only the sandbox shows it.
    pub ledger: Option<Ledger>,
    /// Our orders.
    pub orders: Vec<OrderRow>,
    /// Their payments.
    pub payments: Vec<PaymentRow>,
    /// Their refunds; `None` when the database is older than refunds.
    pub refunds: Option<Vec<RefundRow>>,
    /// Their changes of state; `None` when the database is older than the journal.
    pub journal: Option<Journal>,
    /// What reconciliation asked for; nothing when the database is older than that.
    pub repairs: Vec<RepairRow>,
    /// How requests were answered.
    pub requests: Requests,
    /// Their facts on the stream PAY, and those that belong to nobody.
    pub pay: Vec<Fact>,
    /// Their facts on the stream ORDER, and those that belong to nobody.
    pub order: Vec<Fact>,
    /// Everything on the stream DEAD.
    pub dead: Vec<DeadLetter>,
    /// Which of these facts a consumer has not recorded as applied.
    pub unapplied: Vec<Unapplied>,
    /// The books of reconcile-svc, when it takes part.
    pub books: Option<Books>,
    /// What was still on its way.
    pub waiting: Vec<Waiting>,
    /// Whether order-svc takes part: what nobody was there to do is not missed.
    pub applied: bool,
    /// When the databases were read, by their clock.
    pub looked_at: Timestamp,
}

/// How requests were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// Payments that more than one request id wrote, and how many.
    pub shared: Vec<(Uuid, i64)>,
    /// Request ids with an answer and a refusal.
    pub answered_twice: Vec<(String, Uuid)>,
}

/// A fact that a durable has not recorded as applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unapplied {
    /// The durable.
    pub durable: &'static str,
    /// The fact.
    pub id: String,
    /// Where it was published.
    pub subject: String,
    /// Its place in its stream.
    pub sequence: u64,
    /// When the stream took it.
    pub published: Timestamp,
}

/// Something on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// An event in an outbox.
    Outbox {
        /// Whose.
        service: &'static str,
        /// Its id.
        event_id: String,
    },
    /// Messages that a durable has not acked.
    Backlog {
        /// Which durable.
        durable: &'static str,
        /// Not delivered yet.
        pending: u64,
        /// Delivered, not acked yet.
        unacked: usize,
        /// Everything up to here is acked. A durable that works moves it.
        acked_up_to: u64,
    },
    /// A durable that does not exist.
    NoDurable {
        /// Which.
        durable: &'static str,
    },
}

/// What reconcile-svc has written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// What we accepted.
    pub taken: Vec<Taken>,
    /// What the provider told.
    pub told: Vec<Told>,
}

/// A payment that the books hold as accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Taken {
    /// The payment's number.
    pub out_trade_no: String,
    /// The provider's number.
    pub transaction_id: String,
    /// Fen.
    pub amount_fen: i64,
    /// PAID or SURPLUS.
    pub kept_as: String,
}

/// A payment that the provider told about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Told {
    /// The provider's number.
    pub transaction_id: String,
    /// The payment's number.
    pub out_trade_no: String,
    /// Fen.
    pub amount_fen: i64,
}
