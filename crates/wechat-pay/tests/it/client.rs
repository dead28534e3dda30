use jiff::Timestamp;
use serde_json::json;
use wechat_pay::v2::client::{AppInvocation, Invocation, h5_url};
use wechat_pay::v2::{ApiKey, Identity, RedpackInvocation, SignType, sign};

use crate::{identity, key};

#[test]
fn the_official_mini_program_sample_signs_as_published() {
    let invocation = Invocation::new(
        &Identity::direct("wxd678efh567hg6787", ""),
        "wx2017033010242291fcfe0db70013231072",
        "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
        Timestamp::from_second(1_490_840_662).unwrap(),
        &ApiKey::parse("qazwsxedcrfvtgbyhnujmikolp111111").unwrap(),
        SignType::Md5,
    );
    assert_eq!(
        serde_json::to_value(&invocation).unwrap(),
        json!({
            "appId": "wxd678efh567hg6787",
            "timeStamp": "1490840662",
            "nonceStr": "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
            "package": "prepay_id=wx2017033010242291fcfe0db70013231072",
            "signType": "MD5",
            "paySign": "22D9B4E54AB1950F51E0649E8810ACD6",
        })
    );
}

#[test]
fn the_app_that_opens_the_cashier_is_the_one_that_is_signed() {
    let provider =
        Identity { sub_appid: Some("wxsub".to_owned()), sub_mch_id: Some("1900000098".to_owned()), ..identity() };
    let now = Timestamp::from_second(1).unwrap();
    let invocation = Invocation::new(&provider, "p", "n", now, &key(), SignType::HmacSha256);
    assert_eq!(invocation.app_id, "wxsub");
    assert_eq!(invocation.pay_sign.len(), 64);
    assert_eq!(invocation.pay_sign, sign::sign(&invocation.signed_fields(), &key(), SignType::HmacSha256));
    let app = AppInvocation::new(&provider, "p", "n", now, &key(), SignType::Md5);
    assert_eq!((app.appid.as_str(), app.partnerid.as_str()), ("wxsub", "1900000098"));
}

#[test]
fn a_red_packet_signs_its_package_encoded_and_in_lower_case() {
    let now = Timestamp::from_second(1_414_561_699).unwrap();
    let invocation = RedpackInvocation::new("wx1", "sendid=1&ver=8", "n", now, &key());
    assert_eq!(invocation.package, "sendid%3D1%26ver%3D8");
    assert_eq!(invocation.pay_sign, invocation.pay_sign.to_lowercase());
    assert!(invocation.signed_fields("wx1").get("signType").is_none());
}

#[test]
fn the_way_back_stands_behind_the_address_that_wechat_gave() {
    let mweb_url = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2150917749";
    assert_eq!(h5_url(mweb_url, None), mweb_url);
    assert_eq!(
        h5_url(mweb_url, Some("https://shop.example/done?order=1&x=茶#end")),
        format!("{mweb_url}&redirect_url=https%3A%2F%2Fshop.example%2Fdone%3Forder%3D1%26x%3D%E8%8C%B6%23end")
    );
}
