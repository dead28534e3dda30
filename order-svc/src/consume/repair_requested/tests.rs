use proto::event::{RepairAction, RepairRequested};

use super::{Action, Outcome, Timestamp, Wrong, repair};

fn request(action: RepairAction) -> RepairRequested {
    RepairRequested {
        repair: "repairs/01980000-0000-7000-8000-000000000001".into(),
        discrepancy: "discrepancies/01980000-0000-7000-8000-000000000002".into(),
        merchant: "acme-mini".into(),
        bill_date: "2026-11-21".into(),
        code: "P10".into(),
        action: action.into(),
        out_trade_no: "01980000000070008000000000000003".into(),
        transaction_id: "4200".into(),
        out_refund_no: "console-1".into(),
        refund_id: "50".into(),
        bill_amount_fen: 100,
        requested_by: vec!["reconcile-svc".into()],
        request_time: None,
    }
}

fn wrong_field(change: impl FnOnce(&mut RepairRequested), action: RepairAction) -> Option<&'static str> {
    let mut request = request(action);
    change(&mut request);
    repair(&request, Timestamp::UNIX_EPOCH).err().map(|Wrong { field, .. }| field)
}

/// Of a request that is written down: which of its numbers nobody can be asked about.
fn wrong_number(change: impl FnOnce(&mut RepairRequested), action: RepairAction) -> Option<&'static str> {
    let mut request = request(action);
    change(&mut request);
    let asked = repair(&request, Timestamp::UNIX_EPOCH).expect("it is written down");
    asked.wrong.map(|Wrong { field, .. }| field)
}

#[test]
fn a_request_is_read_with_half_an_hour_to_do_it() {
    let asked = repair(&request(RepairAction::ImportRefund), Timestamp::UNIX_EPOCH).expect("it is right");
    assert_eq!(asked.refusal(), None);
    let read = asked.repair;
    assert_eq!((read.action, read.code.as_str(), read.deadline.as_second()), (Action::ImportRefund, "P10", 1800));
    assert_eq!((read.bill_amount.get(), read.bill_date.to_string().as_str()), (100, "2026-11-21"));
}

#[test]
fn every_wrong_field_is_named() {
    let query = RepairAction::QueryPayment;
    let wrong = |change: fn(&mut RepairRequested)| wrong_field(change, query);
    assert_eq!(wrong(|_| {}), None);
    assert_eq!(wrong(|request| request.repair = "repairs/1".into()), Some("repair"));
    assert_eq!(wrong(|request| request.discrepancy.clear()), Some("discrepancy"));
    assert_eq!(wrong(|request| request.merchant = "Acme".into()), Some("merchant"));
    assert_eq!(wrong(|request| request.bill_date = "21.11.2026".into()), Some("bill_date"));
    for code in ["", "P", "PP", "1", "P123", "é1"] {
        assert_eq!(wrong_field(|request| request.code = code.into(), query), Some("code"), "{code}");
    }
    assert_eq!(wrong(|request| request.action = 99), Some("action"));
    assert_eq!(wrong(|request| request.action = 0), Some("action"));
    assert_eq!(wrong(|request| request.bill_amount_fen = -1), Some("bill_amount_fen"));
    assert_eq!(wrong(|request| request.requested_by.clear()), Some("requested_by"));
}

#[test]
fn a_number_that_nobody_can_be_asked_about_is_answered_and_not_lost() {
    let wrong = |change: fn(&mut RepairRequested)| wrong_number(change, RepairAction::QueryPayment);
    assert_eq!(wrong(|_| {}), None);
    assert_eq!(wrong(|request| request.out_trade_no = "4".repeat(65)), Some("out_trade_no"));
    assert_eq!(wrong(|request| request.transaction_id = "4 2".into()), Some("transaction_id"));
    assert_eq!(wrong(|request| request.out_refund_no = "退款1".into()), Some("out_refund_no"));
    assert_eq!(wrong(|request| request.out_refund_no = "a.1".into()), Some("out_refund_no"));
    assert_eq!(wrong(|request| request.out_refund_no = "aZ09_-|*@".into()), None);
    assert_eq!(wrong(|request| request.refund_id = "5\0".into()), Some("refund_id"));
    assert_eq!(wrong(|request| request.out_trade_no.clear()), Some("out_trade_no"));

    let hostile =
        RepairRequested { out_refund_no: format!("退\0{}", "x".repeat(999)), ..request(RepairAction::ImportRefund) };
    let asked = repair(&hostile, Timestamp::UNIX_EPOCH).expect("it is written down");
    assert_eq!(asked.repair.out_refund_no, format!("退{}", "x".repeat(255)), "as much as is kept");
    let answer = asked.refusal().expect("nobody can be asked");
    let detail = "out_refund_no is not at most 64 printable ASCII characters, so the provider cannot be asked: a person must look";
    assert_eq!((answer.outcome, answer.detail.as_str()), (Outcome::NotApplicable, detail));
}

#[test]
fn what_an_action_is_about_must_be_named() {
    let no_refund = |request: &mut RepairRequested| {
        request.out_refund_no.clear();
        request.refund_id.clear();
    };
    let no_payment = |request: &mut RepairRequested| {
        request.out_trade_no.clear();
        request.transaction_id.clear();
    };
    let (query, import) = (RepairAction::QueryRefund, RepairAction::ImportRefund);
    assert_eq!([query, import].map(|action| wrong_number(no_refund, action)), [Some("out_refund_no"); 2]);
    assert_eq!(wrong_number(|request| request.out_refund_no.clear(), import), None, "the provider's number will do");
    assert_eq!([query, import].map(|action| wrong_number(no_payment, action)), [None, Some("out_trade_no")]);
    for action in [RepairAction::RepublishPayment, RepairAction::QueryPayment] {
        assert_eq!((wrong_number(no_refund, action), wrong_number(no_payment, action)), (None, Some("out_trade_no")));
    }
}

#[test]
fn money_goes_back_only_when_two_different_people_want_it() {
    let by = |names: &'static [&'static str]| {
        let change = |request: &mut RepairRequested| {
            request.requested_by = names.iter().map(|name| (*name).to_owned()).collect();
        };
        wrong_field(change, RepairAction::RefundSurplus)
    };
    assert_eq!(by(&["amy", "bo"]), None);
    for names in [&["amy"][..], &["amy", "amy"], &["amy", ""], &["amy", "bo", "cy"], &[]] {
        assert_eq!(by(names), Some("requested_by"), "{names:?}");
    }
}
