//! The text of a product's QR code, shortened so that it is easier to scan.

use e2e::{
    Options, World,
    sandbox_client::Shown,
    selling::{MERCHANT, MINI_PROGRAM, State},
    story,
    tools::Outcome as _,
};
use proto::{
    error::ErrorReason,
    gateway::v1::{ShortenUrlRequest, ShortenUrlResponse, SignProductCodeRequest},
    order::v1::{CreateProductCodeRequest, ListOrdersRequest, ProductCode},
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::refused::{refused, wrong_fields};

async fn product(world: &World, amount_fen: i64) -> ProductCode {
    let request = CreateProductCodeRequest {
        request_id: Uuid::new_v4().to_string(),
        product_no: format!("P-{}", Uuid::new_v4().simple()),
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        amount_fen,
        description: "一壶茶".to_owned(),
        ..CreateProductCodeRequest::default()
    };
    world.shop().orders().create_product_code(request).await.expect("it is sold").into_inner()
}

async fn shorten(world: &World, long_url: &str) -> Result<ShortenUrlResponse, Status> {
    let request = ShortenUrlRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        long_url: long_url.to_owned(),
    };
    Ok(world.tools().shorten_url(request).await?.into_inner())
}

#[test]
fn who_scans_the_short_text_buys_the_same_product() {
    story(Options::default(), async |world| {
        let product = product(world, 250).await;
        let short = shorten(world, &product.code_url).await.expect("an outcome").done().url;
        assert!(short.len() < product.code_url.len(), "{short} is no shorter than {}", product.code_url);

        for (count, text) in (1..).zip([&short, &product.code_url]) {
            let scanned = world.sandbox.scan(text).await;
            let Shown::Cashier(cashier) = scanned.shown else { panic!("no cashier opens: {scanned:?}") };
            assert_eq!((cashier.amount_fen, cashier.trade_type.as_str()), (250, "NATIVE"));
            world.sandbox.pay(&cashier.out_trade_no).await;
            let orders = world.shop().list(ListOrdersRequest::default()).await.orders;
            assert_eq!(orders.len(), count, "each scan is an order");
            let paid = world.order(&orders[0].name).becomes(State::Paid).await;
            assert_eq!(paid.payments[0].out_trade_no, cashier.out_trade_no);
            assert_eq!(world.sandbox.order(&cashier.out_trade_no).await.expect("it is there").amount_fen, 250);
        }
    });
}

#[test]
fn only_the_text_of_a_product_code_is_shortened() {
    story(Options::default(), async |world| {
        wrong_fields(shorten(world, "").await, &["long_url"]);
        wrong_fields(shorten(world, &"x".repeat(513)).await, &["long_url"]);
        // What the text means is WeChat's to judge.
        let no = shorten(world, "https://shop.example/tea").await.expect("an outcome").no();
        assert_eq!(no.provider_code, "PARAM_ERROR");
        let nobodys = ShortenUrlRequest {
            merchant: "nobody".to_owned(),
            app_id: MINI_PROGRAM.to_owned(),
            long_url: "weixin://wxpay/bizpayurl?sign=A".to_owned(),
        };
        refused(world.tools().shorten_url(nobodys).await, Code::NotFound, ErrorReason::MerchantNotFound);

        let signed = SignProductCodeRequest {
            merchant: MERCHANT.to_owned(),
            app_id: MINI_PROGRAM.to_owned(),
            product_id: "tea".to_owned(),
        };
        let code = world.gateway().sign_product_code(signed).await.expect("it is signed").into_inner();
        let short = shorten(world, &code.code_url).await.expect("an outcome").done().url;
        assert_eq!(shorten(world, &code.code_url).await.expect("an outcome").done().url, short);
    });
}
