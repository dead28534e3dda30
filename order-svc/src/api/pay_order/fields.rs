//! What a `PayOrder` asks for, checked field by field.

use std::net::IpAddr;

use proto::{
    gateway::v1::AppKind,
    order::v1::{PayOrderRequest, jsapi, mini_program, pay_order_request},
};
use svc_kit::refusal::Violations;
use tonic::Status;
use uuid::Uuid;

use crate::{
    api::{fields, refuse},
    domain::{OrderId, payment::Method},
    gateway::{App, Merchant},
};

/// Longest login code that is passed on.
const MAX_LOGIN_CODE: usize = 128;

/// What is asked for.
pub(super) struct Wanted {
    pub(super) request_id: Uuid,
    pub(super) order: OrderId,
    pub(super) method: Method,
    pub(super) payer_ip: IpAddr,
    pub(super) payer: Payer,
    app_id: String,
}

/// Who pays. It has no Debug, because both are nobody's business.
pub(super) enum Payer {
    Openid(String),
    LoginCode(String),
}

/// Every violated field at once.
pub(super) fn check(request: &PayOrderRequest) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    let order = fields::order_name(&request.name, &mut violations);
    let payer_ip: Option<IpAddr> = request.payer_ip.parse().ok();
    violations.check(payer_ip.is_some(), "payer_ip", "must be the payer's IPv4 or IPv6 address");
    let method = method(request, &mut violations);
    violations.finish()?;
    match (request_id, order, payer_ip, method) {
        (Some(request_id), Some(order), Some(payer_ip), Some((method, app_id, payer))) => {
            Ok(Wanted { request_id, order, method, payer_ip, payer, app_id })
        }
        _ => Err(refuse::internal("a violation was not told")),
    }
}

fn method(request: &PayOrderRequest, violations: &mut Violations) -> Option<(Method, String, Payer)> {
    match &request.method {
        None => {
            violations.push("method", "set one: mini_program or jsapi");
            None
        }
        Some(pay_order_request::Method::MiniProgram(method)) => {
            check_app_id(&method.app_id, "mini_program.app_id", violations);
            let payer = match &method.payer {
                None => {
                    violations.push("mini_program.payer", "set one: openid or login_code");
                    None
                }
                Some(mini_program::Payer::Openid(openid)) => {
                    check_openid(openid, "mini_program.openid", violations);
                    Some(Payer::Openid(openid.clone()))
                }
                Some(mini_program::Payer::LoginCode(code)) => {
                    check_code(code, "mini_program.login_code", "must be what wx.login gave", violations);
                    Some(Payer::LoginCode(code.clone()))
                }
            };
            Some((Method::MiniProgram, method.app_id.clone(), payer?))
        }
        Some(pay_order_request::Method::Jsapi(method)) => {
            check_app_id(&method.app_id, "jsapi.app_id", violations);
            let payer = match &method.payer {
                None => {
                    violations.push("jsapi.payer", "set one: openid or oauth_code");
                    None
                }
                Some(jsapi::Payer::Openid(openid)) => {
                    check_openid(openid, "jsapi.openid", violations);
                    Some(Payer::Openid(openid.clone()))
                }
                Some(jsapi::Payer::OauthCode(code)) => {
                    check_code(code, "jsapi.oauth_code", "must be what WeChat's OAuth redirect gave", violations);
                    Some(Payer::LoginCode(code.clone()))
                }
            };
            Some((Method::Jsapi, method.app_id.clone(), payer?))
        }
        Some(
            pay_order_request::Method::Native(_)
            | pay_order_request::Method::App(_)
            | pay_order_request::Method::H5(_)
            | pay_order_request::Method::PayCode(_)
            | pay_order_request::Method::Face(_),
        ) => {
            violations.push("method", "is not taken yet; set mini_program or jsapi");
            None
        }
    }
}

fn check_code(code: &str, field: &str, words: &str, violations: &mut Violations) {
    let good = (1..=MAX_LOGIN_CODE).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    violations.check(good, field, format!("{words}, 1 to {MAX_LOGIN_CODE} characters"));
}

fn check_app_id(app_id: &str, field: &str, violations: &mut Violations) {
    let good = app_id.len() <= 32 && app_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    violations.check(good, field, "must be an app id of the merchant, at most 32 letters and digits, or absent");
}

fn check_openid(openid: &str, field: &str, violations: &mut Violations) {
    violations.check(fields::is_openid(openid), field, "must be the payer's openid, 1 to 128 of [0-9A-Za-z_-]");
}

impl Wanted {
    /// Which of the merchant's apps opens the cashier.
    pub(super) fn app_of(&self, merchant: &Merchant) -> Result<String, Status> {
        let (kind, words) = match self.method {
            Method::MiniProgram => (AppKind::MiniProgram, "mini program"),
            Method::Jsapi => (AppKind::OfficialAccount, "official account"),
            Method::Native | Method::App | Method::H5 | Method::PayCode | Method::Face | Method::Facepay => {
                return Err(refuse::method_not_available("this method is not taken yet"));
            }
        };
        let fitting: Vec<&App> = merchant.apps.iter().filter(|app| app.kind == kind).collect();
        let app = match (self.app_id.as_str(), fitting.as_slice()) {
            ("", [only]) => only,
            ("", []) => {
                return Err(refuse::method_not_available(format!("merchant {} has no {words}", merchant.name)));
            }
            ("", _) => {
                let words = format!("merchant {} has several {words}s: name one in app_id", merchant.name);
                return Err(refuse::method_not_available(words));
            }
            (app_id, fitting) => fitting.iter().find(|app| app.app_id == app_id).ok_or_else(|| {
                refuse::method_not_available(format!("merchant {} has no {words} {app_id}", merchant.name))
            })?,
        };
        if matches!(self.payer, Payer::LoginCode(_)) && !app.can_resolve_openid {
            let words = format!("merchant {} has no app secret for {}: send the openid", merchant.name, app.app_id);
            return Err(refuse::method_not_available(words));
        }
        Ok(app.app_id.clone())
    }
}
