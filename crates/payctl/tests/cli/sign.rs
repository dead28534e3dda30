use crate::harness::{kept, key, merchant, payctl, payctl_reading};

const QUERY: &str = "<xml><appid>wxac3e0000000000a1</appid><mch_id>1900000109</mch_id>\
                     <out_trade_no><![CDATA[A&B]]></out_trade_no><nonce_str>n</nonce_str><sign>old</sign></xml>";

#[test]
fn what_is_signed_here_is_right_there() {
    let signed = payctl_reading(&["sign", "--merchant", &merchant("acme-mini")], QUERY.as_bytes()).with(0);
    assert!(signed.stderr.contains("sign_type=HMAC-SHA256 was added"), "{}", signed.stderr);
    assert!(!signed.stdout.contains("old"), "an older signature is replaced");
    let checked =
        payctl_reading(&["verify", "-", "--merchant", &merchant("acme-mini")], signed.stdout.as_bytes()).with(0);
    assert_eq!(checked.stdout, "right: request with HMAC-SHA256 and the key of acme-mini\n");
}

#[test]
fn json_has_everything_and_never_the_key() {
    let file = kept("query.xml", QUERY.as_bytes());
    let signed = payctl(&["sign", file.path(), "--merchant", &merchant("acme-shop"), "--json"]).with(0);
    let json = signed.json();
    assert_eq!(json["sign_type"], "MD5");
    assert_eq!(json["sign"].as_str().unwrap().len(), 32);
    let string = json["string"].as_str().unwrap();
    assert_eq!(string, "appid=wxac3e0000000000a1&mch_id=1900000109&nonce_str=n&out_trade_no=A&B&key=********");
    assert!(!signed.stdout.contains(&key("acme-shop")));
}

#[test]
fn lines_and_a_key_file_are_enough() {
    let key_file = kept("a.key", b"0123456789abcdef0123456789abcdef\n");
    let signed =
        payctl_reading(&["sign", "--key-file", key_file.path(), "--bare", "--explain"], b"b=2\na=1\nc=\n").with(0);
    // echo -n 'a=1&b=2&key=0123456789abcdef0123456789abcdef' | md5sum
    assert_eq!(signed.stdout, "6B820100D2D98784F3926889CC32AD96\n");
    assert!(signed.stderr.contains("a=1&b=2&key=********"), "{}", signed.stderr);
}

#[test]
fn a_message_that_holds_a_key_is_not_signed_and_the_key_is_not_shown() {
    let secret = key("acme-mini");
    let arguments = ["sign", "--merchant", &merchant("acme-mini")];
    for (message, told) in [
        (b"a=1\nkey=x".to_vec(), "holds a field named key: the API key is appended to the signed text"),
        (b"<xml><a>1</a><Key>x</Key></xml>".to_vec(), "holds a field named Key"),
        (format!("a=1\nb= {secret}").into_bytes(), "the value of b in the message is the key of acme-mini"),
        (format!("a=1\nsign={secret}").into_bytes(), "the value of sign in the message is the key of acme-mini"),
    ] {
        let ended = payctl_reading(&arguments, &message).with(2);
        assert!(ended.stderr.contains(told) && ended.stdout.is_empty(), "{}{}", ended.stdout, ended.stderr);
        assert!(!ended.stderr.contains(&secret), "{}", ended.stderr);
    }
}

#[test]
fn bad_use_says_what_to_do() {
    let ended = payctl_reading(&["sign"], b"a=1").with(2);
    assert!(ended.stderr.contains("no key: name the merchant's file (--merchant)"), "{}", ended.stderr);
    let short = kept("a.key", b"short");
    let ended = payctl_reading(&["sign", "--key-file", short.path()], b"a=1").with(2);
    assert!(ended.stderr.contains("API key has 5 bytes instead of 32"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("short"), "{}", ended.stderr);
    let typed = b"<xml><sign_type>MD5</sign_type></xml>";
    let ended = payctl_reading(&["sign", "--merchant", &merchant("acme-mini")], typed).with(2);
    assert!(ended.stderr.contains("sign_type in the message says otherwise than HMAC-SHA256"), "{}", ended.stderr);
    let ended = payctl(&["sign", "/nowhere", "--merchant", &merchant("acme-mini")]).with(2);
    assert!(ended.stderr.contains("/nowhere cannot be read"), "{}", ended.stderr);
    let ended = payctl_reading(&["sign", "--merchant", &merchant("acme-mini"), "--sign-type", "SHA1"], b"a=1").with(2);
    assert!(ended.stderr.contains("neither MD5 nor HMAC-SHA256"), "{}", ended.stderr);
}
