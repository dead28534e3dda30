use jiff::Timestamp;
use wechat_pay::v2::{CommentAnswer, CommentPage, CommentQuery, SignType, sign};

use crate::{identity, key};

const PAGE: &str = "`100\n\
    `2017-07-01 10:00:05,`1001690740201411100005734289,`5,`赞,水果很新鲜\n\
    2017-07-01 11:00:05,1001690740201411100005734278,4,不错\n\
    `2017-07-01 11:30:05,`1001690740201411100005734250,`1,``\n";

fn page(text: &str) -> CommentPage {
    match CommentAnswer::parse(text.as_bytes()) {
        CommentAnswer::Page(page) => page,
        other => panic!("a page was expected: {other:?}"),
    }
}

#[test]
fn a_query_is_signed_with_hmac_and_always_says_how_many() {
    let at = |second| Timestamp::from_second(second).expect("a time");
    let query = CommentQuery {
        identity: identity(),
        begin_time: at(1_490_840_662),
        end_time: at(1_490_840_722),
        offset: 0,
        limit: CommentQuery::MOST,
    };
    let fields = query.signed("n", &key());
    assert_eq!(sign::verify(&fields, &key(), SignType::HmacSha256), Ok(()));
    for (name, value) in [
        ("begin_time", "20170330102422"),
        ("end_time", "20170330102522"),
        ("offset", "0"),
        ("limit", "200"),
        ("sign_type", "HMAC-SHA256"),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
}

#[test]
fn values_may_begin_with_a_backtick_and_comments_may_hold_commas() {
    let page = page(PAGE);
    assert_eq!(page.next_offset, 100);
    let told: Vec<_> = page.comments.iter().map(|comment| (comment.score.as_str(), comment.text.as_str())).collect();
    assert_eq!(told, [("5", "赞,水果很新鲜"), ("4", "不错"), ("1", "`")]);
    let first = &page.comments[0];
    assert_eq!(first.transaction_id, "1001690740201411100005734289");
    assert_eq!(first.time, "2017-07-01T02:00:05Z".parse::<Timestamp>().expect("an instant"));
}

#[test]
fn the_same_page_is_read_with_a_mark_and_other_line_ends() {
    let other = format!("\u{feff}{}", PAGE.replace('\n', "\r\n"));
    assert_eq!(page(&other), page(PAGE));
}

#[test]
fn a_page_without_comments_still_says_where_the_next_begins() {
    for text in ["7", "7\n", "`7\r\n\r\n"] {
        assert_eq!(page(text), CommentPage { next_offset: 7, comments: Vec::new() });
    }
}

#[test]
fn a_comment_over_several_lines_is_one_comment() {
    let page = page("3\n`2017-07-01 10:00:05,`1,`5,`好\n第二行,真的\n\n`2017-07-01 10:00:06,`2,`4,`行\n");
    assert_eq!(page.comments.len(), 2);
    assert_eq!(page.comments[0].text, "好\n第二行,真的\n");
    assert_eq!(page.comments[1].text, "行");
}

#[test]
fn a_failure_is_xml_and_tells_its_code() {
    let failure = "<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>\
        <err_code>SYSTEMERROR</err_code><err_code_des>系统错误</err_code_des></xml>";
    let expected = CommentAnswer::Refused { err_code: "SYSTEMERROR".into(), words: "系统错误".into() };
    assert_eq!(CommentAnswer::parse(failure.as_bytes()), expected);
    let brief = "<xml><return_code>FAIL</return_code><return_msg>签名错误</return_msg></xml>";
    let expected = CommentAnswer::Refused { err_code: String::new(), words: "签名错误".into() };
    assert_eq!(CommentAnswer::parse(brief.as_bytes()), expected);
}

#[test]
fn anything_else_is_unreadable() {
    for body in [
        &b""[..],
        b"\n",
        b"<html>502</html>",
        b"<xml>",
        b"-1\n",
        b"99999999999999999999999\n",
        b"1\nnot a comment\n",
        b"\xff\xfe",
    ] {
        assert_eq!(CommentAnswer::parse(body), CommentAnswer::Unreadable, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn nothing_that_is_printed_holds_what_a_payer_wrote() {
    let told = format!("{:?}", page(PAGE));
    assert!(told.contains("1001690740201411100005734289") && !told.contains('赞'), "{told}");
}
