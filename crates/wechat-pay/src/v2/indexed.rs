//! Arrays that WeChat flattens into numbered names: `coupon_fee_0`, `refund_id_12`, `coupon_type_3_1`.
//!
//! Numbers are compared as numbers, since `_10` follows `_9`. Names without a number beside them, such as the
//! unindexed `refund_fee` of production answers, are no part of any array.

use std::collections::BTreeSet;

use money::Fen;

use super::{Coupon, FieldError, Fields, RefundStatus, RefundSummary};
use crate::time;

/// Largest number that is read; WeChat allows 50 refunds of an order and far fewer coupons.
const MAX_INDEX: u32 = 999;

/// The coupons of a payment (notice, order query).
pub fn payment_coupons(fields: &Fields) -> Result<Vec<Coupon>, FieldError> {
    coupons(fields, "coupon_id", "coupon_fee", None)
}

/// The coupons of one refund (answer to the refund call).
pub fn refund_coupons(fields: &Fields) -> Result<Vec<Coupon>, FieldError> {
    coupons(fields, "coupon_refund_id", "coupon_refund_fee", None)
}

/// The refunds of a refund query, each with its coupons.
pub fn refunds(fields: &Fields) -> Result<Vec<RefundSummary>, FieldError> {
    let found = indices(fields, |name| index_after(name, "refund_id").or_else(|| index_after(name, "out_refund_no")));
    found.into_iter().map(|n| refund(fields, Some(n))).collect()
}

/// Writes the refunds of an answer to a refund query, as the provider does: numbered from 0, whatever the offset.
pub fn write_refunds(refunds: &[RefundSummary]) -> Fields {
    let mut fields = Fields::new();
    for (n, refund) in refunds.iter().enumerate() {
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                fields.insert(format!("{name}_{n}"), value);
            }
        };
        let fen = |amount: Fen| amount.get().to_string();
        put("out_refund_no", Some(refund.out_refund_no.clone()));
        put("refund_id", Some(refund.refund_id.clone()));
        put("refund_fee", Some(fen(refund.refund_fee)));
        put("settlement_refund_fee", refund.settlement_refund_fee.map(fen));
        put("refund_status", Some(refund.status.as_str().to_owned()));
        put("refund_channel", refund.channel.clone());
        put("refund_recv_accout", refund.received_by.clone());
        put("refund_success_time", refund.succeeded_at.map(time::print_spaced));
        put("coupon_refund_fee", refund.coupon_refund_fee.map(fen));
        put("coupon_refund_count", Some(refund.coupons.len().to_string()));
        for (m, coupon) in refund.coupons.iter().enumerate() {
            let mut put = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    fields.insert(format!("{name}_{n}_{m}"), value);
                }
            };
            put("coupon_refund_id", coupon.id.clone());
            put("coupon_type", coupon.kind.clone());
            put("coupon_refund_fee", coupon.fee.map(fen));
        }
    }
    fields
}

/// The one refund of an answer that does not number it (`refundqueryv2`).
pub(crate) fn refund_without_number(fields: &Fields) -> Result<RefundSummary, FieldError> {
    refund(fields, None)
}

fn refund(fields: &Fields, n: Option<u32>) -> Result<RefundSummary, FieldError> {
    let named = |name: &str| numbered(name, n);
    let text = |name: &str| fields.text(&named(name)).map(str::to_owned);
    let required = |name: &str| fields.required(&named(name)).map(str::to_owned);
    Ok(RefundSummary {
        out_refund_no: required("out_refund_no")?,
        refund_id: required("refund_id")?,
        refund_fee: fields.required_fen(&named("refund_fee"))?,
        settlement_refund_fee: fields.fen(&named("settlement_refund_fee"))?,
        status: RefundStatus::parse(&required("refund_status")?),
        channel: text("refund_channel"),
        // WeChat's spelling.
        received_by: text("refund_recv_accout"),
        succeeded_at: fields.time_spaced(&named("refund_success_time"))?,
        coupon_refund_fee: fields.fen(&named("coupon_refund_fee"))?,
        coupons: coupons(fields, "coupon_refund_id", "coupon_refund_fee", n)?,
    })
}

fn numbered(name: &str, n: Option<u32>) -> String {
    n.map_or_else(|| name.to_owned(), |n| format!("{name}_{n}"))
}

/// The coupons named `…_m`, or `…_n_m` for the coupons of refund `n`.
fn coupons(fields: &Fields, id: &str, fee: &str, of_refund: Option<u32>) -> Result<Vec<Coupon>, FieldError> {
    let named = |name: &str| numbered(name, of_refund);
    let (id, fee, kind) = (named(id), named(fee), named("coupon_type"));
    let found = indices(fields, |name| [&id, &fee, &kind].into_iter().find_map(|prefix| index_after(name, prefix)));
    found
        .into_iter()
        .map(|m| {
            Ok(Coupon {
                id: fields.text(&format!("{id}_{m}")).map(str::to_owned),
                kind: fields.text(&format!("{kind}_{m}")).map(str::to_owned),
                fee: fields.fen(&format!("{fee}_{m}"))?,
            })
        })
        .collect()
}

/// The numbers that `index` finds among the names, ascending.
fn indices(fields: &Fields, index: impl Fn(&str) -> Option<u32>) -> BTreeSet<u32> {
    fields.iter().filter(|(_, value)| !value.is_empty()).filter_map(|(name, _)| index(name)).collect()
}

/// The number `n` of a name that is exactly `prefix_n`.
fn index_after(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.strip_prefix(prefix)?.strip_prefix('_')?;
    let canonical = digits == "0" || !digits.starts_with('0');
    if !canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|index| *index <= MAX_INDEX)
}
