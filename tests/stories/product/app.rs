//! A native app.

use e2e::{
    Options,
    selling::{NATIVE_APP, OTHER_MERCHANT},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{NativeApp, pay_order_request::Method, pay_order_response::Invocation},
};
use tonic::Code;

use super::{goes_back, is_paid};
use crate::refused::refused;

fn app(app_id: &str) -> Method {
    Method::App(NativeApp { app_id: app_id.to_owned() })
}

#[test]
fn a_merchant_without_an_app_and_an_app_that_is_none_are_refused() {
    story(Options::default(), async |world| {
        let others = world.create_order(100).merchant(OTHER_MERCHANT).await;
        refused(others.pay_by(app("")).attempt().await, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
        let order = world.create_order(100).await;
        let mini_program = order.pay_by(app(e2e::selling::MINI_PROGRAM)).attempt().await;
        refused(mini_program, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
    });
}

#[test]
fn an_app_opens_the_cashier_with_what_wechats_sdk_wants_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let order = world.create_order(250).await;
        let cashier = order.pay_by(app("")).await;
        let Some(Invocation::App(sdk)) = &cashier.opened().invocation else { panic!("{:?}", cashier.opened()) };
        assert_eq!((sdk.appid.as_str(), sdk.partnerid.as_str()), (NATIVE_APP, "1900000109"));
        assert_eq!((sdk.package.as_str(), sdk.sign.len()), ("Sign=WXPay", 64));
        world.sandbox.pay_prepaid(&sdk.prepayid).await;
        is_paid(&cashier, "app").await;
        goes_back(world, &cashier).await;
    });
}
