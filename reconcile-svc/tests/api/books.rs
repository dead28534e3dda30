//! Our books without the service around them: a database, what is noted in it, and what is read back.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use proto::event::{OrderClosed, OrderCreated, OrderPaid, PaymentCreated, PaymentPaid, PaymentSurplus};
use reconcile_svc::books::{BookError, IssuedPayment, OrderNote, ProviderPayment, RefundNote, TakenPayment};
use reconcile_svc::store;
use reconcile_svc::store::books::day;
use reconciliation::books::{BookPayment, BookRefund};
use reconciliation::{Answers, Questions};
use sqlx::{Connection as _, PgConnection};

use crate::bill::MERCHANT;
use crate::programs::Postgres;

/// A database with our tables and one connection to it.
pub(crate) struct Books {
    pub(crate) conn: PgConnection,
    _postgres: Arc<Postgres>,
}

impl Books {
    pub(crate) async fn open() -> Self {
        let postgres = tokio::task::spawn_blocking(Postgres::shared).await.expect("Postgres starts");
        let mut conn = PgConnection::connect(&postgres.database().await).await.expect("Postgres answers");
        store::migrations().run(&mut conn).await.expect("our tables");
        Self { conn, _postgres: postgres }
    }

    pub(crate) async fn order<E: TryInto<OrderNote, Error = BookError>>(&mut self, event: E) {
        let note = event.try_into().expect("a whole event");
        store::books::note_order(&mut self.conn, &note).await.expect("noted");
    }

    pub(crate) async fn issued(&mut self, event: PaymentCreated) {
        let note = IssuedPayment::try_from(event).expect("a whole event");
        store::books::note_issued(&mut self.conn, &note).await.expect("noted");
    }

    pub(crate) async fn taken<E: TryInto<TakenPayment, Error = BookError>>(&mut self, event: E) {
        let note = event.try_into().expect("a whole event");
        store::books::note_taken(&mut self.conn, &note).await.expect("noted");
    }

    pub(crate) async fn told(&mut self, event: PaymentPaid) {
        let note = ProviderPayment::try_from(event).expect("a whole event");
        store::books::note_provider_payment(&mut self.conn, &note).await.expect("noted");
    }

    pub(crate) async fn refund<E: TryInto<RefundNote, Error = BookError>>(&mut self, event: E) {
        let note = event.try_into().expect("a whole event");
        store::books::note_refund(&mut self.conn, &note).await.expect("noted");
    }

    /// The current run of another day found this number of the provider in its trade bill or its fund flow, with an amount and what
    /// it was charged.
    pub(crate) async fn found(
        &mut self,
        (bill_date, leg): (Date, &str),
        number: &str,
        book_date: Date,
        (amount_fen, fee_fen): (Option<i64>, i64),
    ) {
        sqlx::query(
            "WITH run AS (
                 INSERT INTO runs (run_id, merchant, bill_date, version, state, current, engine_version, start_time, end_time)
                 VALUES (gen_random_uuid(), $1, $2::DATE, 1, 'DIFFERENCES', TRUE, 4, now(), now())
                 ON CONFLICT (merchant, bill_date, version) DO UPDATE SET version = 1 RETURNING run_id)
             INSERT INTO run_boundary (run_id, merchant, leg, number, book_date, amount_fen, fee_fen)
             SELECT run_id, $1, $3, $4, $5::DATE, $6, $7 FROM run",
        )
        .bind(MERCHANT)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(bill_date))
        .bind(leg)
        .bind(number)
        .bind(jiff_sqlx::ToSqlx::to_sqlx(book_date))
        .bind(amount_fen)
        .bind(fee_fen)
        .execute(&mut self.conn)
        .await
        .expect("written");
    }

    /// The file of payments, and its lines read.
    pub(crate) async fn payments(&mut self, day: Date, now: Timestamp) -> (String, Vec<BookPayment>) {
        let mut file = Vec::new();
        day::copy_payments(&mut self.conn, MERCHANT, day, now, &mut file).await.expect("copied");
        let text = String::from_utf8(file).expect("UTF-8");
        let read = text.lines().map(|line| BookPayment::parse_line(line).expect("a line")).collect();
        (text, read)
    }

    /// The file of refunds, and its lines read.
    pub(crate) async fn refunds(&mut self, day: Date, now: Timestamp) -> (String, Vec<BookRefund>) {
        let mut file = Vec::new();
        day::copy_refunds(&mut self.conn, MERCHANT, day, now, &mut file).await.expect("copied");
        let text = String::from_utf8(file).expect("UTF-8");
        let read = text.lines().map(|line| BookRefund::parse_line(line).expect("a line")).collect();
        (text, read)
    }

    pub(crate) async fn answer(&mut self, day: Date, now: Timestamp, questions: &Questions) -> Answers {
        day::answer(&mut self.conn, MERCHANT, day, now, questions).await.expect("an answer")
    }
}

/// As order-svc tells that an order was closed.
pub(crate) fn closed(created: OrderCreated) -> OrderClosed {
    OrderClosed {
        order: created.order,
        app: created.app,
        order_no: created.order_no,
        merchant: created.merchant,
        amount_fen: created.amount_fen,
        close_time: created.expire_time,
        ..Default::default()
    }
}

/// As order-svc tells that money came which its order could not keep.
pub(crate) fn surplus(paid: OrderPaid) -> PaymentSurplus {
    PaymentSurplus {
        order: paid.order,
        payment: paid.payment,
        app: paid.app,
        order_no: paid.order_no,
        merchant: paid.merchant,
        amount_fen: paid.amount_fen,
        out_trade_no: paid.out_trade_no,
        transaction_id: paid.transaction_id,
        provider: paid.provider,
        paid_time: paid.paid_time,
    }
}
