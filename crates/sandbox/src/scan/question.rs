//! What WeChat asks the merchant whose product was scanned, and how it reads the answer.

use std::sync::Arc;

use merchants::Merchant;
use reqwest::Response;
use wechat_pay::v2::{
    ApiKey, Fields, SignType, limits,
    sign::{SIGN, sign, verify},
    xml,
};

use super::{cashier, nothing};
use crate::{
    control::Shown,
    identity::{self, Meant},
    ids, notice,
    platform::{Platform, wechat},
};

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// What the merchant is asked.
pub(super) struct Question {
    merchant: Arc<Merchant>,
    key: ApiKey,
    /// As the code was signed: nothing else says how the merchant signs.
    sign_type: SignType,
    fields: Fields,
}

impl Question {
    /// Believes a code that the merchant signed, and asks about its product for whoever scanned it. Otherwise tells the
    /// person why nothing can be paid.
    pub(super) fn about(platform: &Platform, code: &Fields, openid: Option<&str>) -> Result<Question, &'static str> {
        for field in ["appid", "mch_id", "product_id", "time_stamp", "nonce_str", SIGN] {
            if code.text(field).is_none() {
                return Err("the code lacks a field");
            }
        }
        let text = |field| code.text(field).unwrap_or_default();
        let anyone = platform.accounts(text("mch_id")).into_iter().next().ok_or("the code names no merchant")?;
        let key = wechat(&anyone).ok_or("the code names no merchant")?.api_key.clone();
        let signed_with = SignType::ALL.into_iter().find(|sign_type| verify(code, &key, *sign_type).is_ok());
        let sign_type = signed_with.ok_or("the code is not signed by the merchant")?;
        let is_time = |text: &str| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        let right = text("product_id").len() <= 32
            && is_time(text("time_stamp"))
            && limits::check_nonce(text("nonce_str")).is_ok();
        if !right {
            return Err("a field of the code has another form");
        }
        let merchant = identity::check(platform, code, Meant::OneSubMerchant)
            .map_err(|_| "app and merchant of the code do not belong together")?;
        let openid = openid.map_or_else(|| platform.phone_openid(text("appid")), str::to_owned);
        let mut logins = platform.logins();
        if logins.is_of_another_app(&openid, text("appid")) {
            return Err("whoever scans is a user of another app");
        }
        logins.meet(&openid, text("appid"));
        let mut fields = Fields::new();
        for field in ["appid", "mch_id", "sub_appid", "sub_mch_id", "product_id"] {
            if let Some(value) = code.text(field) {
                fields.insert(field, value);
            }
        }
        if let Some(sub_app) = code.text("sub_appid") {
            let sub_openid = ids::openid_under(&openid, sub_app);
            logins.meet(&sub_openid, sub_app);
            fields.insert("sub_openid", sub_openid);
        }
        fields.insert("openid", openid);
        fields.insert("is_subscribe", "N");
        // One for each scan: a repeated question has the same.
        fields.insert("nonce_str", ids::nonce());
        let signature = sign(&fields, &key, sign_type);
        fields.insert(SIGN, signature);
        Ok(Question { merchant, key, sign_type, fields })
    }

    /// Asks once, with this field changed after signing, and reads the answer as the phone does.
    pub(super) async fn ask(&self, platform: &Platform, corrupt: Option<&str>) -> Shown {
        let mut fields = self.fields.clone();
        if let Some(field) = corrupt {
            let forged = sign(&self.fields, &notice::forged_key(), self.sign_type);
            notice::change(&mut fields, field, if field == SIGN { &forged } else { "0" });
        }
        let url = format!("{}/notify/wechat-v2/{}/native", self.merchant.notify_base_url, self.merchant.name);
        let Ok(url) = platform.callback_url(&url) else { return nothing("the merchant has no scan address") };
        let request = platform
            .http
            .post(url)
            .header(http::header::CONTENT_TYPE, "text/xml; charset=utf-8")
            .body(xml::write("xml", &fields));
        let answer = match request.send().await {
            Ok(response) => read(response).await,
            Err(error) => Err(broken(&error)),
        };
        let shown = answer.and_then(|answer| self.judge(platform, &answer)).unwrap_or_else(nothing);
        tracing::info!(merchant = %self.merchant.name, "a scan was answered: {}", word(&shown));
        shown
    }

    /// What a verified answer shows, or why it shows nothing.
    fn judge(&self, platform: &Platform, answer: &Fields) -> Result<Shown, &'static str> {
        if answer.text("return_code") != Some("SUCCESS") {
            return Err("the merchant did not understand the question");
        }
        verify(answer, &self.key, self.sign_type).map_err(|_| "the merchant's answer is not signed by the merchant")?;
        let is_same = |field: &&str| answer.text(field) == self.fields.text(field);
        let optional = ["sub_appid", "sub_mch_id"].into_iter().filter(|field| answer.text(field).is_some());
        if !["appid", "mch_id"].into_iter().chain(optional).all(|field| is_same(&field)) {
            return Err("the merchant's answer is about another account");
        }
        if answer.text("nonce_str").is_none() {
            return Err("the merchant's answer lacks nonce_str");
        }
        match answer.text("result_code") {
            Some("SUCCESS") => {}
            Some("FAIL") => {
                let words = answer.text("err_code_des").unwrap_or("系统繁忙，请稍后再试");
                return Ok(Shown::Refusal { refusal: words.to_owned() });
            }
            _ => return Err("the merchant's answer lacks result_code"),
        }
        let prepay_id = answer.text("prepay_id").ok_or("the merchant's answer lacks prepay_id")?;
        let now = platform.clock.now();
        let mut ledger = platform.ledger();
        let prepay = ledger.prepay(prepay_id).cloned().ok_or("WeChat does not know the prepay id of the answer")?;
        let order = ledger.order(prepay.order);
        let is_theirs = Some(order.mch_id.as_str()) == self.fields.text("mch_id")
            && order.sub_mch_id() == self.merchant.sub_mch_id();
        if !is_theirs || order.trade_type != "NATIVE" || order.ordered("product_id") != self.fields.text("product_id") {
            return Err("the order of the answer sells something else");
        }
        let shown = cashier(&ledger, &prepay, now);
        if let (Shown::Cashier(_), Some(openid)) = (&shown, self.fields.text("openid")) {
            ledger.scanned(prepay.order, openid);
        }
        Ok(shown)
    }
}

async fn read(mut response: Response) -> Result<Fields, &'static str> {
    if response.status() != http::StatusCode::OK {
        return Err("the merchant answered with another HTTP status than 200");
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if MAX_ANSWER_BYTES < body.len() + chunk.len() => {
                return Err("the merchant's answer is too long");
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return xml::parse("xml", &body).map_err(|_| "the merchant's answer is no XML"),
            Err(error) => return Err(broken(&error)),
        }
    }
}

fn broken(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "the merchant did not answer within five seconds"
    } else {
        "the merchant cannot be reached"
    }
}

/// What the log says, which holds no words of others.
fn word(shown: &Shown) -> &str {
    match shown {
        Shown::Cashier(_) => "the cashier opens",
        Shown::Refusal { .. } => "the merchant refuses",
        Shown::Nothing { why } => why,
    }
}
