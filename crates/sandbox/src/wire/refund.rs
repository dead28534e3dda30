use axum::{body::Body, response::Response};
use http::{StatusCode, header};
use merchants::NoticeKind;
use money::Fen;
use wechat_pay::v2::{Fields, limits};

use super::{
    Refusal, Request,
    exchange::with_status,
    order_query::named_order,
    unified_order::{malformed, required},
};
use crate::{
    control::RefundSource,
    ledger::{Ledger, Limited, Order, Refund, RefundRefused, Refundable},
    platform::Platform,
};

/// What the host says in place of WeChat when a call needs a certificate and none was sent.
const NO_CERTIFICATE: &str = "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n\
    <center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n\
    <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

/// What WeChat says to a certificate of somebody else.
pub(super) const FOREIGN_CERTIFICATE: &str = "证书验证失败";

/// Where the money may be taken from.
const ACCOUNTS: [&str; 2] = ["REFUND_SOURCE_UNSETTLED_FUNDS", "REFUND_SOURCE_RECHARGE_FUNDS"];

/// The answer to a call without a certificate: a page of the web server, which WeChat has never heard of.
pub(super) fn no_certificate() -> Response {
    let mut response = with_status(StatusCode::BAD_REQUEST, Body::from(NO_CERTIFICATE));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
    response
}

/// Codes of refusals that are nobody's mistake, and count for nothing.
const INNOCENT: [&str; 3] = ["SYSTEMERROR", "NOTENOUGH", "FREQUENCY_LIMITED"];

/// A check of what a refund wants to give back.
pub(super) type Check = fn(&Ledger, &Order, &Request) -> Result<(), Refusal>;

/// Accepts a refund, or finds the one that has this number. That says nothing about the money yet.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    rated(platform, request, None)
}

/// Accepts a refund, unless the merchant asks too often.
pub(super) fn rated(platform: &Platform, request: &Request, check: Option<Check>) -> Result<Fields, Refusal> {
    let (mch_id, now) = (request.mch_id(), platform.clock.now());
    platform.ledger().refund_rates.admit(mch_id, now).map_err(|limited| match limited {
        Limited::Requests => Refusal::named("FREQUENCY_LIMITED"),
        Limited::Failures => Refusal::named("INVALID_REQ_TOO_MUCH"),
    })?;
    let outcome = accept(platform, request, check);
    if outcome.as_ref().is_err_and(|refusal| !INNOCENT.contains(&refusal.err_code.as_str())) {
        platform.ledger().refund_rates.failed(mch_id, now);
    }
    outcome
}

fn accept(platform: &Platform, request: &Request, check: Option<Check>) -> Result<Fields, Refusal> {
    let now = platform.clock.now();
    let wanted = read(request)?;
    let mut ledger = platform.ledger();
    let id = named_order(&ledger, request)?.ok_or_else(|| Refusal::named("ORDERNOTEXIST"))?;
    if let Some(check) = check {
        check(&ledger, ledger.order(id), request)?;
    }
    let refund = ledger.accept_refund(id, wanted, now).map_err(refusal)?;
    let answer = accepted(&ledger, ledger.refund(refund));
    drop(ledger);
    // It succeeds by itself soon.
    platform.due_earlier.notify_one();
    Ok(answer)
}

fn read(request: &Request) -> Result<Refundable, Refusal> {
    let fields = &request.fields;
    for field in ["out_refund_no", "total_fee", "refund_fee"] {
        required(fields, field)?;
    }
    let out_refund_no = required(fields, "out_refund_no")?;
    limits::check_out_refund_no(out_refund_no).map_err(|_| malformed("out_refund_no"))?;
    let fen = |field| -> Result<Fen, Refusal> {
        let fen = fields.required_fen(field).map_err(|_| malformed(field))?;
        limits::check_total_fee(fen).map(|()| fen).map_err(|_| malformed(field))
    };
    let (total_fee, amount) = (fen("total_fee")?, fen("refund_fee")?);
    if fields.text("refund_desc").is_some_and(|text| limits::check_refund_desc(text).is_err()) {
        return Err(malformed("refund_desc"));
    }
    if fields.text("notify_url").is_some_and(|url| limits::check_notify_url(url).is_err()) {
        return Err(malformed("notify_url"));
    }
    if fields.text("refund_fee_type").is_some_and(|word| word != "CNY") {
        return Err(malformed("refund_fee_type"));
    }
    if fields.text("refund_account").is_some_and(|word| !ACCOUNTS.contains(&word)) {
        return Err(malformed("refund_account"));
    }
    // Without one, the address of the merchant platform counts; ours is what the merchant's file says.
    let notify_url = fields.text("notify_url").map(str::to_owned);
    Ok(Refundable {
        out_refund_no: out_refund_no.to_owned(),
        total_fee,
        amount,
        source: RefundSource::Api,
        notify_url: notify_url.unwrap_or_else(|| request.merchant.notify_url(NoticeKind::Refund)),
        requested: fields.clone(),
    })
}

fn refusal(refused: RefundRefused) -> Refusal {
    match refused {
        RefundRefused::Unpaid => Refusal::named("ORDERNOTEXIST"),
        RefundRefused::Reversed => Refusal::new("ERROR", "订单已撤销"),
        RefundRefused::OtherAmount => Refusal::new("ERROR", "订单金额或退款金额与之前请求不一致，请核实后再试"),
        RefundRefused::OtherRefund => Refusal::new("INVALID_REQUEST", "商户退款单号重复，请求参数与之前不一致"),
        RefundRefused::OtherTotal => Refusal::new("ERROR", "订单金额不一致"),
        RefundRefused::TooMuch => Refusal::new("ERROR", "累计退款金额大于支付金额"),
        RefundRefused::TooMany => Refusal::new("ERROR", "退款次数超过限制"),
        RefundRefused::Overdue => Refusal::new("TRADE_OVERDUE", "订单已经超过退款期限"),
        RefundRefused::TooSoon => Refusal::named("FREQUENCY_LIMITED"),
        RefundRefused::NotEnough => Refusal::named("NOTENOUGH"),
        RefundRefused::Full => Refusal::named("SYSTEMERROR"),
    }
}

/// What an accepted refund is answered with.
fn accepted(ledger: &Ledger, refund: &Refund) -> Fields {
    let order = ledger.order(refund.order);
    let payment = order.payment.as_ref().expect("only paid orders have refunds");
    let (total_fee, refund_fee) = (payment.amount.get().to_string(), refund.amount.get().to_string());
    [
        ("transaction_id", payment.transaction_id.as_str()),
        ("out_trade_no", &order.out_trade_no),
        ("out_refund_no", &refund.out_refund_no),
        ("refund_id", &refund.refund_id),
        ("refund_channel", ""),
        ("refund_fee", &refund_fee),
        ("settlement_refund_fee", &refund_fee),
        ("coupon_refund_fee", "0"),
        ("total_fee", &total_fee),
        ("settlement_total_fee", &total_fee),
        ("fee_type", &payment.fee_type),
        ("cash_fee", &total_fee),
        ("coupon_refund_count", "0"),
        ("cash_refund_fee", &refund_fee),
    ]
    .into_iter()
    .collect()
}
