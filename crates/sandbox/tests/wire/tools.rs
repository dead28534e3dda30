use std::time::Duration;

use sandbox::control::{LongUrl, PayBehaviour, Reports};
use wechat_pay::v2::{Fields, SignType, sign::verify};

use crate::harness::{ACME, Account, Bench, TEA, outcome};

const ASK: &str = "/tools/authcodetoopenid";
const SHORTEN: &str = "/tools/shorturl";
const REPORT: &str = "/payitil/report";
const LONG_URL: &str = "weixin://wxpay/bizpayurl?sign=A1&appid=wx1&product_id=%E8%8C%B6%2B1&nonce_str=n";

/// [`ACME`] as it signs with MD5.
const ACME_MD5: Account = Account { sign_type: SignType::Md5, ..ACME };

#[tokio::test]
async fn a_pay_code_tells_whose_it_is_and_is_then_only_this_merchants_to_charge() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let ask = async |account: &Account| bench.post(ASK, &account.signed(&[("auth_code", &code.auth_code)])).await;
    let answer = ask(&TEA).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("openid")), ("SUCCESS", Some(&*code.openid)));
    assert!(verify(&answer, &TEA.api_key(), SignType::Md5).is_ok());
    assert_eq!(outcome(&ask(&TEA).await), "SUCCESS");
    assert_eq!(outcome(&ask(&ACME_MD5).await), "AUTH_CODE_INVALID");
    assert_eq!(outcome(&bench.micropay("A00000001", &code.auth_code).await), "AUTH_CODE_INVALID");
    let charged = bench.micropay_with(&TEA, "A00000001", &code.auth_code, &[]).await;
    assert_eq!((outcome(&charged).as_str(), charged.text("openid")), ("SUCCESS", Some(&*code.openid)));
    assert_eq!(outcome(&ask(&TEA).await), "AUTH_CODE_ERROR");
}

#[tokio::test]
async fn its_schema_has_no_room_for_64_characters_or_a_sign_type_and_does_not_say_so() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let failed: Fields = [("return_code", "FAIL")].into_iter().collect();
    let mut long = ACME.signed(&[("auth_code", &code.auth_code)]);
    long.remove("sign_type");
    ACME.sign(&mut long);
    assert_eq!(long.text("sign").unwrap().len(), 64);
    let declared = TEA.signed(&[("auth_code", &code.auth_code), ("sign_type", "MD5")]);
    for fields in [long, declared, ACME.signed(&[("auth_code", &code.auth_code)])] {
        assert!(bench.post(ASK, &fields).await == failed);
    }
    let mut forged = TEA.signed(&[("auth_code", &code.auth_code)]);
    forged.insert("auth_code", "134567890123456789");
    assert_eq!(outcome(&bench.post(ASK, &forged).await), "签名错误");
}

#[tokio::test]
async fn a_code_that_is_no_code_or_old_tells_nobody() {
    let bench = Bench::start().await;
    let ask = async |code: &str| outcome(&bench.post(ASK, &TEA.signed(&[("auth_code", code)])).await);
    assert_eq!(ask("").await, "LACK_PARAMS");
    assert_eq!(ask("134567890123456789").await, "AUTH_CODE_INVALID");
    assert_eq!(ask(&bench.face_code().await.face_code).await, "AUTH_CODE_INVALID");
    let code = bench.pay_code(PayBehaviour::Pays).await;
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(ask(&code.auth_code).await, "AUTHCODEEXPIRE");
}

/// A request whose URL was signed as it is and is sent percent-encoded.
fn shorten(account: &Account, long_url: &str) -> Fields {
    let mut fields = account.signed(&[("long_url", long_url)]);
    let encoded = long_url.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02X}"));
    fields.insert("long_url", encoded);
    fields
}

#[tokio::test]
async fn a_long_url_is_signed_raw_and_sent_encoded() {
    let bench = Bench::start().await;
    for account in [ACME, TEA] {
        let answer = bench.post(SHORTEN, &shorten(&account, LONG_URL)).await;
        assert_eq!(outcome(&answer), "SUCCESS");
        assert!(verify(&answer, &account.api_key(), account.sign_type).is_ok());
        let short_url = answer.text("short_url").unwrap();
        assert!(short_url.starts_with("weixin://wxpay/s/"), "{short_url}");
        let url = format!("{}/_sandbox/short_urls", bench.url);
        let known = bench.http.get(&url).query(&[("url", short_url)]).send().await.unwrap();
        assert_eq!(known.json::<LongUrl>().await.unwrap().long_url, LONG_URL);
    }
    // Signed over the encoded text, or sent as it is although something in it is encoded.
    let mut encoded = shorten(&ACME, LONG_URL);
    ACME.sign(&mut encoded);
    assert_eq!(outcome(&bench.post(SHORTEN, &encoded).await), "签名错误");
    let raw = ACME.signed(&[("long_url", LONG_URL)]);
    assert_eq!(outcome(&bench.post(SHORTEN, &raw).await), "签名错误");
}

#[tokio::test]
async fn only_the_text_of_a_product_code_of_512_bytes_is_shortened() {
    let bench = Bench::start().await;
    let fitting = format!("weixin://wxpay/bizpayurl?{}", "a".repeat(512 - 25));
    let longer = format!("{fitting}a");
    for (long_url, code) in [
        (&*fitting, "SUCCESS"),
        (&*longer, "PARAM_ERROR"),
        ("https://pay.example.com/", "PARAM_ERROR"),
        ("", "LACK_PARAMS"),
    ] {
        assert_eq!(outcome(&bench.post(SHORTEN, &shorten(&ACME, long_url)).await), code, "{}", long_url.len());
    }
}

#[tokio::test]
async fn a_phone_that_scans_a_short_url_reads_the_long_one() {
    let bench = Bench::start().await;
    let answer = bench.post(SHORTEN, &shorten(&ACME, LONG_URL)).await;
    let scan = async |code_url: &str| {
        let scan = sandbox::control::Scan { code_url: code_url.to_owned(), ..sandbox::control::Scan::default() };
        bench.command("scans", &scan).await.text().await.unwrap()
    };
    let short = scan(answer.text("short_url").unwrap()).await;
    assert_eq!(short, scan(LONG_URL).await);
    assert_ne!(short, scan("weixin://wxpay/s/unknown").await);
}

#[tokio::test]
async fn reports_are_kept_and_answered_without_a_signature() {
    let bench = Bench::start().await;
    let call = [
        ("interface_url", "https://api.mch.weixin.qq.com/pay/unifiedorder"),
        ("execute_time_", "120"),
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("user_ip", "203.0.113.7"),
    ];
    let answer = bench.post(REPORT, &TEA.signed(&call)).await;
    assert_eq!((outcome(&answer).as_str(), answer.text("sign")), ("SUCCESS", None));
    let batch = [
        ("interface_url", "https://api.mch.weixin.qq.com/pay/batchreport/micropay/total"),
        ("user_ip", "203.0.113.7"),
        (
            "trades",
            r#"[{"out_trade_no":"A00000001","begin_time":"20260101000000","end_time":"20260101000001","state":"OK"}]"#,
        ),
    ];
    assert_eq!(outcome(&bench.post(REPORT, &TEA.signed(&batch)).await), "SUCCESS");
    let url = format!("{}/_sandbox/reports", bench.url);
    let kept: Reports = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(kept.reports.len(), 2);
    assert_eq!((kept.reports[0].merchant.as_str(), &*kept.reports[0].fields["execute_time_"]), (TEA.name, "120"));
    assert!(kept.reports[1].fields["trades"].contains("A00000001"));
    assert!(!kept.reports[0].fields.contains_key("sign"));
}

#[tokio::test]
async fn a_report_that_is_none_is_refused_and_not_kept() {
    let bench = Bench::start().await;
    let url = "https://api.mch.weixin.qq.com/pay/unifiedorder";
    let batch = "https://api.mch.weixin.qq.com/pay/batchreport/micropay/total";
    for (fields, code) in [
        (vec![("user_ip", "203.0.113.7")], "LACK_PARAMS"),
        (vec![("interface_url", url)], "LACK_PARAMS"),
        (vec![("interface_url", url), ("user_ip", "203.0.113.7")], "LACK_PARAMS"),
        (vec![("interface_url", batch), ("user_ip", "203.0.113.7")], "LACK_PARAMS"),
        (vec![("interface_url", batch), ("user_ip", "203.0.113.7"), ("trades", "[]")], "PARAM_ERROR"),
        (vec![("interface_url", url), ("user_ip", "203.0.113.7"), ("execute_time", "soon")], "PARAM_ERROR"),
    ] {
        assert_eq!(outcome(&bench.post(REPORT, &TEA.signed(&fields)).await), code, "{fields:?}");
    }
    assert_eq!(outcome(&bench.post(REPORT, &ACME.signed(&[])).await), "sign_type参数格式错误");
    let url = format!("{}/_sandbox/reports", bench.url);
    let kept: Reports = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(kept.reports, []);
}
