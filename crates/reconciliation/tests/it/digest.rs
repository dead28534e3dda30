//! What names a difference, and what pins a result.

use jiff::civil::date;
use money::{Fen, MilliFen};
use reconciliation::books::OrderState;
use reconciliation::{AccountKind, BoundaryMatch, Code, Key, Leg, MovementState, Outcome, Repair};

use crate::world::{DAY_BEFORE, World};

/// An outcome with something in every field.
fn outcome() -> Outcome {
    let mut world = World::default();
    world.pay(100);
    world.pay(250).issued_only(OrderState::Open);
    world.pay(70).book_mut().paid_date = DAY_BEFORE;
    world.refund(0, 40);
    world.withdraw(5);
    world.outcome()
}

#[test]
fn the_digest_is_the_same_in_every_process() {
    assert_eq!(outcome().digest_hex(), outcome().digest_hex());
    assert_eq!(outcome().digest_hex().len(), 64);
    let nothing = World::default().outcome().digest_hex();
    assert_ne!(nothing, outcome().digest_hex());
}

#[test]
fn whatever_changes_in_a_result_changes_its_digest() {
    let changes: [fn(&mut Outcome); 28] = [
        |it| it.bill.count += 1,
        |it| it.bill_refunds.sum = Fen::new(1),
        |it| it.revoked.sum = Fen::new(1),
        |it| it.fee = MilliFen::new(1),
        |it| it.books.count += 1,
        |it| it.book_refunds.count += 1,
        |it| it.matched.count += 1,
        |it| it.matched_refunds.count += 1,
        |it| it.accounts[0].state = MovementState::NotFetched,
        |it| it.accounts[0].opening = None,
        |it| it.accounts[0].closing = Some(Fen::ZERO),
        |it| it.accounts[0].movements[0].kind.push(' '),
        |it| it.accounts[0].movements[0].count += 1,
        |it| it.accounts[0].movements[0].of_trades ^= true,
        |it| it.differences[0].code = Code::P2,
        |it| it.differences[0].key.movement.push('1'),
        |it| it.differences[0].app_id.push('1'),
        |it| it.differences[0].bill_amount = None,
        |it| it.differences[0].book_amount = Some(Fen::ZERO),
        |it| it.differences[0].risk = Fen::ZERO,
        |it| it.differences[0].due = Some(date(2026, 11, 22)),
        |it| it.differences[0].repair = Some(Repair::QueryRefund),
        |it| it.differences[0].explanation.push(' '),
        |it| it.boundary.push(BoundaryMatch { leg: Leg::Fund, ..it.boundary[0].clone() }),
        |it| it.boundary[0].number.push('1'),
        |it| it.boundary[0].book_date = date(2026, 11, 18),
        |it| it.boundary[0].amount = None,
        |it| it.boundary[0].fee = Fen::new(1),
    ];
    let mut digests = vec![outcome().digest()];
    for change in changes {
        let mut other = outcome();
        change(&mut other);
        digests.push(other.digest());
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), changes.len() + 1);
}

#[test]
fn a_fingerprint_is_made_of_every_number() {
    let key = Key {
        out_trade_no: "N1".to_owned(),
        transaction_id: "42".to_owned(),
        out_refund_no: "R1".to_owned(),
        refund_id: "50".to_owned(),
        account: Some(AccountKind::Basic),
        movement: "19".to_owned(),
    };
    assert_eq!(key.fingerprint(), "N1/42|R1/50|BASIC/19");
    let payment = Key { out_trade_no: "N1".to_owned(), transaction_id: "42".to_owned(), ..Key::default() };
    assert_eq!(payment.fingerprint(), "N1/42|/|/");
}

#[test]
fn no_number_imitates_the_border_between_two() {
    let of = |out_trade_no: &str, transaction_id: &str| {
        let (out_trade_no, transaction_id) = (out_trade_no.to_owned(), transaction_id.to_owned());
        Key { out_trade_no, transaction_id, ..Key::default() }.fingerprint()
    };
    assert_ne!(of("a/b", "c"), of("a", "b/c"));
    assert_ne!(of("a\\", "c"), of("a", "\\c"));
    assert_ne!(of("a\\/b", "c"), of("a\\", "b/c"));
    assert_ne!(of("a|b", "c"), of("a", "b|c"));
}
