use std::{fmt::Write as _, sync::Arc};

use axum::{extract::State, response::Response};
use bytes::Bytes;
use jiff::civil::Date;
use sha1::{Digest as _, Sha1};
use wechat_pay::{
    time,
    v2::{Fields, SignType},
};

use super::{
    Refusal, Request, download_bill,
    exchange::{text, with_fault},
    more::certified,
    plain,
    request::{Reading, Signing},
    unified_order::{malformed, required},
};
use crate::{
    bill::gzip,
    control::{Fault, FaultPoint},
    fund_flow::{self, Account, Whose},
    given_bills::Kind,
    identity::Meant,
    platform::Platform,
};

const PATH: &str = "/pay/downloadfundflow";

/// The fund flow of a day: CSV without a signature, but with its hash above it, or a failure in XML.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    let reading = Reading { signing: Signing::Always(SignType::HmacSha256), decoded: None };
    let request = match certified(&platform, request, reading).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let fault = platform.rules().strike(FaultPoint::DownloadFundFlow, Some(request.merchant.name.as_str()), None);
    let refuse = |refusal| plain::answer(Err(refusal));
    with_fault(
        &platform,
        fault,
        PATH,
        |fault| execute(&platform, &request, fault).unwrap_or_else(refuse),
        |code| refuse(Refusal::named(code)),
    )
    .await
}

fn execute(platform: &Platform, request: &Request, fault: Option<&Fault>) -> Result<Response, Refusal> {
    request.check_identity_of(platform, Meant::AnySubMerchant)?;
    let wanted = Wanted::read(&request.fields)?;
    let now = platform.clock.now();
    let made_at = download_bill::made_at(wanted.day, now).map_err(|(words, _)| match words {
        "Bill Creating" => Refusal::named("BILL_CREATING"),
        _ => malformed("bill_date"),
    })?;
    let answer = |body: Bytes, digest: &str| {
        let mut response = text(body);
        response.headers_mut().insert("Digest", digest.parse().expect("hex digits are a header value"));
        response
    };
    if let Some(given) = download_bill::given(platform, request, wanted.day, Kind::Fund(wanted.account)) {
        let body = given.body(wanted.gzip).map_err(|_| Refusal::named("SYSTEMERROR"))?;
        return Ok(answer(body, &given.digest));
    }
    let whose = Whose { mch_id: request.mch_id(), sub_mch_id: request.sub_mch_id() };
    let flow = fund_flow::of_day(&platform.ledger(), whose, wanted.account, wanted.day, made_at);
    if flow.is_empty() {
        return Err(Refusal::named("NO_BILL_EXIST"));
    }
    let file = fund_flow::write(flow, fault).map_err(|_| Refusal::named("SYSTEMERROR"))?;
    let hash = Sha1::digest(&file).iter().fold(String::from("SHA="), |mut hash, byte| {
        write!(hash, "{byte:02x}").expect("writing to a String cannot fail");
        hash
    });
    let body = if wanted.gzip { gzip(&file).map_err(|_| Refusal::named("SYSTEMERROR"))? } else { file };
    Ok(answer(body.into(), &hash))
}

struct Wanted {
    day: Date,
    account: Account,
    gzip: bool,
}

impl Wanted {
    fn read(fields: &Fields) -> Result<Wanted, Refusal> {
        let day = required(fields, "bill_date")?;
        let account = required(fields, "account_type")?;
        let day = time::parse_date(day).map_err(|_| malformed("bill_date"))?;
        let account = Account::ALL.into_iter().find(|known| known.as_str() == account);
        let account = account.ok_or_else(|| malformed("account_type"))?;
        let gzip = match fields.text("tar_type") {
            None => false,
            Some("GZIP") => true,
            Some(_) => return Err(malformed("tar_type")),
        };
        Ok(Wanted { day, account, gzip })
    }
}
