//! A browser outside WeChat.

use e2e::{Options, selling::WEB_SITE, story};
use jiff::SignedDuration;
use proto::{
    order::v1::{
        H5, H5AndroidApp, H5IosApp, H5Page, PayOrderRequest, h5::Scene, pay_order_request::Method,
        pay_order_response::Invocation,
    },
    time::from_wire,
};

use super::{goes_back, is_paid};
use crate::refused::wrong_fields;

const RETURN: &str = "https://shop.example.com/back?order=S-1&from=wechat";

fn page() -> Scene {
    Scene::Page(H5Page { url: "https://shop.example.com".to_owned(), name: "Tea house".to_owned() })
}

fn h5(scene: Option<Scene>, redirect_url: &str) -> Method {
    Method::H5(H5 { app_id: String::new(), scene, redirect_url: redirect_url.to_owned() })
}

#[test]
fn an_address_that_wechat_cannot_compare_and_a_way_back_that_is_none_are_refused() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let good = order.pay_by(h5(Some(page()), RETURN)).request();
        for payer_ip in ["10.0.0.7", "192.168.1.2", "127.0.0.1", "::1", "fe80::1", "0.0.0.0"] {
            let request = PayOrderRequest { payer_ip: payer_ip.to_owned(), ..good.clone() };
            wrong_fields(world.shop().orders().pay_order(request).await, &["payer_ip"]);
        }
        for back in ["http://shop.example.com/", "/back", "https://shop.example.com/\n", "javascript:alert(1)"] {
            wrong_fields(order.pay_by(h5(Some(page()), back)).attempt().await, &["h5.redirect_url"]);
        }
        wrong_fields(order.pay_by(h5(None, RETURN)).attempt().await, &["h5.scene"]);
        let nameless = Scene::IosApp(H5IosApp::default());
        wrong_fields(
            order.pay_by(h5(Some(nameless), "")).attempt().await,
            &["h5.ios_app.name", "h5.ios_app.bundle_id"],
        );
        assert!(order.now().await.payments.is_empty(), "nothing was written");
    });
}

#[test]
fn a_link_lives_five_minutes_and_its_payer_comes_back_whether_or_not_they_paid() {
    story(Options::default(), async |world| {
        let order = world.create_order(100).await;
        let before = world.sandbox.clock().await.now;
        let cashier = order.pay_by(h5(Some(page()), RETURN)).await;
        let until = cashier.opened().usable_until.as_ref().and_then(from_wire).expect("it ends");
        let life = until.duration_since(before);
        assert!(SignedDuration::from_mins(4) < life && life <= SignedDuration::from_mins(6), "{life}");
        let Some(Invocation::H5(link)) = &cashier.opened().invocation else { panic!("{:?}", cashier.opened()) };
        let encoded = "&redirect_url=https%3A%2F%2Fshop.example.com%2Fback%3Forder%3DS-1%26from%3Dwechat";
        assert!(link.url.ends_with(encoded), "{}", link.url);

        world.pass(std::time::Duration::from_mins(6)).await;
        let again = order.pay_by(h5(Some(page()), "")).await;
        again.pay().await;
        is_paid(&again, "h5").await;
    });
}

#[test]
fn a_page_and_an_app_of_either_kind_are_paid_and_their_money_goes_back() {
    story(Options::default(), async |world| {
        let ios = Scene::IosApp(H5IosApp { name: "Tea".to_owned(), bundle_id: "com.example.tea".to_owned() });
        let android =
            Scene::AndroidApp(H5AndroidApp { name: "Tea".to_owned(), package_name: "com.example.tea".to_owned() });
        for scene in [page(), ios, android] {
            let cashier = world.create_order(100).await.pay_by(h5(Some(scene), "")).await;
            let there = world.sandbox.order(cashier.out_trade_no()).await.expect("WeChat knows it");
            assert_eq!((there.trade_type.as_str(), there.app_id.as_str()), ("MWEB", WEB_SITE));
            cashier.pay().await;
            is_paid(&cashier, "h5").await;
            goes_back(world, &cashier).await;
        }
    });
}
