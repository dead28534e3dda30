use std::time::Duration;

use crate::harness::{ACME, Bench};

const PAGE: &str = r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example.com/tea","wap_name":"Tea"}}"#;
const APP: &str = r#"{"h5_info":{"type":"IOS","app_name":"Tea","bundle_id":"com.example.tea"}}"#;
const SHOP: &str = "https://shop.example.com/cart";

async fn link(bench: &Bench, number: &str, scene: &str) -> String {
    let fields = [("trade_type", "MWEB"), ("scene_info", scene), ("openid", ""), ("body", "<b>茶</b>")];
    bench.place(&ACME, number, &fields).await.text("mweb_url").unwrap().to_owned()
}

async fn page(bench: &Bench, link: &str, headers: &[(&str, &str)]) -> String {
    let request = headers.iter().fold(bench.http.get(link), |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.text().await.unwrap()
}

fn is_cashier(page: &str) -> bool {
    page.contains("action=\"/phone/pay\"")
}

#[tokio::test]
async fn the_link_opens_the_cashier_from_a_page_of_the_orders_site() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", PAGE).await;
    let page = page(&bench, &link, &[("referer", SHOP)]).await;
    assert!(is_cashier(&page) && page.contains("A00000001") && page.contains("¥1.00"), "{page}");
    assert!(page.contains("&lt;b&gt;茶") && !page.contains("<b>茶"));
}

#[tokio::test]
async fn a_link_that_no_page_led_to_is_refused() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", PAGE).await;
    for headers in [&[][..], &[("referer", "")], &[("referer", "about:blank")]] {
        assert!(page(&bench, &link, headers).await.contains("商家参数格式有误，请联系商家解决"), "{headers:?}");
    }
}

#[tokio::test]
async fn another_site_neither_opens_the_cashier_nor_is_returned_to() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", PAGE).await;
    let elsewhere = format!("{link}&redirect_url=https%3A%2F%2Felsewhere.example.com%2F");
    for (link, referer) in [(&link, "https://elsewhere.example.com/"), (&elsewhere, SHOP)] {
        let page = page(&bench, link, &[("referer", referer)]).await;
        assert!(page.contains("商家存在未配置的参数，请联系商家解决") && !is_cashier(&page), "{referer}");
    }
}

#[tokio::test]
async fn an_app_may_come_from_any_page() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", APP).await;
    assert!(is_cashier(&page(&bench, &link, &[("referer", "https://elsewhere.example.com/")]).await));
}

#[tokio::test]
async fn a_link_is_good_for_five_minutes_and_the_order_for_longer() {
    let bench = Bench::start().await;
    let first = link(&bench, "A00000001", PAGE).await;
    bench.advance(Duration::from_secs(290)).await;
    assert!(is_cashier(&page(&bench, &first, &[("referer", SHOP)]).await));
    bench.advance(Duration::from_secs(10)).await;
    assert!(page(&bench, &first, &[("referer", SHOP)]).await.contains("支付请求已失效，请重新发起支付"));
    let second = link(&bench, "A00000001", PAGE).await;
    assert!(is_cashier(&page(&bench, &second, &[("referer", SHOP)]).await));
}

#[tokio::test]
async fn a_link_that_was_built_by_hand_opens_nothing() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", PAGE).await;
    let (without_package, _) = link.split_once("&package=").unwrap();
    let jsapi = bench.place(&ACME, "A00000002", &[]).await;
    let (path, _) = link.split_once('?').unwrap();
    let of_another_kind = format!("{path}?prepay_id={}", jsapi.text("prepay_id").unwrap());
    for link in [without_package, path, &of_another_kind] {
        assert!(page(&bench, link, &[("referer", SHOP)]).await.contains("支付请求已失效"), "{link}");
    }
}

#[tokio::test]
async fn the_browser_inside_wechat_is_sent_away() {
    let bench = Bench::start().await;
    let link = link(&bench, "A00000001", PAGE).await;
    let headers = [("referer", SHOP), ("user-agent", "Mozilla/5.0 MicroMessenger/8.0.50")];
    assert!(page(&bench, &link, &headers).await.contains("请在微信外打开订单，进行支付"));
}

#[tokio::test]
async fn the_payer_returns_to_the_shop_whether_or_not_anything_was_paid() {
    let bench = Bench::start().await;
    for (number, how, state) in
        [("A00000001", "cancel", "NOTPAY"), ("A00000002", "declined", "NOTPAY"), ("A00000003", "pay", "SUCCESS")]
    {
        let link = link(&bench, number, PAGE).await + "&redirect_url=https%3A%2F%2Fshop.example.com%2Fdone%3Fcart%3D7";
        let page = page(&bench, &link, &[("referer", SHOP)]).await;
        assert!(page.contains("https://shop.example.com/done?cart=7"));
        let (_, rest) = page.split_once("name=\"prepay_id\" value=\"").unwrap();
        let prepay_id = rest.split('"').next().unwrap();
        let form = [
            ("prepay_id", prepay_id),
            ("how", how),
            ("in_cashier", "true"),
            ("redirect_url", "https://shop.example.com/done?cart=7"),
        ];
        let response = bench.http.post(format!("{}/phone/pay", bench.url)).form(&form).send().await.unwrap();
        assert_eq!(response.status(), 303);
        assert_eq!(response.headers()["location"], "https://shop.example.com/done?cart=7");
        assert_eq!(bench.trade_state(&ACME, number).await, state);
    }
}
