//! A printed code that sells the same thing again and again (Native mode 1): WeChat asks at each scan, and has five seconds.

use std::collections::BTreeSet;

use e2e::{
    Options, Part, World, eventually,
    sandbox_client::{Fault, FaultPoint, Scan, Scanned, Shown, always},
    selling::{MERCHANT, MINI_PROGRAM, SUB_MERCHANT, State},
    story,
};
use proto::{
    error::ErrorReason,
    order::v1::{
        CloseProductCodeRequest, CreateProductCodeRequest, GetProductCodeRequest, ListOrdersRequest,
        ListProductCodesRequest, ProductCode, QrImage,
    },
};
use tonic::Code;
use uuid::Uuid;

use crate::refused::{refused, wrong_fields};

fn tea() -> CreateProductCodeRequest {
    CreateProductCodeRequest {
        request_id: Uuid::new_v4().to_string(),
        product_no: format!("tea-{}", Uuid::new_v4().simple()),
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        amount_fen: 990,
        description: "龙井一壶".to_owned(),
        particulars: None,
        images: vec![],
    }
}

async fn on_the_wall(world: &World) -> ProductCode {
    world.shop().orders().create_product_code(tea()).await.expect("a right request").into_inner()
}

fn by(openid: &str, code: &ProductCode) -> Scan {
    Scan { code_url: code.code_url.clone(), openid: Some(openid.to_owned()), ..Scan::default() }
}

/// The number of the order whose cashier the phone shows.
#[track_caller]
fn cashier(scanned: &Scanned) -> String {
    match &scanned.shown {
        Shown::Cashier(cashier) => cashier.out_trade_no.clone(),
        other => panic!("the phone shows a cashier: {other:?}"),
    }
}

async fn orders(world: &World) -> Vec<proto::order::v1::Order> {
    world.shop().list(ListOrdersRequest::default()).await.orders
}

#[test]
fn a_scan_that_wechat_did_not_sign_makes_no_order() {
    story(Options::default(), async |world| {
        let code = on_the_wall(world).await;
        for field in ["sign", "product_id", "openid", "mch_id", "appid"] {
            let forged = Scan { corrupt: Some(field.to_owned()), ..by("oPayer1", &code) };
            let shown = world.sandbox.scan_as(&forged).await.shown;
            assert!(!matches!(shown, Shown::Cashier(_)), "{field}: {shown:?}");
        }
        assert!(orders(world).await.is_empty());
    });
}

#[test]
fn a_product_that_is_out_of_sale_or_unknown_is_told_to_the_payer() {
    story(Options::default(), async |world| {
        let code = on_the_wall(world).await;
        let close = CloseProductCodeRequest { request_id: Uuid::new_v4().to_string(), name: code.name.clone() };
        let closed =
            world.shop().orders().close_product_code(close.clone()).await.expect("a right request").into_inner();
        assert!(closed.close_time.is_some());
        let again = world.shop().orders().close_product_code(close).await.expect("the same again").into_inner();
        assert_eq!(again, closed);
        let shown = world.sandbox.scan_as(&by("oPayer1", &code)).await.shown;
        let Shown::Refusal { refusal } = shown else { panic!("the payer reads why: {shown:?}") };
        assert!(refusal.contains("下架"), "{refusal}");
        assert!(orders(world).await.is_empty());
    });
}

#[test]
fn nobody_who_can_answer_is_told_to_the_payer_and_the_next_scan_sells() {
    story(Options::default(), async |world| {
        let code = on_the_wall(world).await;
        world.stop(Part::OrderSvc);
        let shown = world.sandbox.scan_as(&by("oPayer1", &code)).await.shown;
        assert!(matches!(shown, Shown::Refusal { .. }), "{shown:?}");
        world.start(Part::OrderSvc).await;
        let fault = always(FaultPoint::UnifiedOrder, Fault::Lost);
        world.sandbox.fault(fault).await;
        let shown = world.sandbox.scan_as(&by("oPayer2", &code)).await.shown;
        assert!(matches!(shown, Shown::Refusal { .. }), "an unknown prepay opens nothing: {shown:?}");
        world.sandbox.clear_faults().await;
        cashier(&world.sandbox.scan_as(&by("oPayer3", &code)).await);
    });
}

#[test]
fn one_scan_that_is_asked_about_many_times_is_one_order() {
    story(Options::default(), async |world| {
        let code = on_the_wall(world).await;
        let scanned = world.sandbox.scan_as(&Scan { duplicate: 8, ..by("oPayer1", &code) }).await;
        let numbers: BTreeSet<_> = scanned
            .answers
            .iter()
            .filter_map(|shown| if let Shown::Cashier(cashier) = shown { Some(&cashier.out_trade_no) } else { None })
            .collect();
        assert_eq!(numbers.len(), 1, "{scanned:?}");
        assert_eq!(orders(world).await.len(), 1);
        // Another scan, by the same person, is another wish.
        let other = cashier(&world.sandbox.scan_as(&by("oPayer1", &code)).await);
        assert!(!numbers.contains(&other));
        assert_eq!(orders(world).await.len(), 2);
    });
}

#[test]
fn each_scan_sells_one_is_paid_and_its_money_goes_back() {
    story(Options::default(), async |world| {
        let code = on_the_wall(world).await;
        let out_trade_no = cashier(&world.sandbox.scan_as(&by("oPayer1", &code)).await);
        let there = world.sandbox.order(&out_trade_no).await.expect("WeChat knows it");
        assert_eq!((there.amount_fen, there.trade_type.as_str()), (990, "NATIVE"));
        world.sandbox.pay(&out_trade_no).await;
        let sold = eventually("the order is paid", async || {
            orders(world).await.into_iter().find(|order| order.state() == State::Paid)
        });
        let sold = sold.await;
        assert_eq!((sold.product_code.as_str(), sold.amount_fen), (code.name.as_str(), 990));
        let created = world.tells("order.v1.order.created.shop", 1).await;
        assert_eq!(
            (created[0].text("order"), created[0].text("productCode")),
            (sold.name.as_str(), code.name.as_str())
        );
        let paid = world.tells("order.v1.order.paid.shop", 1).await;
        assert_eq!(paid[0].text("productCode"), code.name);

        world.sandbox.set_settle_delay(None).await;
        let refund = world.order(&sold.name).refund(990).await;
        refund.becomes(e2e::selling::RefundState::Processing).await;
        crate::refund::arrives(world, &refund).await;
        world.order(&sold.name).becomes(State::Refunded).await;
        // The payer's openid is nobody's business.
        for part in Part::OURS {
            assert!(!world.log(part).contains("oPayer1"), "{part} logs who scanned");
        }
    });
}

#[test]
fn a_code_is_registered_once_read_back_drawn_and_listed() {
    story(Options::default(), async |world| {
        let mut shop = world.shop().orders();
        let request = CreateProductCodeRequest { images: vec![QrImage::Svg.into()], ..tea() };
        let code = shop.create_product_code(request.clone()).await.expect("a right request").into_inner();
        assert!(code.code_url.starts_with("weixin://wxpay/bizpayurl?"), "{}", code.code_url);
        assert!(code.qr_svg.contains("<svg") && code.qr_png.is_empty());
        assert_eq!(format!("productCodes/{}", Uuid::parse_str(&code.product_id).expect("an id")), code.name);
        let again = shop.create_product_code(request.clone()).await.expect("the same again").into_inner();
        assert_eq!(again.name, code.name);
        let other = CreateProductCodeRequest { amount_fen: 1, ..request.clone() };
        refused(shop.create_product_code(other).await, Code::AlreadyExists, ErrorReason::RequestIdReused);
        let other =
            CreateProductCodeRequest { amount_fen: 1, request_id: Uuid::new_v4().to_string(), ..request.clone() };
        refused(shop.create_product_code(other).await, Code::AlreadyExists, ErrorReason::ProductNoReused);

        let get = GetProductCodeRequest { name: code.name.clone(), images: vec![QrImage::Png.into()] };
        let read = shop.get_product_code(get.clone()).await.expect("it is ours").into_inner();
        assert!(read.qr_svg.is_empty() && read.qr_png.starts_with(b"\x89PNG"));
        assert_eq!((read.product_no.as_str(), read.amount_fen), (request.product_no.as_str(), 990));
        let strangers = world.canteen().orders().get_product_code(get).await;
        refused(strangers, Code::NotFound, ErrorReason::ProductCodeNotFound);
        let second = on_the_wall(world).await;
        let listed = shop.list_product_codes(ListProductCodesRequest::default()).await.expect("a right request");
        let names: Vec<_> = listed.into_inner().product_codes.into_iter().map(|code| code.name).collect();
        assert_eq!(names, [second.name, code.name], "newest first");
    });
}

#[test]
fn what_cannot_be_sold_by_a_code_names_its_field() {
    story(Options::default(), async |world| {
        let mut shop = world.shop().orders();
        let all = ["request_id", "product_no", "merchant", "amount_fen", "description"];
        wrong_fields(shop.create_product_code(CreateProductCodeRequest::default()).await, &all);
        let sub_merchants = CreateProductCodeRequest {
            merchant: SUB_MERCHANT.to_owned(),
            app_id: e2e::selling::SUB_MINI_PROGRAM.to_owned(),
            ..tea()
        };
        wrong_fields(shop.create_product_code(sub_merchants).await, &["merchant"]);
        // It has four apps, and nobody can guess which one.
        let unnamed = CreateProductCodeRequest { app_id: String::new(), ..tea() };
        refused(shop.create_product_code(unnamed).await, Code::FailedPrecondition, ErrorReason::MethodNotAvailable);
    });
}
