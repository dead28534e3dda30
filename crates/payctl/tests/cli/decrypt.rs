use wechat_pay::v2::{
    ApiKey, Fields,
    refund_notice::{SealKey, seal},
};

use crate::harness::{key, merchant, merchants, payctl_reading};

const INNER: [(&str, &str); 3] = [("out_refund_no", "R1"), ("refund_fee", "990"), ("refund_status", "SUCCESS")];

fn sealed(name: &str) -> String {
    seal(&Fields::from_iter(INNER), &SealKey::of(&ApiKey::parse(&key(name)).unwrap()))
}

fn notice(req_info: &str) -> String {
    format!("<xml><return_code>SUCCESS</return_code><mch_id>1900000109</mch_id><req_info>{req_info}</req_info></xml>")
}

#[test]
fn a_refund_notice_is_opened_whole_or_bare() {
    let req_info = sealed("acme-mini");
    let broken_by_a_log = format!("{}\n{}\n", &req_info[..40], &req_info[40..]);
    for given in [notice(&req_info), req_info.clone(), broken_by_a_log] {
        let ended = payctl_reading(&["decrypt", "--merchant", &merchant("acme-mini")], given.as_bytes()).with(0);
        assert!(ended.stdout.starts_with("<root><out_refund_no><![CDATA[R1]]>"), "{}", ended.stdout);
    }
    let ended =
        payctl_reading(&["decrypt", "--merchant", &merchant("acme-mini"), "--json"], req_info.as_bytes()).with(0);
    let json = ended.json();
    assert_eq!(
        (json["fields"]["refund_fee"].as_str(), json["key"].as_str()),
        (Some("990"), Some("the key of acme-mini"))
    );
}

#[test]
fn the_key_that_opens_it_is_named() {
    let given = notice(&sealed("acme-tea"));
    let ended = payctl_reading(&["decrypt", "--merchant", &merchant("acme-mini")], given.as_bytes()).with(1);
    assert!(ended.stderr.contains("not opened with the key of acme-mini"), "{}", ended.stderr);
    assert!(ended.stdout.is_empty());
    let both = ["decrypt", "--merchant", &merchant("acme-mini"), "--merchants", &merchants()];
    let ended = payctl_reading(&both, given.as_bytes()).with(0);
    assert!(ended.stderr.contains("does not open it; the key of acme-tea does"), "{}", ended.stderr);
}

#[test]
fn what_is_no_refund_notice_is_refused() {
    let file = merchant("acme-mini");
    for (given, why) in
        [("", "there is nothing to decrypt"), ("<xml><a>1</a></xml>", "has no req_info"), ("!!!", "is not base64")]
    {
        let ended = payctl_reading(&["decrypt", "--merchant", &file], given.as_bytes()).with(2);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
    let cut = &sealed("acme-mini")[..20];
    assert!(
        payctl_reading(&["decrypt", "--merchant", &file], cut.as_bytes()).with(1).stderr.contains("not whole blocks")
    );
}
