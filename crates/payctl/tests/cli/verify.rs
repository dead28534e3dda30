use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;

use crate::harness::{Ended, kept, key, merchant, merchants, payctl, payctl_reading};

/// The fields of a notice about acme-mini, but for its signature.
const NOTICE: &str = "<return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><appid>wxac3e0000000000a1</appid>\
                      <mch_id>1900000109</mch_id><transaction_id>4200000001202611210000000001</transaction_id>\
                      <out_trade_no>T1</out_trade_no><total_fee>990</total_fee><attach></attach>\
                      <time_end>20261121100000</time_end>";

/// What WeChat signs of it.
const SIGNED: &str = "appid=wxac3e0000000000a1&mch_id=1900000109&out_trade_no=T1&result_code=SUCCESS&return_code=SUCCESS\
                      &time_end=20261121100000&total_fee=990&transaction_id=4200000001202611210000000001";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02X}").unwrap();
        text
    })
}

fn hmac(text: &str, key: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{text}&key={key}").as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn notice(sign: &str) -> String {
    format!("<xml>{NOTICE}<sign>{sign}</sign></xml>")
}

/// Checks a notice as acme-mini.
fn verify(message: &str, more: &[&str]) -> Ended {
    let file = merchant("acme-mini");
    let arguments = [&["verify", "-", "--merchant", &file], more].concat();
    payctl_reading(&arguments, message.as_bytes())
}

#[test]
fn a_right_notice_is_right() {
    let right = notice(&hmac(SIGNED, &key("acme-mini")));
    assert_eq!(verify(&right, &[]).with(0).stdout, "right: payment notice with HMAC-SHA256 and the key of acme-mini\n");
    let json = verify(&right, &["--json"]).with(0).json();
    assert_eq!((json["verdict"].as_str(), json["causes"].as_array().unwrap().len()), (Some("right"), 0));
    assert_eq!(json["string"], format!("{SIGNED}&key=********"));
}

#[test]
fn a_wrong_notice_names_its_cause_and_the_fix() {
    let empty = SIGNED.replace("&mch_id", "&attach=&mch_id");
    let wrong = verify(&notice(&hmac(&empty, &key("acme-mini"))), &[]).with(1);
    assert!(wrong.stdout.starts_with("wrong: the signature of this payment notice does not match (签名错误)\n"));
    assert!(
        wrong.stdout.contains(
            "cause: Fields without a value were signed.\n  fix: Leave out every field whose value is empty.\n"
        ),
        "{}",
        wrong.stdout
    );
    assert!(wrong.stdout.contains(&format!("over          {SIGNED}&key=********")), "{}", wrong.stdout);
    let json = verify(&notice(&hmac(&empty, &key("acme-mini"))), &["--json"]).with(1).json();
    assert_eq!(json["causes"][0]["cause"], "empty-included");
}

#[test]
fn what_only_wechat_signs_never_comes_back_rightly_signed() {
    let right = hmac(SIGNED, &key("acme-mini"));
    let lines = SIGNED.replace('&', "\n");
    // The same text under the signature, with the field that gives it away inside a value.
    let hidden = lines.replace("\nreturn_code", "&return_code");
    let scan = "appid=wxac3e0000000000a1&mch_id=1900000109&nonce_str=n&openid=o&product_id=p";
    let right_scan = hmac(scan, &key("acme-mini"));
    let wrong = "A".repeat(64);
    for (message, more, forged) in [
        (notice(&wrong), &[][..], &right),
        (notice(&wrong), &["--kind", "request"], &right),
        (format!("{lines}\nsign={wrong}"), &[], &right),
        (format!("{hidden}\nsign={wrong}"), &[], &right),
        (format!("{hidden}\nsign={wrong}"), &["--kind", "request"], &right),
        (format!("{}\nsign={wrong}", scan.replace('&', "\n")), &["--kind", "native-1"], &right_scan),
    ] {
        for json in [&[][..], &["--json"]] {
            let ended = verify(&message, &[more, json].concat()).with(1);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains(forged.as_str()) && !said.contains(&forged.to_lowercase()), "{said}");
            assert!(said.contains("What the signature must be is not shown"), "{said}");
        }
    }
}

#[test]
fn of_what_we_sign_ourselves_the_right_signature_is_shown() {
    let text = "appid=wxac3e0000000000a1&mch_id=1900000109&nonce_str=n&out_trade_no=T1";
    let right = hmac(text, &key("acme-mini"));
    let fields: Vec<_> = text.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let elements: Vec<_> = fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let message = format!("<xml>{}<sign>{}</sign></xml>", elements.concat(), "A".repeat(64));
    let ended = verify(&message, &[]).with(1);
    assert!(ended.stdout.contains(&format!("  must be       {right}\n")), "{}", ended.stdout);
    assert_eq!(verify(&message, &["--json"]).with(1).json()["expected"], right);
}

#[test]
fn a_message_that_holds_a_key_is_not_looked_at() {
    let secret = key("acme-tea");
    for message in [format!("a=1\nkey=x\nsign={secret}"), format!("mch_id=1900000109\nb={secret}\nsign=A")] {
        let ended = payctl_reading(
            &["verify", "-", "--merchants", &merchants(), "--merchant", &merchant("acme-mini")],
            message.as_bytes(),
        )
        .with(2);
        assert!(ended.stderr.contains("the message") && ended.stderr.contains("take it out"), "{}", ended.stderr);
        assert!(ended.stdout.is_empty() && !ended.stderr.contains(&secret), "{}", ended.stderr);
    }
}

#[test]
fn the_other_type_is_named_although_the_merchant_file_has_one() {
    let md5 = hex(&Md5::digest(format!("{SIGNED}&key={}", key("acme-mini"))));
    let json = verify(&notice(&md5), &["--json"]).with(1).json();
    assert_eq!(json["causes"][0]["cause"], "other-sign-type");
    assert_eq!(verify(&notice(&md5), &["--sign-type", "MD5"]).with(0).code, 0);
}

#[test]
fn another_merchants_key_is_found_in_the_directory_and_named() {
    let wrong = notice(&hmac(SIGNED, &key("acme-tea")));
    let alone = verify(&wrong, &[]).with(1);
    assert!(alone.stdout.contains("cause: none of the mistakes that are known"), "{}", alone.stdout);
    // The directory finds the account by the message's mch_id, too.
    for more in
        [&["--merchants", &merchants(), "--merchant", &merchant("acme-mini")][..], &["--merchants", &merchants()]]
    {
        let ended = payctl_reading(&[&["verify", "-"], more].concat(), wrong.as_bytes()).with(1);
        assert!(ended.stdout.contains("cause: It was signed with the key of acme-tea.\n"), "{}", ended.stdout);
        for name in ["acme-mini", "acme-shop", "acme-tea"] {
            assert!(!ended.stdout.contains(&key(name)) && !ended.stderr.contains(&key(name)));
        }
    }
}

#[test]
fn a_message_of_somebody_else_is_told_so() {
    let message = notice("A").replace("1900000109", "1900000208");
    assert!(
        verify(&message, &[])
            .with(1)
            .stdout
            .contains("the message is of mch_id 1900000208, but acme-mini has mch_id 1900000109")
    );
}

#[test]
fn what_carries_no_signature_is_told_apart() {
    let failed = verify("<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>", &[]).with(1);
    assert!(failed.stdout.starts_with("unsigned: this answer has no signature\n"), "{}", failed.stdout);
    assert!(failed.stdout.contains("WeChat does not sign a return_code other than SUCCESS"), "{}", failed.stdout);
    let refund = verify("<xml><return_code>SUCCESS</return_code><req_info>QQ==</req_info></xml>", &[]).with(1);
    assert!(refund.stdout.contains("`payctl decrypt`"), "{}", refund.stdout);
}

#[test]
fn a_file_of_any_shape_is_checked_with_a_key_file() {
    let key_file = kept("a.key", b"0123456789abcdef0123456789abcdef\n");
    let sign = hex(&Md5::digest(
        "appid=a&mch_id=1&nonce_str=n&product_id=p q&time_stamp=2&key=0123456789abcdef0123456789abcdef",
    ));
    let url =
        format!("weixin://wxpay/bizpayurl?sign={sign}&appid=a&mch_id=1&product_id=p%20q&time_stamp=2&nonce_str=n\n");
    let file = kept("code.txt", url.as_bytes());
    let ended = payctl(&["verify", file.path(), "--key-file", key_file.path()]).with(0);
    assert!(ended.stdout.starts_with("right: Native mode 1 URL with MD5 and the key in "), "{}", ended.stdout);
}

#[test]
fn bad_use_is_neither_right_nor_wrong() {
    assert!(
        payctl_reading(&["verify", "-"], b"a=1\nsign=A").with(2).stderr.contains("no key: name the merchant's file")
    );
    assert!(verify("hello", &[]).with(2).stderr.contains("line 1 is not name=value"));
    let nobody = payctl_reading(&["verify", "-", "--merchants", &merchants()], b"mch_id=7\nsign=A").with(2);
    assert!(nobody.stderr.contains("no merchant file of the directory has the mch_id 7"), "{}", nobody.stderr);
}

#[test]
fn a_broken_merchant_file_never_shows_what_is_in_it() {
    let file = kept("acme.toml", b"api_key_file = \"0123456789abcdef0123456789abcdef\"\n");
    let ended = payctl_reading(&["verify", "-", "--merchant", file.path()], b"a=1\nsign=A").with(2);
    assert!(ended.stderr.contains("api_key_file names a file that cannot be read"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("0123456789abcdef"), "{}", ended.stderr);
    let file = kept("acme.toml", b"api_key = 0123456789abcdef0123456789abcdef\n");
    let ended = payctl_reading(&["verify", "-", "--merchant", file.path()], b"a=1\nsign=A").with(2);
    assert!(!ended.stderr.contains("abcdef"), "{}", ended.stderr);
    assert!(file.folder().exists());
}

/// A folder of two merchants that share an app; the first is changing its key and its sign type.
fn changing() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let app = "[[apps]]\napp_id = \"wx1\"\nkind = \"mini-program\"\n";
    let old = "previous_api_key_file = \"a.old\"\nsign_type = \"HMAC-SHA256\"\nprevious_sign_type = \"MD5\"\n";
    write("a.toml", format!("mch_id = \"1\"\napi_key_file = \"a.key\"\n{old}{app}"));
    write("b.toml", format!("mch_id = \"2\"\napi_key_file = \"b.key\"\nsign_type = \"MD5\"\n{app}"));
    for (name, letter) in [("a.key", "a"), ("a.old", "o"), ("b.key", "b")] {
        write(name, letter.repeat(32) + "\n");
    }
    folder
}

#[test]
fn while_a_key_is_changed_the_one_before_it_counts() {
    let folder = changing();
    let merchant = folder.path().join("a.toml");
    let arguments = ["verify", "-", "--merchant", merchant.to_str().unwrap()];
    let sign = hex(&Md5::digest(format!("mch_id=1&key={}", "o".repeat(32))));
    let ended = payctl_reading(&arguments, format!("mch_id=1\nsign={sign}").as_bytes()).with(0);
    assert_eq!(ended.stdout, "right: list of fields with MD5 and the previous key of a\n");
}

#[test]
fn whose_message_it_is_is_never_guessed() {
    let folder = changing();
    let arguments = ["verify", "-", "--merchants", folder.path().to_str().unwrap()];
    let json =
        r#"{"appId":"wx1","timeStamp":"1","nonceStr":"n","package":"prepay_id=p","signType":"MD5","paySign":"A"}"#;
    let ended = payctl_reading(&arguments, json.as_bytes()).with(2);
    assert!(ended.stderr.contains("may be of a and of b: name the merchant's file"), "{}", ended.stderr);
    let ended = payctl_reading(&arguments, json.replace("\"appId\":\"wx1\",", "").as_bytes()).with(2);
    assert!(ended.stderr.contains("does not say whose it is"), "{}", ended.stderr);
}

#[test]
fn what_a_terminal_would_obey_is_written_out() {
    let json = r#"{"a":"\u001b[2J","sign":"A"}"#;
    let ended = verify(json, &[]).with(1);
    assert!(ended.stdout.contains("a=\\u{1b}[2J") && !ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
}

#[test]
fn an_empty_key_makes_nothing_right() {
    let key_file = kept("a.key", b" \n");
    let sign = hex(&Md5::digest("a=1&key="));
    let arguments = ["verify", "-", "--key-file", key_file.path()];
    let ended = payctl_reading(&arguments, format!("a=1\nsign={sign}").as_bytes()).with(2);
    assert!(ended.stderr.contains("with an empty key anybody can sign"), "{}", ended.stderr);
}

#[test]
fn what_is_right_with_a_key_that_is_none_says_so() {
    let key_file = kept("a.key", b"short");
    let sign = hex(&Md5::digest("a=1&key=short"));
    let arguments = ["verify", "-", "--key-file", key_file.path()];
    let ended = payctl_reading(&arguments, format!("a=1\nsign={sign}").as_bytes()).with(0);
    assert!(ended.stdout.contains("is no API v2 key (API key has 5 bytes instead of 32)"), "{}", ended.stdout);
}

#[test]
fn the_app_of_a_mini_program_can_be_named() {
    let key_file = kept("a.key", b"0123456789abcdef0123456789abcdef");
    let text = "appId=wx1&nonceStr=n&package=prepay_id=p&signType=MD5&timeStamp=1&key=0123456789abcdef0123456789abcdef";
    let sign = hex(&Md5::digest(text));
    let json =
        format!(r#"{{"timeStamp":"1","nonceStr":"n","package":"prepay_id=p","signType":"MD5","paySign":"{sign}"}}"#);
    let arguments = ["verify", "-", "--key-file", key_file.path()];
    let ended = payctl_reading(&arguments, json.as_bytes()).with(1);
    assert!(ended.stdout.contains("name it with --app-id"), "{}", ended.stdout);
    payctl_reading(&[&arguments[..], &["--app-id", "wx1"]].concat(), json.as_bytes()).with(0);
}
