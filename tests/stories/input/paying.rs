//! `PayOrder`: what it refuses, and which app opens the cashier.

use e2e::{
    Options,
    selling::{MERCHANT, MINI_PROGRAM, OFFICIAL_ACCOUNT, OTHER_MERCHANT},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{Jsapi, MiniProgram, PayOrderRequest, jsapi, mini_program::Payer, pay_order_request::Method},
};
use tonic::Code;

use super::MALFORMED_NAMES;
use crate::refused::{refused, wrong_fields};

#[test]
fn pay_order_names_every_wrong_field_at_once() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let pay = async |request| shop.orders().pay_order(request).await;
        wrong_fields(pay(PayOrderRequest::default()).await, &["request_id", "name", "payer_ip", "method"]);
        let order = world.create_order(100).await;
        let good = order.pay_by_openid().request();
        let wrong_everywhere = PayOrderRequest {
            request_id: "7".to_owned(),
            name: "orders/7".to_owned(),
            payer_ip: "localhost".to_owned(),
            method: Some(jsapi("a b", "o&x")),
        };
        wrong_fields(pay(wrong_everywhere).await, &["request_id", "name", "payer_ip", "jsapi.app_id", "jsapi.openid"]);

        for name in MALFORMED_NAMES {
            wrong_fields(pay(PayOrderRequest { name: name.to_owned(), ..good.clone() }).await, &["name"]);
        }
        for payer_ip in ["", "203.0.113", "203.0.113.7:80", "203.0.113.256", "::g"] {
            wrong_fields(pay(PayOrderRequest { payer_ip: payer_ip.to_owned(), ..good.clone() }).await, &["payer_ip"]);
        }
        let openid = |openid: &str| mini_program("", Some(Payer::Openid(openid.to_owned())));
        let code = |code: &str| mini_program("", Some(Payer::LoginCode(code.to_owned())));
        let long = "x".repeat(129);
        for (method, field) in [
            (mini_program("", None), "mini_program.payer"),
            (openid(""), "mini_program.openid"),
            (openid("o<x>"), "mini_program.openid"),
            (openid(&long), "mini_program.openid"),
            (code(""), "mini_program.login_code"),
            (code("a b"), "mini_program.login_code"),
            (code(&long), "mini_program.login_code"),
            (mini_program("wx-1", Some(Payer::Openid("oPayer".to_owned()))), "mini_program.app_id"),
            (jsapi(OFFICIAL_ACCOUNT, ""), "jsapi.openid"),
            (jsapi(&long, "oPayer"), "jsapi.app_id"),
        ] {
            wrong_fields(pay(PayOrderRequest { method: Some(method), ..good.clone() }).await, &[field]);
        }
        assert_eq!(order.now().await.payments, []);
        assert_eq!(world.sandbox.ledger().await.orders, []);

        // IPv6 is as good, and the request id of all those refusals is free.
        let answer = pay(PayOrderRequest { payer_ip: "2001:db8::7".to_owned(), ..good }).await;
        answer.expect("a right request");
    });
}

#[test]
fn a_merchant_without_that_kind_of_app_has_no_such_method() {
    story(Options::default(), async |world| {
        let shop = world.shop();
        let [mini, other] = [MERCHANT, OTHER_MERCHANT].map(|merchant| world.create_order(100).merchant(merchant));
        let (mini, other) = (mini.await, other.await);
        let openid = || Some(Payer::Openid("oPayer".to_owned()));
        for (order, method) in [
            (&other, jsapi("", "oPayer")),                         // It has a mini program only.
            (&other, jsapi(OFFICIAL_ACCOUNT, "oPayer")),           // Another merchant's.
            (&other, mini_program(MINI_PROGRAM, openid())),        // Another merchant's.
            (&mini, mini_program("wx0000000000000000", openid())), // Nobody's.
            (&mini, mini_program(OFFICIAL_ACCOUNT, openid())),     // Its own, of another kind.
            (&mini, jsapi(MINI_PROGRAM, "oPayer")),                // Its own, of another kind.
        ] {
            let request = PayOrderRequest { method: Some(method), ..order.pay_by_openid().request() };
            let answer = shop.orders().pay_order(request).await;
            refused(answer, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
            assert_eq!(order.now().await.payments, []);
        }
        assert_eq!(world.sandbox.ledger().await.orders, []);
        for (order, sign_type, app_id) in [(&mini, "HMAC-SHA256", MINI_PROGRAM), (&other, "MD5", "wxac3e0000000000b1")]
        {
            let cashier = order.pay_by_openid().await;
            let invocation = cashier.invocation();
            assert_eq!((invocation.sign_type.as_str(), invocation.app_id.as_str()), (sign_type, app_id));
        }
    });
}

fn mini_program(app_id: &str, payer: Option<Payer>) -> Method {
    Method::MiniProgram(MiniProgram { app_id: app_id.to_owned(), payer })
}

fn jsapi(app_id: &str, openid: &str) -> Method {
    Method::Jsapi(Jsapi { app_id: app_id.to_owned(), payer: Some(jsapi::Payer::Openid(openid.to_owned())) })
}
