use proto::order::v1::{
    Face, H5, H5Page, Jsapi, Native, NativeApp, PayCode, PayOrderRequest, h5, jsapi, pay_order_request::Method as Asked,
};
use tonic_types::StatusExt as _;

use super::{Payer, Wanted, check};
use crate::domain::payment::Method;

const ORDER: &str = "orders/01980000-0000-7000-8000-000000000001";

fn request(method: Asked) -> PayOrderRequest {
    PayOrderRequest {
        request_id: "01980000-0000-7000-8000-000000000002".into(),
        name: ORDER.into(),
        payer_ip: "203.0.113.7".into(),
        method: Some(method),
    }
}

fn wanted(method: Asked) -> Wanted {
    check(&request(method)).unwrap_or_else(|status| panic!("{status}"))
}

fn wrong(request: &PayOrderRequest) -> Vec<String> {
    let Err(status) = check(request) else { return Vec::new() };
    let told = status.get_details_bad_request().expect("a bad request");
    told.field_violations.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn the_product_of_a_qr_code_is_the_orders_id_unless_the_team_names_one() {
    let own = wanted(Asked::Native(Native::default()));
    assert_eq!(own.details.product_id.as_deref(), Some("01980000000070008000000000000001"));
    assert!(matches!((own.method, own.payer), (Method::Native, Payer::Unnamed)));
    let named = wanted(Asked::Native(Native { product_id: "tea-1".into(), ..Native::default() }));
    assert_eq!(named.details.product_id.as_deref(), Some("tea-1"));
}

#[test]
fn every_mistake_about_a_qr_code_is_told() {
    let method = Native { app_id: "wx 1".into(), product_id: "茶".into(), images: vec![1, 9] };
    let fields = wrong(&request(Asked::Native(method)));
    assert_eq!(fields, ["native.app_id", "native.images[1]", "native.product_id"]);
    let nameless = PayOrderRequest { name: "x".into(), ..request(Asked::Native(Native::default())) };
    assert_eq!(wrong(&nameless), ["name"]);
}

#[test]
fn what_a_browser_needs_is_stored_without_the_app() {
    let page = h5::Scene::Page(H5Page { url: "https://shop.example/".into(), name: "茶".into() });
    let method = H5 { app_id: "wx01".into(), scene: Some(page), redirect_url: "https://shop.example/done".into() };
    let wanted = wanted(Asked::H5(method.clone()));
    assert_eq!(wanted.details.h5, Some(H5 { app_id: String::new(), ..method.clone() }));
    let private = PayOrderRequest { payer_ip: "192.168.0.7".into(), ..request(Asked::H5(method)) };
    assert_eq!(wrong(&private), ["payer_ip"]);
}

#[test]
fn a_private_address_is_right_where_no_browser_is_compared() {
    let request = PayOrderRequest { payer_ip: "192.168.0.7".into(), ..request(Asked::App(NativeApp::default())) };
    assert_eq!(wrong(&request), [""; 0]);
}

#[test]
fn a_page_inside_wechat_names_its_payer_by_openid_or_oauth_code() {
    let code = Jsapi { payer: Some(jsapi::Payer::OauthCode("081abc".into())), ..Jsapi::default() };
    assert!(matches!(wanted(Asked::Jsapi(code)).payer, Payer::LoginCode(code) if code == "081abc"));
    assert_eq!(wrong(&request(Asked::Jsapi(Jsapi::default()))), ["jsapi.payer"]);
    assert_eq!(wrong(&PayOrderRequest { method: None, ..request(Asked::App(NativeApp::default())) }), ["method"]);
}

#[test]
fn a_pay_code_and_a_face_pay_once_and_name_nobody() {
    let code = PayCode { auth_code: "134567890123456789".into(), ..PayCode::default() };
    let code = wanted(Asked::PayCode(code));
    assert!(matches!((code.method, code.payer), (Method::PayCode, Payer::Code(code)) if code.openid.is_empty()));
    let face = Face { face_code: "f-1".into(), openid: "oFace".into(), ..Face::default() };
    let face = wanted(Asked::Face(face));
    assert!(matches!((face.method, face.payer), (Method::Face, Payer::Code(face)) if face.openid == "oFace"));
    assert_eq!(
        wrong(&request(Asked::PayCode(PayCode { app_id: "wx 1".into(), ..PayCode::default() }))),
        ["pay_code.app_id", "pay_code.auth_code"]
    );
}
