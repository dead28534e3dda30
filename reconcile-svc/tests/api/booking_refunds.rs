use std::fmt::Debug;

use jiff::civil::date;
use proto::event::refund_changed::State;
use reconcile_svc::books::{ProviderRefund, RefundNote};
use reconcile_svc::store::books::{note_provider_refund, note_refund};
use sqlx::{Connection as _, PgConnection};

use crate::bill::{MCH_ID, Payment};
use crate::books::Books;
use crate::refund_facts::Refund;

/// Every order in which these can come.
fn orders<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(first);
        all.extend(orders(&rest).into_iter().map(|tail| [vec![first.clone()], tail].concat()));
    }
    all
}

/// State, whether each time is known, and every text of the only refund.
async fn row(conn: &mut PgConnection) -> impl Debug + PartialEq + Clone + use<> {
    sqlx::query_as::<_, (String, String, Option<String>, String, String, String, i64, String, [bool; 4])>(
        "SELECT state, out_refund_no, refund_id, out_trade_no, transaction_id, mch_id, amount_fen, cause,
             ARRAY[create_time IS NOT NULL, accept_time IS NOT NULL, accept_date IS NOT NULL, success_time IS NOT NULL]
         FROM book_refunds",
    )
    .fetch_one(conn)
    .await
    .expect("one refund")
}

/// Notes these in every order, each twice, and asserts that the last row is always the same; its state is returned.
async fn always_the_same(notes: &[RefundNote]) -> String {
    let mut books = Books::open().await;
    let mut first = None;
    for notes in orders(notes) {
        let mut tx = books.conn.begin().await.expect("a transaction");
        for note in notes.iter().chain(&notes) {
            note_refund(&mut tx, note).await.expect("noted");
        }
        let row = row(&mut tx).await;
        tx.rollback().await.expect("as if nothing were");
        assert_eq!(*first.get_or_insert_with(|| row.clone()), row, "{notes:?}");
    }
    let mut tx = books.conn.begin().await.expect("a transaction");
    for note in notes {
        note_refund(&mut tx, note).await.expect("noted");
    }
    sqlx::query_scalar("SELECT state FROM book_refunds").fetch_one(&mut *tx).await.expect("one refund")
}

fn refund() -> Refund {
    Refund::of(&Payment::on(date(2026, 11, 21), 100), 40)
}

fn note<E: TryInto<RefundNote, Error: Debug>>(event: E) -> RefundNote {
    event.try_into().expect("a whole event")
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_bounced_and_arrived_later_has_arrived_in_whatever_order_we_hear_it() {
    let refund = refund();
    let notes =
        [note(refund.created()), note(refund.accepted()), note(refund.failed("ABNORMAL")), note(refund.refunded())];
    assert_eq!(always_the_same(&notes).await, "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_bounced_and_was_given_up_is_closed_in_whatever_order_we_hear_it() {
    let refund = refund();
    let notes = [
        note(refund.created()),
        note(refund.accepted()),
        note(refund.failed("ABNORMAL")),
        note(refund.failed("CLOSED")),
    ];
    assert_eq!(always_the_same(&notes).await, "CLOSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_took_was_not_rejected_in_whatever_order_we_hear_it() {
    let refund = refund();
    let rejected = [note(refund.created()), note(refund.failed("REJECTED"))];
    assert_eq!(always_the_same(&rejected).await, "REJECTED");
    let taken = [note(refund.created()), note(refund.failed("REJECTED")), note(refund.accepted())];
    assert_eq!(always_the_same(&taken).await, "PROCESSING");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_alone_is_booked_with_everything_that_it_knows() {
    let refund = refund();
    let alone = [
        (note(refund.created()), "CREATED"),
        (note(refund.accepted()), "PROCESSING"),
        (note(refund.failed("REJECTED")), "REJECTED"),
        (note(refund.failed("ABNORMAL")), "ABNORMAL"),
        (note(refund.refunded()), "SUCCEEDED"),
    ];
    for (note, state) in alone {
        let mut books = Books::open().await;
        note_refund(&mut books.conn, &note).await.expect("noted");
        let (found, payment, transaction, account): (String, String, String, String) =
            sqlx::query_as("SELECT state, out_trade_no, transaction_id, mch_id FROM book_refunds")
                .fetch_one(&mut books.conn)
                .await
                .expect("one refund");
        assert_eq!(found, state);
        assert_eq!((payment, transaction), (refund.out_trade_no.clone(), refund.transaction_id.clone()), "{state}");
        assert_eq!(account, MCH_ID, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_of_a_refund_is_told_once_and_the_first_report_stays() {
    let (mut books, refund) = (Books::open().await, refund());
    let mut second = refund.told(State::Succeeded);
    second.source = proto::event::Source::Notice.into();
    for event in [refund.told(State::Abnormal), refund.told(State::Succeeded), second] {
        let note = ProviderRefund::try_from(event).expect("a whole event");
        note_provider_refund(&mut books.conn, &note).await.expect("noted");
    }
    let told: Vec<(String, String)> = sqlx::query_as("SELECT state, source FROM provider_refunds ORDER BY state")
        .fetch_all(&mut books.conn)
        .await
        .expect("rows");
    let query = || "SOURCE_QUERY".to_owned();
    assert_eq!(told, [("ABNORMAL".to_owned(), query()), ("SUCCEEDED".to_owned(), query())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_without_a_word_can_never_be_booked() {
    let event = refund().told(State::Unspecified);
    assert_eq!(
        ProviderRefund::try_from(event).map_err(|error| error.to_string()).err().as_deref(),
        Some("field state is missing or malformed")
    );
}
