use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use jiff::{Span, ToSpan as _, civil::Date};
use proto::gateway::v1::{self, download_bill_request::Kind, download_bill_response::Part};
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};

use crate::{
    fake::{Fake, Reply},
    harness::{Gateway, MERCHANT, is_signed, merchants, refunding},
};

const ROW: &str = "`2026-11-20 10:00:00,`wxd930ea5d5a258f4f,`1900000109,`4.00,`苹果\r\n";

fn bill(rows: usize) -> Vec<u8> {
    format!("\u{feff}交易时间,公众账号ID,商户号,金额,商品名称\r\n{}总交易单数\r\n`{rows}\r\n", ROW.repeat(rows))
        .into_bytes()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A day's bill of three days ago by the gateway's clock, unless `back` says otherwise.
fn day(gateway: &Gateway, back: Span) -> Date {
    wechat_pay::time::bill_date(gateway.clock.now()).checked_sub(back).expect("inside the calendar")
}

/// Everything of a whole download, and how large its largest chunk was.
async fn download(gateway: &Gateway) -> Result<(Vec<u8>, usize), Status> {
    download_kind(gateway, Kind::Unspecified).await
}

async fn download_kind(gateway: &Gateway, kind: Kind) -> Result<(Vec<u8>, usize), Status> {
    let request = v1::DownloadBillRequest {
        merchant: MERCHANT.into(),
        bill_date: day(gateway, 3.days()).to_string(),
        kind: kind.into(),
    };
    let mut parts = gateway.client.clone().download_bill(request).await?.into_inner();
    let (mut bytes, mut largest, mut end) = (Vec::new(), 0, None);
    while let Some(part) = parts.message().await? {
        match part.part.expect("a part is set") {
            Part::Chunk(chunk) => {
                assert!(end.is_none(), "nothing comes after the end");
                largest = largest.max(chunk.len());
                bytes.extend_from_slice(&chunk);
            }
            Part::End(told) => end = Some(told.bytes),
        }
    }
    assert_eq!(end.expect("a stream without an error ends with `end`"), i64::try_from(bytes.len()).expect("small"));
    Ok((bytes, largest))
}

async fn refused(reply: Reply) -> Status {
    let gateway = Gateway::before(&Fake::always(reply).await).await;
    download(&gateway).await.expect_err("there is no whole bill")
}

fn failure(words: &str, code: &str) -> Reply {
    let code = if code.is_empty() { String::new() } else { format!("<error_code>{code}</error_code>") };
    Reply::ok(format!("<xml><return_code>FAIL</return_code><return_msg><![CDATA[{words}]]></return_msg>{code}</xml>"))
}

#[tokio::test]
async fn a_gzipped_bill_arrives_whole_in_small_chunks() {
    let text = bill(20_000);
    let fake = Fake::always(Reply::ok(gzip(&text))).await;
    let gateway = Gateway::before(&fake).await;
    let (bytes, largest) = download(&gateway).await.expect("a bill");
    assert!(bytes == text, "the bill is not what was sent");
    assert!(largest <= 256 * 1024, "{largest}");
    let received = fake.only();
    assert!(is_signed(&received));
    assert!(received.line().starts_with("POST /pay/downloadbill HTTP/1.1"));
    let date = wechat_pay::time::print_date(day(&gateway, 3.days()));
    for (name, value) in [("bill_date", date.as_str()), ("bill_type", "ALL"), ("tar_type", "GZIP")] {
        assert_eq!(received.fields.get(name), Some(value));
    }
    gateway.measures("provider_calls_total{operation=\"download_bill\",outcome=\"done\",detail=\"done\"} 1").await;
    gateway.measures(&format!("bill_bytes_total {}", text.len())).await;
}

#[tokio::test]
async fn a_plain_bill_is_taken_as_it_is() {
    for rows in [0, 1, 10_000] {
        let gateway = Gateway::before(&Fake::always(Reply::ok(bill(rows))).await).await;
        let (bytes, largest) = download(&gateway).await.expect("a bill");
        assert!(bytes == bill(rows), "the bill is not what was sent");
        assert!(largest <= 256 * 1024, "{largest}");
    }
}

#[tokio::test]
async fn a_message_in_place_of_a_bill_is_told_by_its_reason() {
    for (words, error_code, code, reason) in [
        ("No Bill Exist", "20002", Code::NotFound, "NO_BILL"),
        ("NO Bill Exist", "", Code::NotFound, "NO_BILL"),
        ("Bill Creating", "", Code::FailedPrecondition, "BILL_NOT_READY"),
        ("SYSTEMERROR", "", Code::Unavailable, "PROVIDER_UNKNOWN"),
        ("CompressGZip Error", "", Code::Unavailable, "PROVIDER_UNKNOWN"),
        ("sign error", "20001", Code::FailedPrecondition, "PROVIDER_REFUSED"),
        ("invalid bill_type", "", Code::FailedPrecondition, "PROVIDER_REFUSED"),
        ("something new", "", Code::FailedPrecondition, "PROVIDER_REFUSED"),
    ] {
        let status = refused(failure(words, error_code)).await;
        assert_eq!((status.code(), reason_of(&status).as_deref()), (code, Some(reason)), "{words}");
    }
    // The same message, compressed as the bill would have been.
    let Reply::Bytes(message) = failure("No Bill Exist", "20002") else { panic!("an answer") };
    let body = message.windows(4).position(|four| four == b"\r\n\r\n").map(|end| gzip(&message[end + 4..]));
    let status = refused(Reply::ok(body.expect("a body"))).await;
    assert_eq!(reason_of(&status).as_deref(), Some("NO_BILL"));
}

#[tokio::test]
async fn what_is_neither_bill_nor_message_is_unknown() {
    for (reply, why) in [
        (Reply::ok(""), "bad_answer"),
        (Reply::ok(gzip(b"")), "bad_answer"),
        (Reply::ok("<html><body>502</body></html>"), "not_xml"),
        (Reply::status("503 Service Unavailable", "", bill(1)), "http_status"),
        (Reply::status("302 Found", "location: https://elsewhere.example/\r\n", bill(1)), "redirect"),
        (Reply::HangUp, "transport"),
    ] {
        let status = refused(reply).await;
        assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::Unavailable, Some("PROVIDER_UNKNOWN")));
        assert!(status.message().contains(why), "{why}: {}", status.message());
    }
}

#[tokio::test]
async fn a_bill_that_breaks_off_ends_in_an_error_wherever_it_breaks() {
    let (plain, compressed) = (bill(20_000), gzip(&bill(20_000)));
    let without_its_last_bytes = compressed[..compressed.len() - 3].to_vec();
    let mut damaged = compressed.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    for (reply, how) in [
        (Reply::ok(&plain).cut_after(1), "a plain one after the first byte"),
        (Reply::ok(&plain).cut_after(1_000_000), "a plain one in the middle"),
        (Reply::ok(&compressed).cut_after(1), "a gzipped one after the first byte"),
        (Reply::ok(&compressed).cut_after(compressed.len() / 2), "a gzipped one in the middle"),
        (Reply::ok(without_its_last_bytes), "a gzip stream without its end, in a whole answer"),
        (Reply::ok(damaged), "a damaged gzip stream"),
        (Reply::ok([compressed.as_slice(), b"more"].concat()), "a gzip stream with something after it"),
    ] {
        let status = refused(reply).await;
        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::Unavailable, Some("PROVIDER_UNKNOWN")),
            "{how}"
        );
    }
}

#[tokio::test]
async fn a_day_that_is_not_over_has_no_bill_and_nobody_is_asked() {
    let fake = Fake::always(Reply::ok(bill(1))).await;
    let gateway = Gateway::before(&fake).await;
    for back in [0.days(), (-1).days(), (-400).days()] {
        let request = v1::DownloadBillRequest {
            merchant: MERCHANT.into(),
            bill_date: day(&gateway, back).to_string(),
            ..Default::default()
        };
        let status = gateway.client.clone().download_bill(request).await.expect_err("refused");
        assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::FailedPrecondition, Some("BILL_NOT_READY")));
    }
    // The days follow the business clock: two days later the bill can be fetched.
    let request = v1::DownloadBillRequest {
        merchant: MERCHANT.into(),
        bill_date: day(&gateway, 0.days()).to_string(),
        ..Default::default()
    };
    gateway.hand.advance(std::time::Duration::from_hours(48));
    assert!(gateway.client.clone().download_bill(request).await.is_ok());
    assert_eq!(fake.received().len(), 1);
}

#[tokio::test]
async fn a_date_that_is_wrong_or_too_old_is_refused() {
    let fake = Fake::always(Reply::ok(bill(1))).await;
    let gateway = Gateway::before(&fake).await;
    let too_old = day(&gateway, 4.months()).to_string();
    for bill_date in ["", "20261120", "2026-02-30", "yesterday", &too_old] {
        let request =
            v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: bill_date.into(), ..Default::default() };
        let status = gateway.client.clone().download_bill(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument, "{bill_date}");
        assert!(status.message().starts_with("bill_date"), "{}", status.message());
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn each_trade_bill_is_asked_by_its_name() {
    for (kind, bill_type) in [
        (Kind::TradeAll, "ALL"),
        (Kind::TradeSuccess, "SUCCESS"),
        (Kind::TradeRefund, "REFUND"),
        (Kind::TradeRechargeRefund, "RECHARGE_REFUND"),
    ] {
        let fake = Fake::always(Reply::ok(bill(1))).await;
        let gateway = Gateway::before(&fake).await;
        assert!(download_kind(&gateway, kind).await.is_ok());
        assert_eq!(fake.only().fields.get("bill_type"), Some(bill_type));
    }
}

#[tokio::test]
async fn a_kind_of_bill_that_nobody_knows_is_refused() {
    let fake = Fake::always(Reply::ok(bill(1))).await;
    let gateway = Gateway::before(&fake).await;
    let bill_date = day(&gateway, 3.days()).to_string();
    let request = v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date, kind: 99 };
    let status = gateway.client.clone().download_bill(request).await.expect_err("refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().starts_with("kind"), "{}", status.message());
    assert!(fake.received().is_empty());
}

const FUNDS: &str = "\u{feff}记账时间,微信支付业务单号\r\n`2026-11-18 04:21:23,`5000\r\n资金流水总笔数\r\n`1\r\n";

/// The usual merchant with a certificate, which signs its calls with MD5.
fn of_md5() -> tempfile::TempDir {
    let dir = refunding();
    let file = dir.path().join("acme-mini.toml");
    let text = std::fs::read_to_string(&file).expect("the file is there").replace("HMAC-SHA256", "MD5");
    std::fs::write(&file, text).expect("the file can be written");
    dir
}

#[tokio::test]
async fn each_fund_flow_is_asked_by_its_account_and_always_with_hmac() {
    for (kind, account) in [(Kind::FundBasic, "Basic"), (Kind::FundOperation, "Operation"), (Kind::FundFees, "Fees")] {
        for dir in [refunding(), of_md5()] {
            let fake = Fake::always(Reply::ok(gzip(FUNDS.as_bytes()))).await;
            let gateway = Gateway::of(dir, &fake.url, &[]).await;
            let (bytes, _) = download_kind(&gateway, kind).await.expect("a fund flow");
            assert_eq!(bytes, FUNDS.as_bytes());
            let received = fake.only();
            assert!(is_signed(&received));
            assert!(received.line().starts_with("POST /pay/downloadfundflow HTTP/1.1"));
            let date = wechat_pay::time::print_date(day(&gateway, 3.days()));
            for (name, value) in [
                ("bill_date", Some(date.as_str())),
                ("account_type", Some(account)),
                ("tar_type", Some("GZIP")),
                ("sign_type", Some("HMAC-SHA256")),
                ("bill_type", None),
            ] {
                assert_eq!(received.fields.get(name), value, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_fund_flow_goes_to_the_host_for_calls_with_certificate() {
    let (plain, cert) = (Fake::always(Reply::ok(bill(1))).await, Fake::always(Reply::ok(FUNDS)).await);
    let gateway = Gateway::of(refunding(), &plain.url, &["--wechat-v2-cert-url", cert.url.as_str()]).await;
    assert!(download_kind(&gateway, Kind::FundFees).await.is_ok());
    assert!(download_kind(&gateway, Kind::TradeAll).await.is_ok());
    assert_eq!((plain.received().len(), cert.received().len()), (1, 1));
}

#[tokio::test]
async fn without_a_certificate_no_fund_flow_is_asked_for() {
    let fake = Fake::always(Reply::ok(FUNDS)).await;
    let gateway = Gateway::of(merchants(), &fake.url, &[]).await;
    let status = download_kind(&gateway, Kind::FundBasic).await.expect_err("refused");
    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE"))
    );
    assert!(status.message().contains("client certificate"), "{}", status.message());
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_fund_flow_that_does_not_exist_is_told_by_its_reason() {
    for (err_code, code, reason) in [
        ("NO_BILL_EXIST", Code::NotFound, "NO_BILL"),
        ("BILL_CREATING", Code::FailedPrecondition, "BILL_NOT_READY"),
        ("SYSTEMERROR", Code::Unavailable, "PROVIDER_UNKNOWN"),
        ("PARAM_ERROR", Code::FailedPrecondition, "PROVIDER_REFUSED"),
    ] {
        let body = format!(
            "<xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg><result_code>FAIL</result_code>\
             <err_code>{err_code}</err_code><err_code_des>说明</err_code_des></xml>"
        );
        let gateway = Gateway::of(refunding(), &Fake::always(Reply::ok(body)).await.url, &[]).await;
        let status = download_kind(&gateway, Kind::FundBasic).await.expect_err("there is none");
        assert_eq!((status.code(), reason_of(&status).as_deref()), (code, Some(reason)), "{err_code}");
    }
}

/// SHA-1 of [`FUNDS`], computed with another program.
const FUNDS_SHA1: &str = "2e430aac5b438d2131edcda270d2c8654b953214";
const FUNDS_SHA1_BASE64: &str = "LkMKrFtDjSEx7c2icNLIZUuVMhQ=";

#[tokio::test]
async fn a_fund_flow_is_whole_only_when_its_digest_says_so() {
    let zipped = gzip(FUNDS.as_bytes());
    for (body, digest, whole) in [
        (FUNDS.as_bytes(), format!("SHA={FUNDS_SHA1}"), true),
        (FUNDS.as_bytes(), format!("SHA={FUNDS_SHA1_BASE64}"), true),
        (&zipped, format!("SHA={FUNDS_SHA1}"), true),
        (FUNDS.as_bytes(), "MD5=HUXZLQLMuI/KZ5KDcJPcOA==".to_owned(), true),
        (FUNDS.as_bytes(), format!("SHA={}", "0".repeat(40)), false),
        (&FUNDS.as_bytes()[..FUNDS.len() - 2], format!("SHA={FUNDS_SHA1}"), false),
        (&zipped, format!("SHA={}", "0".repeat(40)), false),
        (FUNDS.as_bytes(), "SHA=unreadable".to_owned(), false),
    ] {
        let reply = Reply::status("200 OK", &format!("Digest: {digest}\r\n"), body);
        let gateway = Gateway::of(refunding(), &Fake::always(reply).await.url, &[]).await;
        match download_kind(&gateway, Kind::FundBasic).await {
            Ok((bytes, _)) => assert!(whole && bytes == FUNDS.as_bytes(), "{digest}"),
            Err(status) => {
                assert!(!whole, "{digest}: {status:?}");
                assert_eq!(reason_of(&status).as_deref(), Some("PROVIDER_UNKNOWN"));
                assert!(status.message().contains("wrong_digest"), "{}", status.message());
            }
        }
    }
}
