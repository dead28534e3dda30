//! Decisions and small tables.

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use money::Fen;
use serde_json::{Value, json};
use wechat_pay::time;
use wechat_pay::v2::action::{self, Action, Api, Outcome};
use wechat_pay::v2::login::{self, Login};
use wechat_pay::v2::notice::{self, Decision, ExpectedOrder, Notice, PaidBy};
use wechat_pay::v2::{Answer, Coupon, Identity, LocalState, TradeState, Unknown, indexed};

use super::{fields, integer, key, object, optional, same, sign_type, text};

pub(super) fn notify_decision(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let order = input.get("order").filter(|order| !order.is_null()).map(expected_order).transpose()?;
    let notice = key(input).map(|key| {
        let pinned = sign_type(input)?;
        anyhow::Ok(notice::read(text(input, "xml")?.as_bytes(), &key, &[pinned])?)
    });
    let (decision, why) = match notice {
        Err(error) | Ok(Err(error)) => ("reject", error.to_string()),
        Ok(Ok(Notice::NotPaid)) => ("not_paid", String::new()),
        Ok(Ok(Notice::Paid(notice))) => match notice::decide(&notice, order.as_ref()) {
            Decision::MarkPaid => ("mark_paid", String::new()),
            Decision::AlreadyPaid => ("already_paid", String::new()),
            Decision::Reject(mismatch) => ("reject", mismatch.to_string()),
        },
    };
    let expected = text(expect, "decision")?;
    ensure!(decision == expected, "expected {expected}, found {decision} ({why})");
    Ok(())
}

fn expected_order(order: &Value) -> anyhow::Result<ExpectedOrder> {
    Ok(ExpectedOrder {
        identity: Identity {
            appid: text(order, "appid")?.to_owned(),
            mch_id: text(order, "mch_id")?.to_owned(),
            sub_appid: optional(order, "sub_appid").map(str::to_owned),
            sub_mch_id: optional(order, "sub_mch_id").map(str::to_owned),
        },
        out_trade_no: text(order, "out_trade_no")?.to_owned(),
        total_fee: Fen::new(integer(order, "total_fee")?),
        fee_type: optional(order, "fee_type").unwrap_or("CNY").to_owned(),
        paid_by: (optional(order, "state") == Some("PAID"))
            .then(|| PaidBy { transaction_id: optional(order, "transaction_id").unwrap_or_default().to_owned() }),
    })
}

pub(super) fn next_action(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let api = match text(input, "api")? {
        "unifiedorder" => Api::UnifiedOrder,
        "orderquery" | "facepayquery" => Api::OrderQuery,
        "closeorder" => Api::CloseOrder,
        "refund" | "refundv2" => Api::Refund,
        "refundquery" | "refundqueryv2" => Api::RefundQuery,
        "downloadbill" | "downloadfundflow" => Api::DownloadBill,
        "micropay" => Api::Micropay,
        "facepay" => Api::Facepay,
        "reverse" | "facepayreverse" => Api::Reverse,
        "authcodetoopenid" => Api::AuthCodeToOpenid,
        "sendredpack" => Api::SendRedpack,
        other => bail!("unknown api {other}"),
    };
    let recall = optional(input, "recall") == Some("Y");
    let action = if optional(input, "transport").is_some_and(|transport| transport != "ok") {
        action::next_action(api, Outcome::NoAnswer)
    } else if optional(input, "return_code") == Some("FAIL") {
        let return_msg = optional(input, "return_msg").unwrap_or_default().to_owned();
        let err_code = optional(input, "err_code").map(str::to_owned);
        action::after(api, &Answer::Unknown(Unknown::NotSigned { return_msg, err_code }))
    } else if optional(input, "result_code") == Some("SUCCESS") {
        action::next_action(api, Outcome::Success { recall })
    } else {
        let err_code = optional(input, "err_code").unwrap_or_default();
        let err_code_des = optional(input, "err_code_des");
        action::next_action(api, Outcome::Refused { err_code, err_code_des, recall })
    };
    same("action", &Action::as_str(action), &text(expect, "action")?)
}

pub(super) fn trade_state(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let local = match TradeState::parse(text(input, "trade_state")?).local() {
        LocalState::Paid => "paid",
        LocalState::PaidWithRefund => "paid_with_refund",
        LocalState::Pending => "pending",
        LocalState::Closed => "closed",
        LocalState::Reversed => "reversed",
        LocalState::Failed => "failed",
        LocalState::Unknown => "unknown",
    };
    same("local", &local, &text(expect, "local")?)
}

pub(super) fn notify_schedule(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let seconds: Vec<u64> = notice::RETRY_SCHEDULE.iter().map(std::time::Duration::as_secs).collect();
    for side in [input, expect] {
        if let Some(expected) = side.get("intervals_s") {
            same("intervals_s", &json!(seconds), expected)?;
        }
    }
    let total: u64 = seconds.iter().sum();
    expect.get("total_s").map_or(Ok(()), |expected| same("total_s", &json!(total), expected))
}

pub(super) fn indexed_fields(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let fields = fields(object(input, "fields")?);
    let found = match text(input, "shape")? {
        "payment_coupons" => json!({ "coupons": coupons(&indexed::payment_coupons(&fields)?) }),
        "refund_coupons" => json!({ "coupons": coupons(&indexed::refund_coupons(&fields)?) }),
        "refundquery" => {
            let refunds = indexed::refunds(&fields)?;
            let refunds = refunds.iter().map(|refund| {
                json!({
                    "out_refund_no": refund.out_refund_no,
                    "refund_id": refund.refund_id,
                    "refund_fee": refund.refund_fee.get(),
                    "refund_status": refund.status.as_str(),
                    "coupon_refund_fee": refund.coupon_refund_fee.map(Fen::get),
                    "coupons": coupons(&refund.coupons),
                })
            });
            json!({ "refunds": refunds.collect::<Vec<_>>() })
        }
        other => bail!("unknown shape {other}"),
    };
    same("arrays", &without_nothing(&found), &without_nothing(expect))
}

fn coupons(coupons: &[Coupon]) -> Vec<Value> {
    coupons
        .iter()
        .map(|coupon| json!({ "id": coupon.id, "type": coupon.kind, "fee": coupon.fee.map(Fen::get) }))
        .collect()
}

/// The value without nulls and empty arrays, so that "absent" has one form.
fn without_nothing(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|array| !array.is_empty()))
            .map(|(name, value)| (name.clone(), without_nothing(value)))
            .collect(),
        Value::Array(array) => array.iter().map(without_nothing).collect(),
        other => other.clone(),
    }
}

pub(super) fn jscode2session(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let ok = expect.get("ok").and_then(Value::as_bool).context("vector has no ok")?;
    let errcode = expect.get("errcode").filter(|errcode| !errcode.is_null());
    let retry = expect.get("retry").and_then(Value::as_bool);
    match login::parse(text(input, "body")?.as_bytes()) {
        Login::Session(session) => {
            ensure!(ok, "accepted, but must be refused");
            optional(expect, "openid").map_or(Ok(()), |openid| same("openid", &session.openid.as_str(), &openid))
        }
        Login::Refused(refusal) => {
            ensure!(!ok, "refused with {}", refusal.errcode);
            if let Some(errcode) = errcode {
                same("errcode", &json!(refusal.errcode), errcode)?;
            }
            retry.map_or(Ok(()), |retry| same("retry", &refusal.reason.may_retry(), &retry))
        }
        Login::Unreadable => {
            ensure!(!ok, "not readable");
            Ok(())
        }
    }
}

pub(super) fn time(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let at = Timestamp::from_second(integer(input, "unix")?)?;
    let expected = text(expect, "beijing14")?;
    same("beijing14", &time::print_14(at).as_str(), &expected)?;
    same("read back", &time::parse_14(expected)?, &at)
}
