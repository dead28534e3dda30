//! Products with a QR code of their own.

use proto::order::v1::*;
use tonic::Response;

use crate::gateway::{MERCHANT, MINI, SUB_MERCHANT};
use crate::harness::{World, id, of, reason, wrong_fields};

pub(crate) fn product(product_no: &str) -> CreateProductCodeRequest {
    CreateProductCodeRequest {
        request_id: id(),
        product_no: product_no.to_owned(),
        merchant: MERCHANT.to_owned(),
        app_id: MINI.to_owned(),
        amount_fen: 250,
        description: "一壶茶".to_owned(),
        particulars: Some(Particulars { attach: "桌 7".into(), ..Particulars::default() }),
        images: vec![QrImage::Svg.into()],
    }
}

pub(crate) async fn sell(world: &World, request: CreateProductCodeRequest) -> ProductCode {
    let created = world.client.clone().create_product_code(of("shop", request)).await;
    created.map(Response::into_inner).expect("a product code")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_one_whatever_its_number_is_asked_for_again() {
    let world = World::start().await;
    let request = product("pot-7");
    let first = sell(&world, request.clone()).await;
    assert_eq!((first.product_no.as_str(), first.amount_fen, first.app_id.as_str()), ("pot-7", 250, MINI));
    assert_eq!(first.particulars, request.particulars);
    assert!(first.code_url.contains(&format!("product_id={}", first.product_id)), "{}", first.code_url);
    assert!(first.qr_svg.starts_with("<svg") && first.qr_png.is_empty());

    // The signature is new; the product is not.
    let without_code = |product: ProductCode| ProductCode { code_url: String::new(), qr_svg: String::new(), ..product };
    let again = sell(&world, request.clone()).await;
    assert_ne!(again.code_url, first.code_url);
    assert_eq!(without_code(again), without_code(first.clone()));
    let other_request =
        sell(&world, CreateProductCodeRequest { request_id: id(), images: Vec::new(), ..request.clone() }).await;
    assert_eq!(other_request.name, first.name);

    let mut client = world.client.clone();
    let dearer = CreateProductCodeRequest { request_id: id(), amount_fen: 251, ..request.clone() };
    assert_eq!(reason(client.create_product_code(of("shop", dearer)).await), "PRODUCT_NO_REUSED");
    let changed = CreateProductCodeRequest { amount_fen: 251, ..request.clone() };
    assert_eq!(reason(client.create_product_code(of("shop", changed)).await), "REQUEST_ID_REUSED");
    let elsewhere = client.create_product_code(of("cafe", request)).await.expect("its own number").into_inner();
    assert_ne!(elsewhere.name, first.name);
    assert_eq!(world.count("SELECT count(*) FROM product_codes").await, 2);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_code_is_read_listed_and_closed_by_its_own_team_only() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let mut names = Vec::new();
    for number in ["a", "b", "c"] {
        names.push(sell(&world, product(number)).await.name);
    }
    let get = |name: &String| GetProductCodeRequest { name: name.clone(), images: vec![QrImage::Png.into()] };
    let read = client.get_product_code(of("shop", get(&names[0]))).await.expect("it is there").into_inner();
    assert!(read.qr_png.starts_with(b"\x89PNG") && !read.code_url.is_empty());
    assert_eq!(reason(client.get_product_code(of("cafe", get(&names[0]))).await), "PRODUCT_CODE_NOT_FOUND");
    assert_eq!(wrong_fields(client.get_product_code(of("shop", get(&"orders/x".into()))).await), ["name"]);

    let page = |page_token: &str| ListProductCodesRequest {
        page_size: 2,
        page_token: page_token.into(),
        ..Default::default()
    };
    let first = client.list_product_codes(of("shop", page(""))).await.expect("a page").into_inner();
    let second =
        client.list_product_codes(of("shop", page(&first.next_page_token))).await.expect("a page").into_inner();
    assert_eq!(second.next_page_token, "");
    let listed = first.product_codes.iter().chain(&second.product_codes);
    let listed: Vec<_> =
        listed.inspect(|product| assert!(!product.code_url.is_empty())).map(|product| &product.name).collect();
    assert_eq!(listed, names.iter().rev().collect::<Vec<_>>());
    let stolen = client.list_product_codes(of("cafe", page(&first.next_page_token))).await;
    assert_eq!(wrong_fields(stolen), ["page_token"]);
    let only = ListProductCodesRequest { product_no: "b".into(), ..ListProductCodesRequest::default() };
    let only = client.list_product_codes(of("shop", only)).await.expect("a page").into_inner();
    assert_eq!(only.product_codes.iter().map(|product| &product.name).collect::<Vec<_>>(), [&names[1]]);

    let close = CloseProductCodeRequest { request_id: id(), name: names[1].clone() };
    assert_eq!(reason(client.close_product_code(of("cafe", close.clone())).await), "PRODUCT_CODE_NOT_FOUND");
    let closed = client.close_product_code(of("shop", close.clone())).await.expect("closed").into_inner();
    assert!(closed.close_time.is_some() && closed.code_url.is_empty());
    assert_eq!(client.close_product_code(of("shop", close.clone())).await.expect("the same").into_inner(), closed);
    let again = CloseProductCodeRequest { request_id: id(), ..close };
    assert_eq!(client.close_product_code(of("shop", again)).await.expect("still").into_inner(), closed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sold_is_refused_before_anything_is_written() {
    let world = World::start().await;
    let mut client = world.client.clone();
    let sub = CreateProductCodeRequest { merchant: SUB_MERCHANT.into(), app_id: String::new(), ..product("a") };
    assert_eq!(wrong_fields(client.create_product_code(of("shop", sub)).await), ["merchant"]);
    let wrong = CreateProductCodeRequest {
        product_no: "a b".into(),
        amount_fen: 0,
        description: String::new(),
        particulars: Some(Particulars { attach: "a&b".into(), ..Particulars::default() }),
        images: vec![0],
        ..product("a")
    };
    let mut fields = wrong_fields(client.create_product_code(of("shop", wrong)).await);
    fields.sort();
    assert_eq!(fields, ["amount_fen", "description", "images[0]", "particulars.attach", "product_no"]);
    let nameless = CreateProductCodeRequest { app_id: String::new(), ..product("a") };
    assert_eq!(reason(client.create_product_code(of("shop", nameless)).await), "METHOD_NOT_AVAILABLE");
    assert_eq!(world.count("SELECT count(*) FROM product_codes").await, 0);
    world.end().await;
}
