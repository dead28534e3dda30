use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use wechat_pay::v2::{Fields, SignType};

use super::{
    Refusal, Request,
    exchange::with_fault,
    plain,
    request::{Reading, Signing},
    unified_order::{malformed, required},
    unsigned,
};
use crate::{
    control::{FaultPoint, Report},
    platform::Platform,
};

const PATH: &str = "/payitil/report";

/// Ends the address of reports about many charges at once.
const BATCH: &str = "/pay/batchreport/micropay/total";

/// What a report does not say by itself.
const ENVELOPE: [&str; 7] = ["appid", "mch_id", "sub_appid", "sub_mch_id", "nonce_str", "sign", "sign_type"];

/// Takes a report about calls. Its answer is not signed.
pub(super) async fn handle(State(platform): State<Arc<Platform>>, request: axum::extract::Request) -> Response {
    let reading = Reading { signing: Signing::Always(SignType::Md5), decoded: None };
    let request = match Request::read_as(&platform, request, reading).await {
        Ok(request) => request,
        Err(unread) => return unsigned(unread.return_msg()),
    };
    let fault = platform.rules().strike(FaultPoint::Report, Some(request.merchant.name.as_str()), None);
    with_fault(
        &platform,
        fault,
        PATH,
        |_| plain::answer(request.check_identity(&platform).and_then(|()| execute(&platform, &request))),
        |code| plain::answer(Err(Refusal::named(code))),
    )
    .await
}

fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let fields = &request.fields;
    let interface_url = required(fields, "interface_url")?;
    if 127 < interface_url.len() {
        return Err(malformed("interface_url"));
    }
    if 16 < required(fields, "user_ip")?.len() {
        return Err(malformed("user_ip"));
    }
    if interface_url.ends_with(BATCH) {
        let trades = required(fields, "trades")?;
        let is_list = serde_json::from_str::<Vec<serde_json::Value>>(trades).is_ok_and(|trades| !trades.is_empty());
        if 1024 < trades.len() || !is_list {
            return Err(malformed("trades"));
        }
    } else {
        // Older pages end the name with an underscore.
        let time = fields.text("execute_time").or_else(|| fields.text("execute_time_"));
        let time = time.ok_or_else(|| Refusal::lacks("execute_time"))?;
        if !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed("execute_time"));
        }
        required(fields, "return_code")?;
        required(fields, "result_code")?;
    }
    let told: BTreeMap<String, String> = fields
        .iter()
        .filter(|(name, _)| !ENVELOPE.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let report = Report { merchant: request.merchant.name.to_string(), at: platform.clock.now(), fields: told };
    platform.ledger().desk.report(report);
    Ok(Fields::new())
}
