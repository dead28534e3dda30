//! Charges, tools and fund flows of a service provider about its sub-merchants.

use std::time::Duration;

use jiff::SignedDuration;
use sandbox::control::PayBehaviour;
use wechat_pay::{
    bill::{Expected, TradeBillReader, plain},
    time,
    v2::{Fields, SignType, xml},
};

use crate::harness::{
    Account, BREW, BREW_APP, BREW_NUMBER, Bench, LEAF, LEAF_APP, LEAF_NUMBER, PROVIDER_ACCOUNT, PROVIDER_APP,
    charge_fields, outcome,
};

/// The service provider as it signs with MD5.
const PROVIDER_MD5: Account = Account { sign_type: SignType::Md5, ..PROVIDER_ACCOUNT };

const REVERSE: &str = "/secapi/pay/reverse";

async fn charge(bench: &Bench, sub_merchant: &[(&str, &str)], number: &str, code: &str) -> Fields {
    bench.micropay_with(&PROVIDER_ACCOUNT, number, code, sub_merchant).await
}

async fn call(bench: &Bench, path: &str, fields: &[(&str, &str)], sub_merchant: &[(&str, &str)]) -> Fields {
    let all: Vec<(&str, &str)> = fields.iter().chain(sub_merchant).copied().collect();
    bench.post_certified(&PROVIDER_ACCOUNT, path, &all).await
}

#[tokio::test]
async fn a_charge_says_whose_it_is_and_who_paid_under_both_apps() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let brew = [("sub_mch_id", BREW_NUMBER), ("sub_appid", BREW_APP)];
    let mut asked = brew.to_vec();
    asked.push(("auth_code", &code.auth_code));
    let told = bench.post("/tools/authcodetoopenid", &PROVIDER_MD5.signed(&asked)).await;
    let answer = charge(&bench, &brew, "A00000001", &code.auth_code).await;
    assert_eq!(outcome(&answer), "SUCCESS");
    assert_eq!((answer.text("appid"), answer.text("sub_appid")), (Some(PROVIDER_APP), Some(BREW_APP)));
    assert_eq!(answer.text("sub_mch_id"), Some(BREW_NUMBER));
    assert_eq!((answer.text("openid"), answer.text("sub_openid")), (told.text("openid"), told.text("sub_openid")));
    assert!(told.text("sub_openid").is_some_and(|sub_openid| sub_openid != code.openid));
    assert_eq!(bench.known_order("A00000001").await.unwrap().merchant, "brew-bar");
}

#[tokio::test]
async fn a_code_that_one_sub_merchant_asked_about_is_not_anothers_to_charge() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let asked = [("sub_mch_id", BREW_NUMBER), ("auth_code", &*code.auth_code)];
    assert_eq!(outcome(&bench.post("/tools/authcodetoopenid", &PROVIDER_MD5.signed(&asked)).await), "SUCCESS");
    assert_eq!(outcome(&charge(&bench, &LEAF, "A00000001", &code.auth_code).await), "AUTH_CODE_INVALID");
    assert_eq!(outcome(&charge(&bench, &BREW, "A00000001", &code.auth_code).await), "SUCCESS");
}

#[tokio::test]
async fn a_sub_merchants_charges_are_its_own() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    assert_eq!(outcome(&charge(&bench, &BREW, "A00000001", &code.auth_code).await), "SUCCESS");
    let other = bench.pay_code(PayBehaviour::Pays).await;
    assert_eq!(outcome(&charge(&bench, &LEAF, "A00000001", &other.auth_code).await), "OUT_TRADE_NO_USED");
    assert_eq!(outcome(&charge(&bench, &[], "A00000002", &other.auth_code).await), "LACK_PARAMS");
    bench.advance(Duration::from_secs(15)).await;
    let number = [("out_trade_no", "A00000001")];
    assert_eq!(outcome(&call(&bench, REVERSE, &number, &LEAF).await), "ORDERNOTEXIST");
    assert_eq!(outcome(&call(&bench, REVERSE, &number, &[]).await), "LACK_PARAMS");
    assert_eq!(outcome(&call(&bench, REVERSE, &number, &BREW).await), "SUCCESS");
}

#[tokio::test]
async fn a_face_is_known_under_either_app() {
    let bench = Bench::start().await;
    let code = bench.face_code().await;
    let mut fields = charge_fields("A00000001");
    fields.extend([("face_code", &*code.face_code), ("sub_openid", &*code.openid)]);
    fields.extend([("sub_mch_id", BREW_NUMBER), ("sub_appid", BREW_APP)]);
    let answer = bench.post("/pay/facepay", &PROVIDER_ACCOUNT.signed(&fields)).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("sub_openid")), ("SUCCESS", Some(&*code.openid)));
    assert!(answer.text("openid").is_some_and(|openid| openid != code.openid));
}

#[tokio::test]
async fn a_red_packet_names_the_sub_merchant_and_the_app_of_its_user() {
    let bench = Bench::start().await;
    let send = async |number: &str, sub_merchant: &[(&str, &str)]| {
        let mut fields = vec![
            ("appid", ""),
            ("wxappid", PROVIDER_APP),
            ("mch_billno", number),
            ("send_name", "茶馆"),
            ("re_openid", "oUser1"),
            ("total_amount", "100"),
            ("total_num", "1"),
            ("wishing", "恭喜"),
            ("client_ip", "203.0.113.7"),
            ("act_name", "新年"),
            ("remark", "多买多送"),
        ];
        fields.extend_from_slice(sub_merchant);
        outcome(&bench.post_certified(&PROVIDER_MD5, "/mmpaymkttransfers/sendredpack", &fields).await)
    };
    assert_eq!(send("B1", &[("sub_mch_id", BREW_NUMBER), ("msgappid", BREW_APP)]).await, "SUCCESS");
    assert_eq!(send("B2", &[("sub_mch_id", BREW_NUMBER), ("msgappid", PROVIDER_APP)]).await, "SUCCESS");
    assert_eq!(send("B3", &[("sub_mch_id", BREW_NUMBER), ("msgappid", LEAF_APP)]).await, "PARAM_ERROR");
    assert_eq!(send("B4", &[]).await, "LACK_PARAMS");
}

#[tokio::test]
async fn bills_and_flows_are_of_all_sub_merchants_or_of_one() {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    for (number, sub_merchant) in [("A00000001", BREW), ("A00000002", LEAF)] {
        let code = bench.pay_code(PayBehaviour::Pays).await;
        assert_eq!(outcome(&charge(&bench, &sub_merchant, number, &code.auth_code).await), "SUCCESS");
    }
    bench.advance(Duration::from_hours(30)).await;
    let date = time::print_date(day);
    let trades = async |sub_merchant: &[(&str, &str)]| {
        let mut fields = vec![("bill_date", &*date)];
        fields.extend_from_slice(sub_merchant);
        let body = xml::write("xml", &PROVIDER_ACCOUNT.signed(&fields)).into_bytes();
        let body = bench.send("/pay/downloadbill", body).await.unwrap().bytes().await.unwrap();
        let expected = Expected { mch_id: PROVIDER_ACCOUNT.mch_id.to_owned(), bill_date: Some(day) };
        let rows: Vec<_> =
            TradeBillReader::open(plain(&body[..]).unwrap(), expected).unwrap().collect::<Result<_, _>>().unwrap();
        rows.into_iter().map(|row| row.sub_mch_id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(trades(&[]).await, [BREW_NUMBER, LEAF_NUMBER]);
    assert_eq!(trades(&LEAF).await, [LEAF_NUMBER]);
    let moves = async |sub_merchant: &[(&str, &str)]| {
        let mut fields = vec![("bill_date", &*date), ("account_type", "Basic")];
        fields.extend_from_slice(sub_merchant);
        let request = PROVIDER_ACCOUNT.signed(&fields);
        let text = bench.send_certified(&PROVIDER_ACCOUNT, "/pay/downloadfundflow", &request).await.text().await;
        text.unwrap().matches(",`交易,`交易,").count()
    };
    assert_eq!((moves(&[]).await, moves(&LEAF).await), (2, 1));
}
