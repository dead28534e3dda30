use std::sync::Arc;

use axum::response::Response;
use http::{Method, header};
use merchants::Merchant;
use percent_encoding::percent_decode_str;
use wechat_pay::v2::{
    ApiKey, Fields, SignType, limits,
    sign::{SIGN, sign, verify},
    xml::{self, XmlError},
};

use super::{Refusal, exchange::text};
use crate::{
    accept::Encrypted,
    control::Fault,
    identity::{self, Meant, Stranger},
    ids,
    ledger::Order,
    notice,
    platform::{Platform, wechat},
};

/// Largest request that is read; the longest fields together stay far below.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// What a request is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signing {
    /// What it declares; MD5 when it declares nothing.
    Declared,
    /// One type, declared or not.
    Always(SignType),
    /// MD5, and nothing may be declared: the schema has no room for anything else, and the answer does not even say so.
    Md5BySchema,
}

/// How a call's requests are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) signing: Signing,
    /// A field that is signed as it is and sent percent-encoded.
    pub(super) decoded: Option<&'static str>,
}

/// A request that the merchant signed.
#[derive(Debug)]
pub(super) struct Request {
    /// Whose it is; in service-provider mode the sub-merchant that it names, once its identity is checked.
    pub(super) merchant: Arc<Merchant>,
    pub(super) fields: Fields,
    /// What the request was signed with, and what its answer is signed with.
    pub(super) sign_type: SignType,
    /// Where the merchant reached us: scheme, host and port.
    pub(super) origin: Option<String>,
    key: ApiKey,
    mch_id: String,
}

/// Why a request was not understood or is not authentic. Its answer cannot be signed, for want of a key to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    NotPost,
    Empty,
    TooLarge,
    NotUtf8,
    NotXml,
    /// `mch_id`, `nonce_str` or `sign` is missing.
    Lacks(&'static str),
    UnknownMerchant,
    UnknownSignType,
    BadSign,
    /// It has fields that the schema of this call has no room for.
    BySchema,
}

impl Unread {
    /// WeChat's sentence.
    pub(super) fn return_msg(self) -> &'static str {
        match self {
            Unread::NotPost => "请使用post方法",
            Unread::Empty => "post数据为空",
            Unread::TooLarge => "post数据过大",
            Unread::NotUtf8 => "编码格式错误",
            Unread::NotXml => "XML格式错误",
            Unread::Lacks("mch_id") => "缺少参数mch_id",
            Unread::Lacks("nonce_str") => "缺少参数nonce_str",
            Unread::Lacks(_) => "缺少参数sign",
            Unread::UnknownMerchant => "mch_id参数格式错误",
            Unread::UnknownSignType => "sign_type参数格式错误",
            Unread::BadSign => "签名错误",
            Unread::BySchema => "",
        }
    }
}

impl Request {
    /// Reads a request and verifies its signature: with the sign type it declares, MD5 when it declares none, over
    /// every field that came, known or not.
    pub(super) async fn read(platform: &Platform, request: axum::extract::Request) -> Result<Request, Unread> {
        Request::read_as(platform, request, Reading { signing: Signing::Declared, decoded: None }).await
    }

    /// Reads a request of a call that has rules of its own.
    pub(super) async fn read_as(
        platform: &Platform,
        request: axum::extract::Request,
        reading: Reading,
    ) -> Result<Request, Unread> {
        if request.method() != Method::POST {
            return Err(Unread::NotPost);
        }
        let origin = origin(&request);
        let body = axum::body::to_bytes(request.into_body(), MAX_REQUEST_BYTES).await.map_err(|_| Unread::TooLarge)?;
        if body.is_empty() {
            return Err(Unread::Empty);
        }
        let mut fields = xml::parse("xml", &body).map_err(|error| match error {
            XmlError::Encoding => Unread::NotUtf8,
            _ => Unread::NotXml,
        })?;
        if let Some(name) = reading.decoded
            && let Some(decoded) = fields.text(name).and_then(|text| percent_decode_str(text).decode_utf8().ok())
        {
            let decoded = decoded.into_owned();
            fields.insert(name, decoded);
        }
        let required = |name: &'static str| fields.text(name).ok_or(Unread::Lacks(name));
        let mch_id = required("mch_id")?.to_owned();
        required("nonce_str")?;
        let signature = required("sign")?;
        // Whoever is meant below a service provider, the key is the same.
        let meant = platform.merchant_by_number(&mch_id, fields.text("sub_mch_id"));
        let anyone = || platform.accounts(&mch_id).into_iter().next();
        let merchant = meant.or_else(anyone).ok_or(Unread::UnknownMerchant)?;
        let key = wechat(&merchant).ok_or(Unread::UnknownMerchant)?.api_key.clone();
        let declared: Option<SignType> = match fields.text("sign_type") {
            None => None,
            Some(word) => Some(word.parse().map_err(|_| Unread::UnknownSignType)?),
        };
        let sign_type = match (reading.signing, declared) {
            (Signing::Declared, declared) => declared.unwrap_or(SignType::Md5),
            (Signing::Always(only), declared) if declared.is_none_or(|declared| declared == only) => only,
            (Signing::Always(_), _) => return Err(Unread::UnknownSignType),
            (Signing::Md5BySchema, Some(_)) => return Err(Unread::BySchema),
            (Signing::Md5BySchema, None) if SignType::Md5.hex_len() < signature.len() => return Err(Unread::BySchema),
            (Signing::Md5BySchema, None) => SignType::Md5,
        };
        verify(&fields, &key, sign_type).map_err(|_| Unread::BadSign)?;
        Ok(Request { merchant, fields, sign_type, origin, key, mch_id })
    }

    pub(super) fn mch_id(&self) -> &str {
        &self.mch_id
    }

    /// The app id; empty when there is none, which [`Request::check_identity`] refuses.
    pub(super) fn app_id(&self) -> &str {
        self.fields.text("appid").unwrap_or_default()
    }

    /// The sub-merchant that a service provider means.
    pub(super) fn sub_mch_id(&self) -> Option<&str> {
        self.fields.text("sub_mch_id")
    }

    /// Whose money it is about: the sub-merchant's that is meant, otherwise the merchant's.
    pub(super) fn account(&self) -> &str {
        self.sub_mch_id().unwrap_or(&self.mch_id)
    }

    /// Whether an order is the merchant's that is meant. Sub-merchants of one service provider share its number, but not
    /// their orders.
    pub(super) fn may_see(&self, order: &Order) -> bool {
        order.mch_id == self.mch_id && order.sub_mch_id() == self.sub_mch_id()
    }

    /// The checks that all calls share, after the signature.
    pub(super) fn check_identity(&self, platform: &Platform) -> Result<(), Refusal> {
        self.check_identity_of(platform, Meant::OneSubMerchant)
    }

    /// The same for the calls of a service provider that may be about all of its sub-merchants.
    pub(super) fn check_identity_of(&self, platform: &Platform, meant: Meant) -> Result<(), Refusal> {
        if self.fields.text("appid").is_none() {
            return Err(Refusal::lacks("appid"));
        }
        if self.fields.text("nonce_str").is_none_or(|nonce| limits::check_nonce(nonce).is_err()) {
            return Err(Refusal::param("nonce_str", "参数格式错误"));
        }
        identity::check(platform, &self.fields, meant).map(|_| ()).map_err(refusal)
    }

    /// The signed answer. What the call adds may replace what every answer has.
    pub(super) fn answer(&self, outcome: Result<Fields, Refusal>, fault: Option<&Fault>) -> Response {
        let mut answer: Fields = [("return_code", "SUCCESS"), ("return_msg", "OK")].into_iter().collect();
        let identity: &[&str] = match self.merchant.sub_mch_id() {
            Some(_) => &["appid", "mch_id", "sub_appid", "sub_mch_id"],
            None => &["appid", "mch_id"],
        };
        for field in identity {
            if let Some(value) = self.fields.text(field) {
                answer.insert(*field, value);
            }
        }
        answer.insert("nonce_str", ids::nonce());
        match outcome {
            Ok(fields) => {
                answer.insert("result_code", "SUCCESS");
                for (name, value) in fields.iter() {
                    answer.insert(name, value);
                }
            }
            Err(refusal) => {
                answer.insert("result_code", "FAIL");
                answer.insert("err_code", refusal.err_code);
                answer.insert("err_code_des", refusal.err_code_des);
                for (name, value) in refusal.more.iter() {
                    answer.insert(name, value);
                }
            }
        }
        let signature = match fault {
            Some(Fault::BadSignature) => sign(&answer, &notice::forged_key(), self.sign_type),
            _ => sign(&answer, &self.key, self.sign_type),
        };
        answer.insert(SIGN, signature);
        text(xml::write("xml", &answer))
    }
}

fn origin(request: &axum::extract::Request) -> Option<String> {
    let scheme = if request.extensions().get::<Encrypted>().is_some() { "https" } else { "http" };
    let host = request.headers().get(header::HOST)?.to_str().ok()?;
    Some(format!("{scheme}://{host}"))
}

/// WeChat's words for what does not fit together.
pub(super) fn refusal(stranger: Stranger) -> Refusal {
    match stranger {
        Stranger::UnknownApp => Refusal::named("APPID_NOT_EXIST"),
        Stranger::OtherApp => Refusal::named("APPID_MCHID_NOT_MATCH"),
        Stranger::NotProvider(field) => Refusal::param(field, "不适用于普通商户"),
        Stranger::SubMerchantMissing => Refusal::new("LACK_PARAMS", "受理机构必须传入sub_mch_id"),
        Stranger::UnknownSubMerchant => Refusal::named("MCHID_NOT_EXIST"),
        Stranger::OtherSubMerchant => Refusal::new("NOAUTH", "受理关系不存在"),
        Stranger::OtherSubApp => Refusal::new("PARAM_ERROR", "sub_mch_id与sub_appid不匹配"),
        Stranger::SubAppMissing => Refusal::lacks("sub_appid"),
    }
}
