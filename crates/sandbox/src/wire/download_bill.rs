use std::sync::Arc;

use axum::{extract::State, response::Response};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use wechat_pay::{
    time,
    v2::{BillType, DownloadBill, Fields, xml},
};

use super::{
    Request,
    exchange::{text, with_fault},
    request::Unread,
};
use crate::{
    bill,
    control::{Fault, FaultPoint},
    given_bills::{Given, Kind, Which},
    identity::Meant,
    platform::Platform,
};

/// Bills of a day are made from 09:00 Beijing time of the next day on.
const MADE_AT: SignedDuration = SignedDuration::from_hours(9);

/// How long bills are kept.
const KEPT_MONTHS: i64 = 3;

/// Why there is no bill: WeChat's words, and its number where one is known.
type NoBill = (&'static str, Option<&'static str>);

const SYSTEM_ERROR: NoBill = ("SYSTEMERROR", None);
const MALFORMED: NoBill = ("data format error", None);
const MISSING: NoBill = ("missing parameter", None);
const SIGN_ERROR: NoBill = ("sign error", Some("20001"));
const NOTHING: NoBill = ("No Bill Exist", Some("20002"));

/// The trade bill of a day: CSV without a signature, or a failure in a shape of its own.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    let request = match Request::read(&platform, request).await {
        Ok(request) => request,
        Err(Unread::BadSign | Unread::UnknownSignType) => return failure(SIGN_ERROR),
        Err(Unread::Lacks(_)) => return failure(MISSING),
        Err(unread) => return failure((unread.return_msg(), None)),
    };
    let fault = platform.rules().strike(FaultPoint::DownloadBill, Some(request.merchant.name.as_str()), None);
    with_fault(
        &platform,
        fault,
        DownloadBill::PATH,
        |fault| execute(&platform, &request, fault).map_or_else(failure, text),
        |code| write_failure(code, None),
    )
    .await
}

fn execute(platform: &Platform, request: &Request, fault: Option<&Fault>) -> Result<Bytes, NoBill> {
    request.check_identity_of(platform, Meant::AnySubMerchant).map_err(|refusal| match refusal.err_code.as_str() {
        "LACK_PARAMS" => MISSING,
        _ => MALFORMED,
    })?;
    let wanted = Wanted::read(&request.fields)?;
    let made_at = made_at(wanted.day, platform.clock.now())?;
    if wanted.bill_type == BillType::All
        && let Some(given) = given(platform, request, wanted.day, Kind::Trade)
    {
        return given.body(wanted.gzip).map_err(|_| SYSTEM_ERROR);
    }
    let mut rows = bill::rows(&platform.ledger(), request.mch_id(), wanted.day, wanted.bill_type, made_at);
    rows.retain(|row| request.sub_mch_id().is_none_or(|sub_mch_id| row.sub_mch_id.as_deref() == Some(sub_mch_id)));
    if rows.is_empty() {
        return Err(NOTHING);
    }
    let body = bill::write(rows, wanted.bill_type, fault).map_err(|_| SYSTEM_ERROR)?;
    let body = if wanted.gzip { bill::gzip(&body).map_err(|_| ("CompressGZip Error", None))? } else { body };
    Ok(body.into())
}

/// What somebody gave in place of this bill.
pub(super) fn given(platform: &Platform, request: &Request, day: Date, kind: Kind) -> Option<Arc<Given>> {
    let (mch_id, sub_mch_id) = (request.mch_id().to_owned(), request.sub_mch_id().map(str::to_owned));
    platform.given_bills().get(&Which { mch_id, sub_mch_id, day, kind })
}

struct Wanted {
    day: Date,
    bill_type: BillType,
    gzip: bool,
}

impl Wanted {
    fn read(fields: &Fields) -> Result<Wanted, NoBill> {
        let day = fields.text("bill_date").ok_or(MISSING)?;
        let day = time::parse_date(day).map_err(|_| MALFORMED)?;
        let bill_types = [BillType::All, BillType::Success, BillType::Refund, BillType::RechargeRefund];
        let bill_type = match fields.text("bill_type") {
            None => BillType::All,
            Some(word) => {
                let known = bill_types.into_iter().find(|bill_type| bill_type.as_str() == word);
                known.ok_or(("invalid bill_type", None))?
            }
        };
        let gzip = match fields.text("tar_type") {
            None => false,
            Some("GZIP") => true,
            Some(_) => return Err(MALFORMED),
        };
        Ok(Wanted { day, bill_type, gzip })
    }
}

/// When the bill of this day was made, if it can exist: not of today or later, not older than three months, and yesterday's only
/// from 09:00 on. WeChat's tables name no words of their own for the first two.
pub(super) fn made_at(day: Date, now: Timestamp) -> Result<Timestamp, NoBill> {
    let today = time::bill_date(now);
    let oldest = today.checked_sub(KEPT_MONTHS.months()).map_err(|_| MALFORMED)?;
    if today <= day || day < oldest {
        return Err(MALFORMED);
    }
    let next_day = day.tomorrow().map_err(|_| MALFORMED)?;
    let made_at = time::day_start(next_day).ok_or(MALFORMED)? + MADE_AT;
    if now < made_at { Err(("Bill Creating", None)) } else { Ok(made_at) }
}

fn failure((return_msg, error_code): NoBill) -> Response {
    write_failure(return_msg, error_code)
}

fn write_failure(return_msg: &str, error_code: Option<&str>) -> Response {
    let mut fields: Fields = [("return_code", "FAIL"), ("return_msg", return_msg)].into_iter().collect();
    if let Some(error_code) = error_code {
        fields.insert("error_code", error_code);
    }
    text(xml::write("xml", &fields))
}
