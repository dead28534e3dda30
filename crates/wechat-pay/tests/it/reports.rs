use jiff::Timestamp;
use wechat_pay::v2::SignType;
use wechat_pay::v2::report::{MicropayReport, Report, ReportedState, ReportedTrade, is_taken};
use wechat_pay::v2::sign;

use crate::{identity, key};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn report() -> Report {
    Report {
        identity: identity(),
        device_info: None,
        interface_url: "https://api.mch.weixin.qq.com/pay/micropay".to_owned(),
        execute_time_ms: 412,
        return_code: "SUCCESS".to_owned(),
        return_msg: None,
        result_code: "FAIL".to_owned(),
        err_code: Some("USERPAYING".to_owned()),
        err_code_des: Some("需要用户输入支付密码".to_owned()),
        out_trade_no: Some("T202001010001".to_owned()),
        time: Some(at(1_490_840_662)),
        user_ip: "203.0.113.9".parse().expect("an address"),
    }
}

#[test]
fn a_report_tells_how_a_call_went_and_is_signed_with_md5() {
    let fields = report().signed("n", &key());
    assert_eq!(sign::verify(&fields, &key(), SignType::Md5), Ok(()));
    let pairs: Vec<_> = fields.iter().filter(|(name, _)| *name != "sign").collect();
    assert_eq!(
        pairs,
        [
            ("appid", "wx0000000000000001"),
            ("mch_id", "1900000001"),
            ("nonce_str", "n"),
            ("interface_url", "https://api.mch.weixin.qq.com/pay/micropay"),
            ("execute_time", "412"),
            ("return_code", "SUCCESS"),
            ("result_code", "FAIL"),
            ("err_code", "USERPAYING"),
            ("err_code_des", "需要用户输入支付密码"),
            ("out_trade_no", "T202001010001"),
            ("time", "20170330102422"),
            ("user_ip", "203.0.113.9"),
        ]
    );
}

#[test]
fn the_address_of_a_report_is_cut_where_wechat_cuts_it() {
    let long = format!("https://x.example/{}", "茶".repeat(60));
    let fields = Report { interface_url: long.clone(), ..report() }.signed("n", &key());
    let told = fields.get("interface_url").expect("it is told");
    assert!(told.len() <= 127 && 124 < told.len() && long.starts_with(told), "{told}");
}

fn trade(n: usize, state: ReportedState) -> ReportedTrade {
    ReportedTrade {
        out_trade_no: format!("T{n}"),
        begin_time: at(1_490_840_662),
        end_time: at(1_490_840_663),
        state,
        err_msg: String::new(),
    }
}

#[test]
fn pay_code_payments_are_reported_together() {
    let trades = [ReportedState::Ok, ReportedState::Fail, ReportedState::Cancelled].into_iter().enumerate();
    let report = MicropayReport {
        identity: identity(),
        user_ip: "203.0.113.9".parse().expect("an address"),
        trades: trades.map(|(n, state)| trade(n, state)).collect(),
    };
    let fields = report.signed("n", &key());
    assert_eq!(sign::verify(&fields, &key(), SignType::Md5), Ok(()));
    assert_eq!(fields.get("interface_url"), Some("https://api.mch.weixin.qq.com/pay/batchreport/micropay/total"));
    let told: serde_json::Value = serde_json::from_str(fields.get("trades").expect("they are told")).expect("JSON");
    assert_eq!(
        told[2],
        serde_json::json!({
            "out_trade_no": "T2", "begin_time": "20170330102422", "end_time": "20170330102423",
            "state": "CANCLE", "err_msg": "",
        })
    );
    assert_eq!((&told[0]["state"], &told[1]["state"]), (&"OK".into(), &"FAIL".into()));
}

#[test]
fn a_batch_tells_as_many_as_fit() {
    let report = MicropayReport {
        identity: identity(),
        user_ip: "203.0.113.9".parse().expect("an address"),
        trades: (0..40).map(|n| trade(n, ReportedState::Ok)).collect(),
    };
    let fields = report.signed("n", &key());
    let text = fields.get("trades").expect("they are told");
    let told: Vec<serde_json::Value> = serde_json::from_str(text).expect("JSON");
    assert!(text.len() <= 1024 && 5 < told.len() && told.len() < 40, "{text}");
    let none = MicropayReport { trades: Vec::new(), ..report };
    assert_eq!(none.signed("n", &key()).get("trades"), Some("[]"));
}

#[test]
fn only_a_success_says_that_a_report_was_taken() {
    let answer = |text: &str| is_taken(format!("<xml>{text}</xml>").as_bytes());
    assert!(answer("<return_code>SUCCESS</return_code><result_code>SUCCESS</result_code>"));
    assert!(answer("<return_code>SUCCESS</return_code><err_code>0</err_code>"));
    assert!(!answer("<return_code>FAIL</return_code>"));
    assert!(!answer("<return_code>SUCCESS</return_code><result_code>FAIL</result_code>"));
    assert!(!is_taken(b"<html>"));
}
