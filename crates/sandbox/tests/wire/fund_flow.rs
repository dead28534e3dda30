use std::{collections::BTreeMap, io::Read as _, time::Duration};

use flate2::read::GzDecoder;
use jiff::{SignedDuration, civil::Date};
use money::{Fen, MilliFen};
use sandbox::control::{PayBehaviour, RefundState};
use serde_json::json;
use sha1::{Digest as _, Sha1};
use wechat_pay::{
    bill::{BillState, Expected, TradeBillReader, TradeRow, cells::CellReader, plain},
    time,
    v2::{SignType, xml},
};

use crate::harness::{ACME, Account, Bench, TEA, outcome};

const PATH: &str = "/pay/downloadfundflow";

/// One row by its columns' names.
type Row = BTreeMap<String, String>;

/// The body and the header `Digest`.
async fn download(bench: &Bench, day: Date, account_type: &str, more: &[(&str, &str)]) -> (Vec<u8>, Option<String>) {
    let date = time::print_date(day);
    let mut fields = vec![("bill_date", &*date), ("account_type", account_type)];
    fields.extend_from_slice(more);
    let response = bench.send_certified(&ACME, PATH, &ACME.signed(&fields)).await;
    assert_eq!(response.status(), 200);
    let digest = response.headers().get("digest").map(|digest| digest.to_str().unwrap().to_owned());
    (response.bytes().await.unwrap().to_vec(), digest)
}

fn read(body: &[u8]) -> (Vec<Row>, Row) {
    let mut reader = CellReader::open(plain(body).unwrap()).unwrap();
    let columns = reader.columns().to_vec();
    let mut rows = Vec::new();
    while let Some(cells) = reader.next_row().unwrap() {
        rows.push(columns.iter().cloned().zip(cells.iter().map(str::to_owned)).collect());
    }
    (rows, reader.summary().unwrap().iter().cloned().collect())
}

fn fen(text: &str) -> i64 {
    Fen::parse_yuan(text).unwrap().get()
}

/// The amount with its direction.
fn signed(row: &Row) -> i64 {
    let amount = fen(&row["收支金额(元)"]);
    if row["收支类型"] == "收入" { amount } else { -amount }
}

/// A bench where a day saw payments, a reversal, refunds, one of which was closed on the next day, and a red packet;
/// moved to the third day.
async fn two_days() -> (Bench, Date) {
    let bench = Bench::start().await;
    bench.settle_delay(None).await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    bench.sell(&ACME, "A00000001", 12_345).await;
    bench.charged("A00000002", PayBehaviour::Pays).await;
    bench.charged("A00000003", PayBehaviour::Password).await;
    bench.advance(Duration::from_mins(1)).await;
    bench.reverse("A00000002").await;
    bench.reverse("A00000003").await;
    bench.refunded("A00000001", "R1", 12_345, 5_000).await;
    bench.settle("R1", RefundState::Success).await;
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R2", 12_345, 2_000).await;
    let md5 = Account { sign_type: SignType::Md5, ..ACME };
    let packet = [
        ("wxappid", ACME.app_id),
        ("mch_billno", "B1"),
        ("send_name", "茶馆"),
        ("re_openid", "oUser1"),
        ("total_amount", "100"),
        ("total_num", "1"),
        ("wishing", "恭喜"),
        ("client_ip", "203.0.113.7"),
        ("act_name", "新年"),
        ("remark", "多买多送"),
    ];
    assert_eq!(outcome(&bench.post_certified(&md5, "/mmpaymkttransfers/sendredpack", &packet).await), "SUCCESS");
    bench.advance(Duration::from_hours(24)).await;
    bench.settle("R2", RefundState::RefundClose).await;
    bench.sell(&ACME, "A00000004", 600).await;
    bench.advance(Duration::from_hours(30)).await;
    (bench, day)
}

async fn trade_bill(bench: &Bench, day: Date) -> Vec<TradeRow> {
    let fields = ACME.signed(&[("bill_date", &time::print_date(day))]);
    let response = bench.send("/pay/downloadbill", xml::write("xml", &fields).into_bytes()).await.unwrap();
    let expected = Expected { mch_id: ACME.mch_id.to_owned(), bill_date: Some(day) };
    let body = response.bytes().await.unwrap();
    TradeBillReader::open(plain(&body[..]).unwrap(), expected).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A fee of the bill in whole fen.
fn rounded(fee: MilliFen) -> i64 {
    let magnitude = (fee.get().abs() + 500) / 1_000;
    if fee.get() < 0 { -magnitude } else { magnitude }
}

#[tokio::test]
async fn a_flow_has_its_columns_and_adds_up() {
    let (bench, day) = two_days().await;
    let (body, _) = download(&bench, day, "Basic", &[]).await;
    let text = String::from_utf8(body.clone()).unwrap();
    let header = "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
                  资金变更提交申请人,备注,业务凭证号\r\n";
    assert!(text.starts_with(header) && text.ends_with("\r\n"), "{text}");
    let (rows, summary) = read(&body);
    let (mut income, mut spent, mut balance) = ((0, 0), (0, 0), 0);
    for row in &rows {
        let amount = signed(row);
        balance += amount;
        assert_eq!(fen(&row["账户结余(元)"]), balance, "{row:?}");
        let side = if 0 < amount { &mut income } else { &mut spent };
        *side = (side.0 + 1, side.1 + amount.abs());
    }
    assert_eq!(summary["资金流水总笔数"], format!("{}.0", rows.len()));
    assert_eq!((summary["收入笔数"].clone(), fen(&summary["收入金额"])), (format!("{}.0", income.0), income.1));
    assert_eq!((summary["支出笔数"].clone(), fen(&summary["支出金额"])), (format!("{}.0", spent.0), spent.1));
    let numbers: std::collections::BTreeSet<_> = rows.iter().map(|row| &row["资金流水单号"]).collect();
    assert_eq!(numbers.len(), rows.len());
}

#[tokio::test]
async fn the_flow_of_a_day_proves_its_trade_bill() {
    let (bench, day) = two_days().await;
    let (flow, _) = read(&download(&bench, day, "Basic", &[]).await.0);
    let of = |number: &str| -> Vec<i64> {
        flow.iter().filter(|row| row["微信支付业务单号"] == number).map(signed).collect()
    };
    let bill = trade_bill(&bench, day).await;
    assert_eq!(bill.len(), 5);
    let mut moved = 0;
    for row in &bill {
        let (number, amount) = match (&row.state, &row.refund) {
            (BillState::Success, _) => (&row.transaction_id, row.total_fee.get()),
            (BillState::Refund | BillState::Revoked, Some(refund)) => (&refund.refund_id, -refund.refund_fee.get()),
            other => panic!("{other:?}"),
        };
        let expected: Vec<i64> = [amount, -rounded(row.fee)].into_iter().filter(|fen| *fen != 0).collect();
        assert_eq!(of(number), expected, "{row:?}");
        moved += expected.iter().sum::<i64>();
    }
    assert_eq!(flow.iter().map(signed).sum::<i64>(), moved);
}

#[tokio::test]
async fn a_refund_that_did_not_happen_comes_back_on_the_day_it_was_closed() {
    let (bench, day) = two_days().await;
    let next = day.tomorrow().unwrap();
    let (before, _) = read(&download(&bench, day, "Basic", &[]).await.0);
    let (after, _) = read(&download(&bench, next, "Basic", &[]).await.0);
    let names: Vec<_> = after.iter().map(|row| (row["业务名称"].as_str(), signed(row))).collect();
    assert_eq!(names[..2], [("退款关闭", 2_000), ("扣除交易手续费", -12)]);
    // The balance goes on where the day before ended.
    let balance = fen(&before.last().unwrap()["账户结余(元)"]);
    assert_eq!(fen(&after[0]["账户结余(元)"]), balance + 2_000);
}

#[tokio::test]
async fn red_packets_leave_the_operation_account_and_fees_have_none() {
    let (bench, day) = two_days().await;
    let (rows, _) = read(&download(&bench, day, "Operation", &[]).await.0);
    let moves: Vec<_> = rows.iter().map(|row| (row["业务名称"].as_str(), signed(row))).collect();
    assert_eq!(moves, [("现金红包", -100)]);
    let (rows, _) = read(&download(&bench, day.tomorrow().unwrap(), "Operation", &[]).await.0);
    assert_eq!(rows.iter().map(signed).collect::<Vec<_>>(), [100]);
    let (body, digest) = download(&bench, day, "Fees", &[]).await;
    let answer = xml::parse("xml", &body).unwrap();
    assert_eq!((outcome(&answer).as_str(), digest, answer.text("sign")), ("NO_BILL_EXIST", None, None));
}

#[tokio::test]
async fn it_comes_with_its_hash_zipped_or_not() {
    let (bench, day) = two_days().await;
    let (plain, digest) = download(&bench, day, "Basic", &[]).await;
    let hash = Sha1::digest(&plain).iter().fold("SHA=".to_owned(), |hash, byte| hash + &format!("{byte:02x}"));
    assert_eq!(digest, Some(hash));
    let (zipped, of_file) = download(&bench, day, "Basic", &[("tar_type", "GZIP")]).await;
    let mut unzipped = Vec::new();
    GzDecoder::new(&zipped[..]).read_to_end(&mut unzipped).unwrap();
    assert!(zipped.starts_with(&[0x1f, 0x8b]) && unzipped == plain);
    assert_eq!(of_file, digest);
}

#[tokio::test]
async fn it_needs_the_certificate_and_hmac_declared_or_not() {
    let (bench, day) = two_days().await;
    let date = time::print_date(day);
    let fields = [("bill_date", &*date), ("account_type", "Basic")];
    let without = xml::write("xml", &ACME.signed(&fields)).into_bytes();
    assert_eq!(bench.send(PATH, without).await.unwrap().status(), 400);
    assert_eq!(outcome(&bench.post_certified(&TEA, PATH, &fields).await), "签名错误");
    let mut undeclared = ACME.signed(&fields);
    undeclared.remove("sign_type");
    ACME.sign(&mut undeclared);
    let response = bench.send_certified(&ACME, PATH, &undeclared).await;
    assert!(response.text().await.unwrap().starts_with('\u{feff}'));
}

#[tokio::test]
async fn what_cannot_have_a_flow_is_refused_by_code() {
    let (bench, day) = two_days().await;
    let (date, today) = (time::print_date(day), time::print_date(time::bill_date(bench.clock().await.now)));
    for (fields, code) in [
        (vec![("account_type", "Basic")], "LACK_PARAMS"),
        (vec![("bill_date", &*date)], "LACK_PARAMS"),
        (vec![("bill_date", &*date), ("account_type", "basic")], "PARAM_ERROR"),
        (vec![("bill_date", "2026-11-21"), ("account_type", "Basic")], "PARAM_ERROR"),
        (vec![("bill_date", &*today), ("account_type", "Basic")], "PARAM_ERROR"),
        (vec![("bill_date", "20170531"), ("account_type", "Basic")], "PARAM_ERROR"),
        (vec![("bill_date", &*date), ("account_type", "Basic"), ("tar_type", "ZIP")], "PARAM_ERROR"),
        (vec![("bill_date", &*date), ("account_type", "Basic"), ("appid", TEA.app_id)], "APPID_MCHID_NOT_MATCH"),
    ] {
        assert_eq!(outcome(&bench.post_certified(&ACME, PATH, &fields).await), code, "{fields:?}");
    }
    let idle = time::print_date(day.yesterday().unwrap());
    let fields = [("bill_date", &*idle), ("account_type", "Basic")];
    assert_eq!(outcome(&bench.post_certified(&ACME, PATH, &fields).await), "NO_BILL_EXIST");
}

#[tokio::test]
async fn a_flow_is_made_from_nine_in_the_morning_on() {
    let bench = Bench::start().await;
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench.advance(Duration::from_hours(24)).await;
    let early = download(&bench, day, "Basic", &[]).await.0;
    assert_eq!(outcome(&xml::parse("xml", &early).unwrap()), "BILL_CREATING");
    bench.advance(Duration::from_hours(1)).await;
    assert_eq!(read(&download(&bench, day, "Basic", &[]).await.0).0.len(), 2);
}

#[tokio::test]
async fn each_fault_of_bills_spoils_one_download() {
    let (bench, day) = two_days().await;
    let right = download(&bench, day, "Basic", &[]).await.0;
    let (rows, summary) = read(&right);
    for word in ["truncate", "alter_amount", "extra_row", "missing_row", "other_day", "empty"] {
        let fault = bench.fault(json!({ "on": "downloadfundflow", "merchant": ACME.name, "do": word })).await;
        let body = download(&bench, day, "Basic", &[]).await.0;
        match word {
            "truncate" => assert!(body.len() < right.len() && right.starts_with(&body)),
            "empty" => assert!(body.is_empty()),
            "alter_amount" => {
                let (altered, same) = read(&body);
                assert_eq!((fen(&altered[0]["收支金额(元)"]), same), (signed(&rows[0]) + 1, summary.clone()));
            }
            "extra_row" => assert_eq!(read(&body).0.len(), rows.len() + 1),
            "missing_row" => assert_eq!(read(&body).0.len(), rows.len() - 1),
            _ => assert!(read(&body).0[0]["记账时间"] < rows[0]["记账时间"]),
        }
        assert_eq!(bench.hits(&fault).await, 1);
        assert!(download(&bench, day, "Basic", &[]).await.0 == right);
    }
}
