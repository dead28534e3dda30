use std::{fmt::Write as _, sync::Arc};

use axum::{extract::State, response::Response};
use jiff::{Timestamp, ToSpan as _};
use wechat_pay::{
    time,
    v2::{Fields, SignType},
};

use super::{
    Refusal, Request,
    exchange::{text, with_fault},
    more::certified,
    plain,
    request::{Reading, Signing, Unread},
    unified_order::{malformed, required},
    unsigned,
};
use crate::{control::FaultPoint, platform::Platform};

const PATH: &str = "/billcommentsp/batchquerycomment";

/// Most comments of one answer.
const MAX_LIMIT: u32 = 200;

/// How long comments can be asked for.
const KEPT_MONTHS: i64 = 3;

/// Comments of payers: a text without a signature, or a failure in XML.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    let reading = Reading { signing: Signing::Always(SignType::HmacSha256), decoded: None };
    let request = match certified(&platform, request, reading).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    // Merchants report that WeChat finds no signature right without it.
    if request.fields.text("limit").is_none() {
        return unsigned(Unread::BadSign.return_msg());
    }
    let fault = platform.rules().strike(FaultPoint::BatchQueryComment, Some(request.merchant.name.as_str()), None);
    let execute = || request.check_identity(&platform).and_then(|()| page(&platform, &request));
    with_fault(
        &platform,
        fault,
        PATH,
        |_| execute().map_or_else(|refusal| plain::answer(Err(refusal)), text),
        |code| plain::answer(Err(Refusal::named(code))),
    )
    .await
}

fn page(platform: &Platform, request: &Request) -> Result<String, Refusal> {
    let fields = &request.fields;
    let now = platform.clock.now();
    let (from, to) = (instant(fields, "begin_time")?, instant(fields, "end_time")?);
    let oldest = time::bill_date(now).checked_sub(KEPT_MONTHS.months()).ok().and_then(time::day_start);
    if to < from || oldest.is_none_or(|oldest| from < oldest) {
        return Err(malformed("begin_time"));
    }
    let count = |field| {
        required(fields, field)?;
        fields.count(field).map_err(|_| malformed(field))?.ok_or_else(|| Refusal::lacks(field))
    };
    let (offset, limit) = (count("offset")?, count("limit")?);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(malformed("limit"));
    }
    let to_usize = |count| usize::try_from(count).expect("a count of 32 bits is an index");
    let ledger = platform.ledger();
    let (next, page) = ledger.desk.comments(request.account(), (from, to), to_usize(offset), to_usize(limit));
    let mut text = format!("`{next}\n");
    for comment in page {
        let at = time::print_spaced(comment.at);
        let words = comment.text.replace(char::is_control, " ");
        let _ = writeln!(text, "`{at},`{},`{},`{words}", comment.transaction_id, comment.score);
    }
    Ok(text)
}

fn instant(fields: &Fields, field: &str) -> Result<Timestamp, Refusal> {
    required(fields, field)?;
    fields.time_14(field).map_err(|_| malformed(field))?.ok_or_else(|| malformed(field))
}
