use proptest::prelude::*;
use wechat_pay::v2::Fields;
use wechat_pay::v2::xml::{MAX_BYTES, MAX_FIELDS, XmlError, parse, parse_at_most, parse_leaving_out, write};

fn read(text: &str) -> Result<Vec<(String, String)>, XmlError> {
    parse("xml", text.as_bytes())
        .map(|fields| fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn value_of_a(text: &str) -> Result<String, XmlError> {
    read(text).map(|fields| {
        assert_eq!(fields.len(), 1);
        assert_eq!(fields[0].0, "a");
        fields[0].1.clone()
    })
}

#[test]
fn text_sections_and_references_are_put_together() {
    for (text, value) in [
        ("<xml><a>1</a></xml>", "1"),
        ("<xml><a><![CDATA[A&amp;B]]></a></xml>", "A&amp;B"),
        ("<xml><a>A&amp;B</a></xml>", "A&B"),
        ("<xml><a>x<![CDATA[<y>]]>z&lt;&#65;&#x42;&quot;&apos;&gt;</a></xml>", "x<y>z<AB\"'>"),
        ("<xml><a>10<!-- 5 -->0<?p i?>1</a></xml>", "1001"),
        ("<xml><a> keep </a></xml>", " keep "),
        ("<xml><a/></xml>", ""),
        ("<xml><a></a></xml>", ""),
        ("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<!-- c --><xml>\r\n <a>1</a>\r\n</xml>\r\n", "1"),
        ("<xml><a><![CDATA[]]]]><![CDATA[>]]></a></xml>", "]]>"),
    ] {
        assert_eq!(value_of_a(text).as_deref(), Ok(value), "{text}");
    }
}

#[test]
fn any_doctype_is_refused_before_anything_is_expanded() {
    for text in [
        "<!DOCTYPE xml><xml><a>1</a></xml>",
        "<?xml version=\"1.0\"?><!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
        "<!DOCTYPE xml SYSTEM \"http://example.com/x.dtd\"><xml><a>1</a></xml>",
        "<!DOCTYPE xml [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><xml><a>&b;</a></xml>",
        "<!doctype xml><xml><a>1</a></xml>",
    ] {
        assert!(matches!(read(text), Err(XmlError::Doctype | XmlError::Malformed)), "{text}");
    }
    assert_eq!(read("<!DOCTYPE xml><xml/>"), Err(XmlError::Doctype));
}

#[test]
fn duplicates_nesting_and_foreign_roots_are_refused() {
    for (text, error) in [
        ("<xml><a>1</a><a>1</a></xml>", XmlError::Duplicate),
        ("<xml><a>1</a><b/><a/></xml>", XmlError::Duplicate),
        ("<xml><a><b>1</b></a></xml>", XmlError::Nested),
        ("<xml><a>1<b/></a></xml>", XmlError::Nested),
        ("<root><a>1</a></root>", XmlError::Root),
        ("<XML><a>1</a></XML>", XmlError::Root),
        ("<xml/><xml><a>1</a></xml>", XmlError::Root),
        ("<x:xml><a>1</a></x:xml>", XmlError::Root),
    ] {
        assert_eq!(read(text), Err(error), "{text}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        "   ",
        "not xml",
        "<xml",
        "<xml>",
        "<xml><a>1</xml>",
        "<xml><a>1</a>",
        "<xml><a>1</b></xml>",
        "<xml>text<a>1</a></xml>",
        "<xml><![CDATA[text]]><a>1</a></xml>",
        "<xml><a>1</a></xml>tail",
        "<xml><a>&unknown;</a></xml>",
        "<xml><a>&#0;</a></xml>",
        "<xml><a>&#xD800;</a></xml>",
        "<xml><a>A & B</a></xml>",
        "<xml><a>\u{0}</a></xml>",
        "<xml><a>\u{ffff}</a></xml>",
        "<xml><a><![CDATA[1</a></xml>",
        "<xml><a b=\"1\" b=\"2\">1</a></xml>",
        "<xml><a=b>1</a=b></xml>",
        "<xml><x:a>1</x:a></xml>",
    ] {
        assert_eq!(read(text), Err(XmlError::Malformed), "{text:?}");
    }
}

#[test]
fn other_encodings_are_refused() {
    assert_eq!(parse("xml", b"<xml><a>\xb2\xe2</a></xml>"), Err(XmlError::Encoding));
    assert_eq!(read("<?xml version=\"1.0\" encoding=\"GBK\"?><xml><a>1</a></xml>"), Err(XmlError::Encoding));
    assert_eq!(read("<?xml version=\"1.0\" encoding=\"UTF-7\"?><xml><a>1</a></xml>"), Err(XmlError::Encoding));
    let wide: Vec<u8> = "<xml><a>1</a></xml>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse("xml", &wide).is_err());
}

#[test]
fn size_and_number_of_fields_are_capped() {
    let long = format!("<xml><a>{}</a></xml>", "x".repeat(MAX_BYTES));
    assert_eq!(read(&long), Err(XmlError::TooLarge));
    let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("<f{n}/>")).collect();
    assert_eq!(read(&format!("<xml>{}</xml>", many.concat())), Err(XmlError::TooManyFields));
}

#[test]
fn a_message_of_strangers_may_have_fewer_fields() {
    let three = b"<xml><a>1</a><b/><c>3</c></xml>";
    assert_eq!(parse_at_most("xml", three, 3).map(|fields| fields.len()), Ok(3));
    assert_eq!(parse_at_most("xml", three, 2), Err(XmlError::TooManyFields));
}

#[test]
fn a_field_that_comes_again_after_many_others_is_found() {
    for again in ["f0", "f1000", "f2046"] {
        let many = (0..MAX_FIELDS - 1).map(|n| format!("<f{n}/>")).collect::<Vec<_>>().concat();
        assert_eq!(read(&format!("<xml>{many}<{again}>1</{again}></xml>")), Err(XmlError::Duplicate), "{again}");
    }
}

#[test]
fn what_is_written_is_cdata() {
    let fields = Fields::from_iter([("return_code", "SUCCESS"), ("return_msg", "")]);
    assert_eq!(
        write("xml", &fields),
        "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[]]></return_msg></xml>"
    );
}

/// Anything XML can carry, with the pieces that break naive writers more often than chance would.
fn values() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\t\\n\\r -~]{0,8}",
        "[\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]{0,4}",
        Just("]]>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("\r\n".to_owned()),
        Just("&amp;".to_owned()),
        Just("</a>".to_owned()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A message of the usual form, in which pieces of other forms turn up.
fn messages() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,3}",
        4 => Just("<![CDATA[".to_owned()),
        4 => Just("]]>".to_owned()),
        1 => "[\\]<>&;/!?\\[\u{e9}\u{ffff}\\t\\r\\n -]{1,4}",
        1 => prop::sample::select(vec!["<b>", "</b>", "<b/>", "</a>", "<!-- -->", "<?p?>", "&lt;", "&#65;", "&x;"]).prop_map(str::to_owned),
    ];
    let value = prop_oneof![
        2 => "[a-z0-9]{0,4}",
        2 => "[\\]>&<a]{0,6}".prop_map(|text| format!("<![CDATA[{text}]]>")),
        1 => prop::sample::select(vec!["&lt;", "&#65;1", "1&gt;0", "1>0", "]]>", "a&b"]).prop_map(str::to_owned),
        1 => prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat()),
    ];
    let name = prop_oneof![8 => "[a-e]_?[a-e0-9]?", 1 => "[a-z0-9 /:=.\u{e9}-]{0,3}"];
    let space = prop_oneof![4 => Just(String::new()), 2 => "[ \\t\\r\\n]{1,2}", 1 => "[a-z<>/\u{c}]"];
    let field = (space.clone(), name, value, prop::bool::weighted(0.03)).prop_map(|(space, name, value, cut)| {
        if cut { format!("{space}<{name}>{value}") } else { format!("{space}<{name}>{value}</{name}>") }
    });
    let end = prop_oneof![16 => Just("</xml>"), 1 => Just("</xml >"), 1 => Just("</xmlx>"), 1 => Just("</xml><xml>"), 1 => Just("")];
    (space.clone(), prop::collection::vec(field, 0..5), end, space)
        .prop_map(|(before, fields, end, after)| format!("{before}<xml>{}{end}{after}", fields.concat()))
}

/// The same message, by the reader that takes every form: with something to leave out, no other is asked.
fn by_the_reader_of_everything(bytes: &[u8]) -> Result<Fields, XmlError> {
    parse_leaving_out("xml", bytes, "")
}

#[test]
fn a_message_of_plain_form_is_read_as_any_other() {
    for text in [
        "<xml></xml>",
        "<xml>\r\n\t<a>1</a> <b></b>\n</xml>\n",
        "<xml><a><![CDATA[1]]></a><b><![CDATA[]]></b></xml>",
        "<xml><a><![CDATA[]]]]></a><b><![CDATA[]>]]]></b><c><![CDATA[<d>&amp;</d>]]></c></xml>",
        "<xml><a>微信</a><b> ]] </b><xml>x</xml></xml>",
        "<xml><a>]]></a></xml>",
        "<xml><a>1>0</a></xml>",
        "<xml><a>1</a ></xml>",
        "<xml ><a>1</a></xml>",
        "<xml><a>1</a><a>2</a></xml>",
        "<xml><a>1</b></xml>",
        "<xml><a>1</a></xml><!-- c -->",
        "<xml><a>1</a>",
        "<xml><a><![CDATA[1]]>2</a></xml>",
        "<xml><a><![CDATA[1]]</a></xml>",
        "<xml><a",
        "<xml><",
    ] {
        assert_eq!(parse("xml", text.as_bytes()), by_the_reader_of_everything(text.as_bytes()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_message_is_read_in_two_ways(text in messages(), other in any::<u8>(), at in 0..400_usize) {
        let mut bytes = text.into_bytes();
        prop_assert_eq!(parse("xml", &bytes), by_the_reader_of_everything(&bytes));
        if let Some(byte) = bytes.get_mut(at) {
            *byte = other;
        }
        prop_assert_eq!(parse("xml", &bytes), by_the_reader_of_everything(&bytes));
    }

    #[test]
    fn written_then_parsed_is_identity(
        pairs in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_.-]{0,20}", values(), 0..8),
    ) {
        let fields: Fields = pairs.into_iter().collect();
        prop_assert_eq!(parse("xml", write("xml", &fields).as_bytes()), Ok(fields));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(parse("xml", &bytes).is_err());
    }

    #[test]
    fn no_damage_to_a_message_makes_the_parser_panic(
        at in 0..120_usize, byte: u8, cut in 0..120_usize, value in values(),
    ) {
        let mut bytes = write("xml", &Fields::from_iter([("a", value), ("b", "2".to_owned())])).into_bytes();
        let len = bytes.len();
        bytes[at % len] = byte;
        bytes.truncate(len - cut % len);
        if let Ok(fields) = parse("xml", &bytes) {
            prop_assert!(fields.len() < len);
        }
    }
}
