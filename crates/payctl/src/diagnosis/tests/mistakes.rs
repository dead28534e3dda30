use super::*;

#[test]
fn the_other_sign_type_is_named() {
    let signed = with_key(&text(&NOTICE));
    assert_eq!(causes(&hmac(&signed, KEY)), ["other-sign-type"]);
    let md5 = message(Kind::Notice, &NOTICE, &md5(&signed));
    assert_eq!(causes_of(&md5, SignType::HmacSha256), ["other-sign-type"]);
}

#[test]
fn another_merchants_key_is_named() {
    let wrong = wrong(&message(Kind::Notice, &NOTICE, &md5(format!("{}&key={OTHER}", text(&NOTICE)))), SignType::Md5);
    assert_eq!(words(&wrong.causes), ["other-key"]);
    assert_eq!(wrong.causes[0].told().says, "It was signed with the key an.");
}

#[test]
fn what_was_done_to_the_key_is_named() {
    let text = text(&NOTICE);
    for (signed, cause) in [
        (format!("{text}&key={KEY}\n"), "key-with-line-end"),
        (format!("{text}&key={KEY}\r\n"), "key-with-line-end"),
        (format!("{text}&key={}", KEY.to_lowercase()), "key-case"),
        (format!("{text}&key={}", KEY.to_uppercase()), "key-case"),
        (text.clone(), "key-not-appended"),
        (format!("{text}&key="), "key-empty"),
        (format!("{text}{KEY}"), "key-without-name"),
        (format!("{text}&{KEY}"), "key-without-name"),
        (format!("{text}key={KEY}"), "key-without-ampersand"),
    ] {
        assert_eq!(causes(&md5(&signed)), [cause], "{cause}");
    }
    let hmac = message(Kind::Notice, &NOTICE, &hmac(&text, KEY));
    assert_eq!(causes_of(&hmac, SignType::HmacSha256), ["key-not-appended"]);
}

#[test]
fn blanks_in_the_key_file_are_named() {
    let message = message(Kind::Notice, &NOTICE, &md5(with_key(&text(&NOTICE))));
    let keys = [KeyText::new("the key", format!(" {KEY} \n").into_bytes())];
    let case = Case { message: &message, keys: &keys, sign_types: &[SignType::Md5], others: &[], app_ids: &[] };
    let Verdict::Wrong(wrong) = judge(&case) else { panic!("the key in the file is another") };
    assert_eq!(words(&wrong.causes), ["key-trimmed"]);
}

#[test]
fn a_key_of_hex_digits_that_was_decoded_is_named() {
    let hex_key = "00112233445566778899aabbccddeeff";
    let decoded: Vec<u8> = (0..16).map(|digit| digit * 0x11).collect();
    let mut signed = format!("{}&key=", text(&NOTICE)).into_bytes();
    signed.extend(decoded);
    let message = message(Kind::Notice, &NOTICE, &md5(signed));
    let keys = [key(hex_key)];
    let case = Case { message: &message, keys: &keys, sign_types: &[SignType::Md5], others: &[], app_ids: &[] };
    let Verdict::Wrong(wrong) = judge(&case) else { panic!("the key was decoded") };
    assert_eq!(words(&wrong.causes), ["key-hex-decoded"]);
}

#[test]
fn plain_sha_256_is_named() {
    let message = message(Kind::Notice, &NOTICE, &hex(&Sha256::digest(with_key(&text(&NOTICE)))));
    assert_eq!(causes_of(&message, SignType::HmacSha256), ["plain-sha256"]);
}

#[test]
fn a_wrong_order_is_named() {
    let kept: Vec<_> = NOTICE.iter().filter(|(_, value)| !value.is_empty()).collect();
    let joined = |mut pairs: Vec<String>, sort: bool| {
        if sort {
            pairs.sort();
        }
        with_key(&pairs.join("&"))
    };
    let pairs: Vec<String> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(causes(&md5(joined(pairs.clone(), false))), ["unsorted"]);
    // = comes after the digits, so joined texts are in another order than their names.
    let message = |sign: &str| message(Kind::Notice, &[("a", "1"), ("a1", "2"), ("b", "3")], sign);
    assert_eq!(causes_of(&message(&md5(with_key("a1=2&a=1&b=3"))), SignType::Md5), ["sorted-pairs"]);
    let mut ignoring = kept;
    ignoring.sort_by_key(|(name, _)| name.to_lowercase());
    let pairs = ignoring.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(causes(&md5(joined(pairs, false))), ["sorted-ignoring-case"]);
}

#[test]
fn fields_that_should_not_be_there_are_named() {
    let mut pairs: Vec<_> = NOTICE.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort();
    assert_eq!(causes(&md5(with_key(&pairs.join("&")))), ["empty-included"]);
    let mut nulls: Vec<_> = NOTICE.to_vec();
    nulls.iter_mut().filter(|(_, value)| value.is_empty()).for_each(|(_, value)| *value = "null");
    assert_eq!(causes(&md5(with_key(&text(&nulls)))), ["empty-as-null"]);
    let mut pairs: Vec<_> =
        NOTICE.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}")).collect();
    pairs.push("sign=".to_owned());
    pairs.sort();
    assert_eq!(causes(&md5(with_key(&pairs.join("&")))), ["empty-sign-included"]);
    let mut typed = NOTICE.to_vec();
    typed.push(("sign_type", "MD5"));
    assert_eq!(causes(&md5(with_key(&text(&typed)))), ["sign-type-missing"]);
}

#[test]
fn fields_that_were_forgotten_are_named() {
    let without = |gone: &str| text(&NOTICE.into_iter().filter(|(name, _)| *name != gone).collect::<Vec<_>>());
    assert_eq!(causes(&md5(with_key(&without("coupon_count")))), ["zero-dropped"]);
    for (name, value) in NOTICE.into_iter().filter(|(name, value)| !value.is_empty() && *name != "coupon_count") {
        let wrong = wrong(&message(Kind::Notice, &NOTICE, &md5(with_key(&without(name)))), SignType::Md5);
        assert_eq!(words(&wrong.causes), ["field-left-out"], "{name}={value}");
        assert!(wrong.causes[0].told().says.starts_with(name), "{:?}", wrong.causes);
    }
    let mut typed = NOTICE.to_vec();
    typed.push(("sign_type", "MD5"));
    let message = message(Kind::Request, &typed, &md5(with_key(&text(&NOTICE))));
    assert_eq!(causes_of(&message, SignType::Md5), ["sign-type-left-out"]);
}

#[test]
fn values_that_were_changed_before_signing_are_named() {
    let signed = |change: fn(&str) -> String| md5(with_key(&each(&NOTICE, |_, value| change(value))));
    let percent = |value: &str, space: &str| -> String {
        value.bytes().fold(String::new(), |mut text, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => text.push(char::from(byte)),
                b' ' => text.push_str(space),
                _ => write!(text, "%{byte:02X}").unwrap(),
            }
            text
        })
    };
    assert_eq!(causes(&signed(|value| value.trim().to_owned())), ["trimmed"]);
    let escaped = signed(|value| value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    assert_eq!(causes(&escaped), ["escaped"]);
    assert_eq!(causes(&signed(|value| value.replace("&amp;", "&"))), ["unescaped"]);
    let encoded = |space: &str| md5(with_key(&each(&NOTICE, |_, value| percent(value, space))));
    assert_eq!(causes(&encoded("%20")), ["percent-encoded"]);
    assert_eq!(causes(&encoded("+")), ["form-encoded"]);
    assert_eq!(causes(&signed(|value| value.replace("%20", " "))), ["percent-decoded"]);
    let wrapped = |before: &str, after: &str| {
        let wrap = |_: &str, value: &str| {
            if value.is_empty() { String::new() } else { format!("{before}{value}{after}") }
        };
        md5(with_key(&each(&NOTICE, wrap)))
    };
    assert_eq!(causes(&wrapped("<![CDATA[", "]]>")), ["cdata-included"]);
    assert_eq!(causes(&wrapped("\"", "\"")), ["quoted"]);
    let link = md5(with_key(&each(
        &NOTICE,
        |name, value| {
            if name == "link" { percent(value, "%20") } else { value.to_owned() }
        },
    )));
    let wrong = wrong(&message(Kind::Notice, &NOTICE, &link), SignType::Md5);
    assert_eq!(wrong.causes[0].told().says, "Values were percent-encoded before signing: link.");
}

#[test]
fn amounts_in_yuan_are_named() {
    let yuan = each(&NOTICE, |name, value| if name == "total_fee" { "1.00".to_owned() } else { value.to_owned() });
    assert_eq!(causes(&md5(with_key(&yuan))), ["yuan"]);
}

#[test]
fn wrong_encodings_are_named() {
    let text = with_key(&text(&NOTICE));
    let gbk = text.split("龙井").map(str::as_bytes).collect::<Vec<_>>().join(b"\xc1\xfa\xbe\xae".as_slice());
    assert_eq!(causes(&md5(gbk)), ["gbk"]);
    assert_eq!(causes(&md5(text.replace("龙井", "??"))), ["latin-1"]);
    let twice: String = text.bytes().map(char::from).collect();
    assert_eq!(causes(&md5(twice)), ["encoded-twice"]);
}

#[test]
fn names_in_small_letters_are_named() {
    let pairs = NOTICE.map(|(name, value)| (if name == "Zone" { "zone" } else { name }, value));
    assert_eq!(causes(&md5(with_key(&text(&pairs)))), ["names-lower-case"]);
}

#[test]
fn a_finished_signature_that_was_spoiled_is_named() {
    let right = md5(with_key(&text(&NOTICE)));
    assert_eq!(causes(&right.to_lowercase()), ["hex-case"]);
    assert_eq!(causes(&format!("{right}\n")), ["padded"]);
}

#[test]
fn two_mistakes_at_once_are_named_both() {
    let kept: Vec<_> = NOTICE.iter().filter(|(_, value)| !value.is_empty()).collect();
    let written: Vec<_> = kept.iter().map(|(name, value)| format!("{name}={}", value.trim())).collect();
    assert_eq!(causes(&md5(with_key(&written.join("&")))), ["unsorted", "trimmed"]);
    assert_eq!(causes(&hmac(text(&NOTICE), KEY).to_lowercase()), ["key-not-appended", "other-sign-type", "hex-case"]);
    let two =
        each(&NOTICE, |name, value| if matches!(name, "attach" | "link") { String::new() } else { value.to_owned() });
    assert_eq!(causes(&md5(with_key(&two))), ["field-left-out", "field-left-out"]);
    let other = format!("{}&key={OTHER}", each(&NOTICE, |_, value| value.trim().to_owned()));
    assert_eq!(causes(&md5(other)), ["other-key", "trimmed"]);
}

/// What people do to the invocations of clients.
mod clients {
    use super::*;

    const JSAPI: [(&str, &str); 5] = [
        ("appId", "wx0000000000000001"),
        ("timeStamp", "1795230000"),
        ("nonceStr", "nonce"),
        ("package", "prepay_id=wx2"),
        ("signType", "MD5"),
    ];

    const APP: [(&str, &str); 6] = [
        ("appid", "wx0000000000000001"),
        ("partnerid", "1900000109"),
        ("prepayid", "wx2"),
        ("package", "Sign=WXPay"),
        ("noncestr", "nonce"),
        ("timestamp", "1795230000"),
    ];

    fn told(kind: Kind, sent: &[(&str, &str)], signed: &str) -> (Vec<&'static str>, String) {
        let wrong = wrong(&message(kind, sent, &md5(with_key(signed))), SignType::Md5);
        (words(&wrong.causes), wrong.causes.first().map(|cause| cause.told().says).unwrap_or_default())
    }

    #[test]
    fn a_timestamp_by_its_other_name_is_named() {
        let signed = JSAPI.map(|(name, value)| (if name == "timeStamp" { "timestamp" } else { name }, value));
        let (words, says) = told(Kind::Jsapi, &JSAPI, &text(&signed));
        assert_eq!((words, says.as_str()), (vec!["renamed"], "timeStamp was signed under the name timestamp."));
        let signed = APP.map(|(name, value)| (if name == "timestamp" { "timeStamp" } else { name }, value));
        assert_eq!(told(Kind::App, &APP, &text(&signed)).1, "timestamp was signed under the name timeStamp.");
    }

    #[test]
    fn a_sign_type_too_few_or_too_many_is_named() {
        assert_eq!(told(Kind::Jsapi, &JSAPI, &text(&JSAPI[..4])).0, ["sign-type-left-out"]);
        assert_eq!(told(Kind::Jsapi, &JSAPI[..4], &text(&JSAPI)).0, ["sign-type-missing"]);
        let signed = [APP.as_slice(), &[("signType", "MD5")]].concat();
        assert_eq!(told(Kind::App, &APP, &text(&signed)).0, ["sign-type-missing"]);
    }

    #[test]
    fn a_bare_prepay_id_is_named() {
        let signed = JSAPI.map(|(name, value)| (name, value.trim_start_matches("prepay_id=")));
        assert_eq!(told(Kind::Jsapi, &JSAPI, &text(&signed)).0, ["package-without-prepay-id"]);
    }

    #[test]
    fn the_order_of_wechats_table_is_no_order() {
        let signed: Vec<_> = JSAPI.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(told(Kind::Jsapi, &JSAPI, &signed.join("&")).0, ["unsorted"]);
    }

    #[test]
    fn a_mini_program_that_signed_without_its_app_is_told_so() {
        assert_eq!(told(Kind::MiniProgram, &JSAPI[1..], &text(&JSAPI[1..])).1, "appId was not signed.");
    }

    #[test]
    fn a_red_packet_is_signed_in_small_letters() {
        let (signed, sent) = (&JSAPI[..4], &JSAPI[1..4]);
        let right = md5(with_key(&text(signed))).to_lowercase();
        assert!(matches!(judged(&message(Kind::Redpack, sent, &right), &[SignType::Md5]), Verdict::Right { .. }));
        assert_eq!(causes_of(&message(Kind::Redpack, sent, &right.to_uppercase()), SignType::Md5), ["hex-case"]);
    }
}
