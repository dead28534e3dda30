//! What a `PayOrder` asks for, checked field by field.

use std::net::IpAddr;

use proto::order::v1::{PayOrderRequest, jsapi, mini_program, pay_order_request};
use svc_kit::refusal::Violations;
use tonic::Status;
use uuid::Uuid;
use wechat_pay::v2::limits;

use super::{
    app,
    code::{self, Code},
    h5,
};
use crate::{
    api::{fields, images::Images, refuse},
    domain::{
        OrderId,
        carried::{Details, H5},
        payment::Method,
        product_code::ProductCode,
    },
    gateway::Merchant,
};

/// Longest login code that is passed on.
const MAX_LOGIN_CODE: usize = 128;

/// What is asked for.
pub(in crate::api) struct Wanted {
    pub(super) request_id: Uuid,
    pub(super) order: OrderId,
    pub(super) method: Method,
    pub(super) payer_ip: IpAddr,
    pub(super) payer: Payer,
    pub(super) details: Details,
    pub(super) images: Images,
    app_id: String,
}

/// Who pays. It has no Debug, because all of it is nobody's business.
pub(super) enum Payer {
    Openid(String),
    LoginCode(String),
    /// Whoever opens the cashier: the method names nobody.
    Unnamed,
    /// Nobody says who it is; a code pays, once.
    Code(Code),
}

/// Every violated field at once.
pub(super) fn check(request: &PayOrderRequest) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    let order = fields::order_name(&request.name, &mut violations);
    let payer_ip: Option<IpAddr> = request.payer_ip.parse().ok();
    violations.check(payer_ip.is_some(), "payer_ip", "must be the payer's IPv4 or IPv6 address");
    let how = how(request, order, payer_ip, &mut violations);
    violations.finish()?;
    match (request_id, order, payer_ip, how) {
        (Some(request_id), Some(order), Some(payer_ip), Some(how)) => {
            let How { method, app_id, payer, details, images } = how;
            Ok(Wanted { request_id, order, method, payer_ip, payer, details, images, app_id })
        }
        _ => Err(refuse::internal("a violation was not told")),
    }
}

/// How it is paid, and what that method needs.
struct How {
    method: Method,
    app_id: String,
    payer: Payer,
    details: Details,
    images: Images,
}

fn how(
    request: &PayOrderRequest,
    order: Option<OrderId>,
    payer_ip: Option<IpAddr>,
    violations: &mut Violations,
) -> Option<How> {
    let of = |method, app_id: &String, payer| How {
        method,
        app_id: app_id.clone(),
        payer,
        details: Details::default(),
        images: Images::default(),
    };
    match &request.method {
        None => {
            violations.push("method", "set one: mini_program, jsapi, native, app, h5, pay_code or face");
            None
        }
        Some(pay_order_request::Method::MiniProgram(method)) => {
            fields::check_app_id(&method.app_id, "mini_program.app_id", violations);
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
            Some(of(Method::MiniProgram, &method.app_id, payer?))
        }
        Some(pay_order_request::Method::Jsapi(method)) => {
            fields::check_app_id(&method.app_id, "jsapi.app_id", violations);
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
            Some(of(Method::Jsapi, &method.app_id, payer?))
        }
        Some(pay_order_request::Method::Native(method)) => {
            fields::check_app_id(&method.app_id, "native.app_id", violations);
            let images = Images::wanted(&method.images, "native.images", violations);
            let product_id = if method.product_id.is_empty() {
                order?.0.simple().to_string()
            } else {
                if let Err(wrong) = limits::check_product_id(&method.product_id) {
                    violations.push("native.product_id", format!("{wrong}; or leave it out for the order's id"));
                }
                method.product_id.clone()
            };
            let details = Details { product_id: Some(product_id), ..Details::default() };
            Some(How { details, images, ..of(Method::Native, &method.app_id, Payer::Unnamed) })
        }
        Some(pay_order_request::Method::App(method)) => {
            fields::check_app_id(&method.app_id, "app.app_id", violations);
            Some(of(Method::App, &method.app_id, Payer::Unnamed))
        }
        Some(pay_order_request::Method::H5(method)) => {
            fields::check_app_id(&method.app_id, "h5.app_id", violations);
            h5::check(method, payer_ip, violations);
            // The attempt says under which app; its details must not say it a second time.
            let h5 = H5 { app_id: String::new(), ..method.clone() };
            let details = Details { h5: Some(h5), ..Details::default() };
            Some(How { details, ..of(Method::H5, &method.app_id, Payer::Unnamed) })
        }
        Some(pay_order_request::Method::PayCode(method)) => {
            fields::check_app_id(&method.app_id, "pay_code.app_id", violations);
            Some(of(Method::PayCode, &method.app_id, Payer::Code(code::pay_code(method, violations))))
        }
        Some(pay_order_request::Method::Face(method)) => {
            fields::check_app_id(&method.app_id, "face.app_id", violations);
            Some(of(Method::Face, &method.app_id, Payer::Code(code::face(method, violations))))
        }
    }
}

fn check_code(code: &str, field: &str, words: &str, violations: &mut Violations) {
    let good = (1..=MAX_LOGIN_CODE).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    violations.check(good, field, format!("{words}, 1 to {MAX_LOGIN_CODE} characters"));
}

fn check_openid(openid: &str, field: &str, violations: &mut Violations) {
    violations.check(fields::is_openid(openid), field, "must be the payer's openid, 1 to 128 of [0-9A-Za-z_-]");
}

impl Wanted {
    /// The payment of an order that a scan of a product's code made.
    pub(in crate::api) fn of_scan(request_id: Uuid, order: OrderId, payer_ip: IpAddr, product: &ProductCode) -> Self {
        Self {
            request_id,
            order,
            method: Method::Native,
            payer_ip,
            payer: Payer::Unnamed,
            details: Details { product_id: Some(product.id.product_id()), ..Details::default() },
            images: Images::default(),
            app_id: product.app_id.clone(),
        }
    }

    /// Which of the merchant's apps opens the cashier.
    pub(super) fn app_of(&self, merchant: &Merchant) -> Result<String, Status> {
        let app = app::choose(merchant, self.method, &self.app_id).map_err(refuse::method_not_available)?;
        if matches!(self.payer, Payer::LoginCode(_)) && !app.can_resolve_openid {
            let words = format!("merchant {} has no app secret for {}: send the openid", merchant.name, app.app_id);
            return Err(refuse::method_not_available(words));
        }
        Ok(app.app_id.clone())
    }
}

#[cfg(test)]
mod tests;
