use std::collections::BTreeSet;

use proto::{
    error::ErrorReason,
    gateway::v1::{NotDone, Prepaid},
    order::v1::{NativeScan, native_scan_answer::Answer},
};
use svc_kit::refusal::refuse as refusal;
use tonic::Code;

use super::{No, OwnName, Reply as _, ToPhone, no};
use crate::{
    api::{fields, refuse},
    domain::settle::samples,
};

fn scan() -> NativeScan {
    NativeScan {
        openid: "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o".into(),
        product_id: "01980000000070008000000000000001".into(),
        nonce_str: "5K8264ILTKCH16CQ2502SI8ZNMTM67VS".into(),
        ..NativeScan::default()
    }
}

#[test]
fn the_same_scan_has_one_name_and_every_other_scan_another() {
    let scans = [
        scan(),
        NativeScan { openid: "oOther".into(), ..scan() },
        NativeScan { nonce_str: "other".into(), ..scan() },
        NativeScan { product_id: "01980000000070008000000000000002".into(), ..scan() },
        // A border between two parts that has moved.
        NativeScan { openid: format!("{}5", scan().openid), nonce_str: scan().nonce_str[1..].into(), ..scan() },
    ];
    let names: BTreeSet<_> =
        scans.iter().map(|scan| (OwnName::of(scan).order_no, OwnName::of(scan).request_id)).collect();
    assert_eq!(names.len(), scans.len());
    let other_words = NativeScan { merchant: "acme".into(), app_id: "wx".into(), ..scan() };
    assert_eq!(OwnName::of(&other_words).order_no, OwnName::of(&scan()).order_no);
}

#[test]
fn the_order_of_a_scan_has_a_number_that_a_team_could_have_and_that_hides_the_payer() {
    let own = OwnName::of(&scan());
    assert!(fields::is_order_no(&own.order_no), "{}", own.order_no);
    assert!(!own.order_no.contains(&scan().openid));
    assert!(!own.request_id.is_nil());
}

#[test]
fn every_refusal_fits_onto_a_phone() {
    let all = [No::Unknown, No::Closed, No::Over, No::Refused, No::Busy];
    let words: BTreeSet<_> = all.iter().map(|no| no.words()).collect();
    assert_eq!(words.len(), all.len());
    assert!(words.iter().all(|words| (1..=128).contains(&words.len())), "{words:?}");
}

#[test]
fn a_payer_is_told_to_scan_again_only_when_that_can_help() {
    let (mut order, _) = samples::pending(1);
    assert_eq!(no(&refuse::provider_unknown()), No::Busy);
    assert_eq!(no(&refuse::try_again("later")), No::Busy);
    assert_eq!(no(&refuse::order_expired(&order)), No::Over);
    order.close_requested_at = Some(order.create_time);
    assert_eq!(no(&refuse::order_being_closed(&order)), No::Over);
    assert_eq!(no(&refuse::provider_refused(&NotDone::default())), No::Refused);
    assert_eq!(no(&refuse::method_not_available("no app")), No::Refused);
    assert_eq!(no(&refusal(Code::Internal, ErrorReason::Internal.word(), "a mistake", [])), No::Busy);
}

#[test]
fn only_a_prepaid_order_opens_a_cashier() {
    let (_, payments) = samples::pending(1);
    let of = |prepay_id: &str| {
        let prepaid = Prepaid { prepay_id: prepay_id.into(), ..Prepaid::default() };
        ToPhone.of(&payments[0], prepaid, payments[0].expire_time)
    };
    assert_eq!(of("wx2026").and_then(|answer| answer.answer), Some(Answer::PrepayId("wx2026".into())));
    assert_eq!(of(""), None);
}
