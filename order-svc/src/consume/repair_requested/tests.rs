use proto::event::{RepairAction, RepairRequested};

use super::{Action, Timestamp, Wrong, repair};

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

#[test]
fn a_request_is_read_with_half_an_hour_to_do_it() {
    let read = repair(&request(RepairAction::ImportRefund), Timestamp::UNIX_EPOCH).expect("it is right");
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
    assert_eq!(wrong(|request| request.out_trade_no = "4".repeat(65)), Some("out_trade_no"));
    assert_eq!(wrong(|request| request.transaction_id = "4 2".into()), Some("transaction_id"));
    assert_eq!(wrong(|request| request.bill_amount_fen = -1), Some("bill_amount_fen"));
    assert_eq!(wrong(|request| request.out_trade_no.clear()), Some("out_trade_no"));
    assert_eq!(wrong(|request| request.requested_by.clear()), Some("requested_by"));
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
    assert_eq!([query, import].map(|action| wrong_field(no_refund, action)), [Some("out_refund_no"); 2]);
    assert_eq!(wrong_field(|request| request.out_refund_no.clear(), import), None, "the provider's number will do");
    assert_eq!([query, import].map(|action| wrong_field(no_payment, action)), [None, Some("out_trade_no")]);
    for action in [RepairAction::RepublishPayment, RepairAction::QueryPayment] {
        assert_eq!((wrong_field(no_refund, action), wrong_field(no_payment, action)), (None, Some("out_trade_no")));
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
