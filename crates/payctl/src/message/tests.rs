use super::{Kind, Message};

fn read(text: &str) -> Message {
    Message::read(text.as_bytes(), None).unwrap()
}

fn refused(text: &[u8]) -> String {
    Message::read(text, None).unwrap_err().to_string()
}

#[test]
fn xml_is_told_apart_by_the_fields_that_only_one_kind_has() {
    for (xml, kind) in [
        ("<xml><appid>a</appid><out_trade_no>1</out_trade_no><sign>S</sign></xml>", Kind::Request),
        ("<xml><return_code>SUCCESS</return_code><prepay_id>p</prepay_id></xml>", Kind::Answer),
        ("<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>", Kind::Answer),
        (
            "<xml><return_code>SUCCESS</return_code><transaction_id>4</transaction_id><time_end>2</time_end></xml>",
            Kind::Notice,
        ),
        (
            "<xml><return_code>SUCCESS</return_code><transaction_id>4</transaction_id><time_end>2</time_end>\
             <trade_state>SUCCESS</trade_state></xml>",
            Kind::Answer,
        ),
        (
            "<xml><appid>a</appid><openid>o</openid><is_subscribe>N</is_subscribe><product_id>p</product_id></xml>",
            Kind::Scan,
        ),
        ("<xml><return_code>SUCCESS</return_code><req_info>QQ==</req_info></xml>", Kind::RefundNotice),
    ] {
        assert_eq!(read(xml).kind, kind, "{xml}");
    }
}

#[test]
fn the_signature_is_no_field_of_its_own_message() {
    let message = read("<xml><b>2</b><sign>S</sign><a>1</a></xml>");
    assert_eq!(message.sign.as_deref(), Some("S"));
    let names: Vec<_> = message.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["b", "a"], "in the order in which they are written");
}

#[test]
fn json_is_told_apart_by_its_names() {
    for (json, kind) in [
        (
            r#"{"appId":"a","timeStamp":"1","nonceStr":"n","package":"prepay_id=p","signType":"MD5","paySign":"S"}"#,
            Kind::Jsapi,
        ),
        (
            r#"{"timeStamp":"1","nonceStr":"n","package":"prepay_id=p","signType":"MD5","paySign":"S"}"#,
            Kind::MiniProgram,
        ),
        (r#"{"timeStamp":"1","nonceStr":"n","package":"sendid%3Dx","signType":"MD5","paySign":"s"}"#, Kind::Redpack),
        (
            r#"{"appid":"a","partnerid":"m","prepayid":"p","package":"Sign=WXPay","noncestr":"n","timestamp":"1","sign":"S"}"#,
            Kind::App,
        ),
        (r#"{"a":"1","sign":"S"}"#, Kind::Fields),
    ] {
        let message = read(json);
        assert_eq!((message.kind, message.sign.is_some()), (kind, true), "{json}");
    }
}

#[test]
fn the_answer_of_pay_order_is_read_as_the_invocation_in_it() {
    let message = read(r#"{"payment":{"name":"orders/x"},"jsapi":{"appId":"a","paySign":"S","timeStamp":"1"}}"#);
    assert_eq!((message.kind, message.sign.as_deref()), (Kind::Jsapi, Some("S")));
}

#[test]
fn names_of_an_invocation_are_those_under_the_signature() {
    let message =
        read(r#"{"appId":"a","timestamp":"1","nonceStr":"n","package":"prepay_id=p","signType":"MD5","paySign":"S"}"#);
    assert_eq!(message.text("timeStamp"), Some("1"));
    assert!(message.notes[0].contains("wx.chooseWXPay"), "{:?}", message.notes);
    let message = read(
        r#"{"appId":"a","partnerId":"m","prepayId":"p","package":"Sign=WXPay","nonceStr":"n","timeStamp":1,"sign":"S"}"#,
    );
    assert_eq!((message.kind, message.text("noncestr"), message.text("timestamp")), (Kind::App, Some("n"), Some("1")));
    assert!(message.notes[0].contains("JSON number"), "{:?}", message.notes);
}

#[test]
fn lines_and_the_url_of_a_code_are_read_too() {
    let message = read("b=2=3\n\na=\nsign=S\n");
    assert_eq!(message.fields, [("b".to_owned(), "2=3".to_owned()), ("a".to_owned(), String::new())]);
    assert_eq!((message.kind, message.sign.as_deref()), (Kind::Fields, Some("S")));
    let message = read("weixin://wxpay/bizpayurl?sign=S&appid=a&product_id=a%26b");
    assert_eq!((message.kind, message.text("product_id")), (Kind::Native1, Some("a&b")));
}

#[test]
fn what_is_no_message_is_refused_with_what_to_do() {
    assert!(refused(b"").contains("the message is empty"));
    assert!(refused(b"hello").contains("line 1 is not name=value"));
    assert!(refused(b"a=1\na=2").contains("line 2: a is there twice"));
    assert!(refused(b"<xml><a>x & y</a></xml>").contains("write & as &amp;"));
    assert!(refused(b"<xml><a>1</a><a>2</a></xml>").contains("keep each name once"));
    assert!(refused(b"<xml><a>\xb2\xe8</a></xml>").contains("it is GBK"));
    assert!(refused(b"<!DOCTYPE x><xml/>").contains("leave the DOCTYPE out"));
    assert!(refused(b"{\"a\":[1]}").contains("a is no text"));
    assert!(refused(b"weixin://wxpay/bizpayurl?pr=abc").contains("Native mode 2"));
}

#[test]
fn a_kind_that_is_named_overrules_the_shape() {
    let message = Message::read(b"a=1\nsign=S", Some(Kind::Request)).unwrap();
    assert_eq!(message.kind, Kind::Request);
}
