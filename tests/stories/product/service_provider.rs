//! An account that a service provider runs for a sub-merchant: one key for many, told apart by their numbers.

use e2e::{
    Options, World,
    sandbox_client::PayBehaviour,
    selling::{Cashier, NewOrder, PROVIDERS_ACCOUNT, SUB_MERCHANT, SUB_MINI_PROGRAM},
    story,
};
use proto::{
    event::PaymentPaid,
    order::v1::{Jsapi, MiniProgram, Native, PayCode, jsapi, mini_program, pay_order_request::Method},
};

use super::{goes_back, is_paid};

const PROVIDER: &str = "1900000307";
const SUB: &str = "1900000315";

fn order(world: &World) -> NewOrder {
    world.create_order(100).merchant(SUB_MERCHANT)
}

/// WeChat knows the order as the sub-merchant's, and so do we once it is paid.
async fn is_the_sub_merchants(world: &World, cashier: &Cashier, app_id: &str) {
    let there = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
    assert_eq!((there.mch_id.as_str(), there.sub_mch_id.as_deref()), (PROVIDER, Some(SUB)));
    assert_eq!(there.app_id, app_id);
    let facts = world.facts("pay.v1.payment.paid.acme-tea").await;
    let fact = facts.iter().find(|fact| fact.text("outTradeNo") == cashier.out_trade_no()).expect("it is told");
    let paid: PaymentPaid = fact.event();
    assert_eq!((paid.mch_id.as_str(), paid.sub_mch_id.as_str(), paid.app_id.as_str()), (PROVIDER, SUB, app_id));
}

#[test]
fn the_sub_merchants_own_mini_program_is_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let login = world.sandbox.login_code(SUB_MINI_PROGRAM).await;
        let payer = Some(mini_program::Payer::LoginCode(login.code));
        let cashier =
            order(world).await.pay_by(Method::MiniProgram(MiniProgram { app_id: String::new(), payer })).await;
        assert_eq!(cashier.invocation().app_id, SUB_MINI_PROGRAM);
        cashier.pay().await;
        is_paid(&cashier, "mini_program").await;
        is_the_sub_merchants(world, &cashier, SUB_MINI_PROGRAM).await;
        goes_back(world, &cashier).await;
    });
}

#[test]
fn a_page_under_the_service_providers_account_is_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let code = world.sandbox.oauth_code(PROVIDERS_ACCOUNT).await;
        let payer = Some(jsapi::Payer::OauthCode(code.code));
        let cashier = order(world).await.pay_by(Method::Jsapi(Jsapi { app_id: String::new(), payer })).await;
        assert_eq!(cashier.invocation().app_id, PROVIDERS_ACCOUNT);
        cashier.pay().await;
        is_paid(&cashier, "jsapi").await;
        is_the_sub_merchants(world, &cashier, PROVIDERS_ACCOUNT).await;
        goes_back(world, &cashier).await;
    });
}

#[test]
fn a_qr_code_of_a_sub_merchants_is_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let native = Native { app_id: SUB_MINI_PROGRAM.to_owned(), ..Native::default() };
        let cashier = order(world).await.pay_by(Method::Native(native)).await;
        world.sandbox.pay_code_url(&cashier.qr().code_url).await;
        is_paid(&cashier, "native").await;
        is_the_sub_merchants(world, &cashier, SUB_MINI_PROGRAM).await;
        goes_back(world, &cashier).await;
    });
}

#[test]
fn a_pay_code_at_a_sub_merchants_till_is_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let code = world.sandbox.pay_code(PayBehaviour::Pays).await;
        let method = PayCode { app_id: SUB_MINI_PROGRAM.to_owned(), auth_code: code.auth_code };
        let cashier = order(world).await.pay_by(Method::PayCode(method)).await;
        is_paid(&cashier, "pay_code").await;
        world.tells("pay.v1.payment.paid.acme-tea", 1).await;
        is_the_sub_merchants(world, &cashier, SUB_MINI_PROGRAM).await;
        goes_back(world, &cashier).await;
    });
}
