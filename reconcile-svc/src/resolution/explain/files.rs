use std::error::Error as _;
use std::io::{self, BufRead, BufReader};
use std::time::{Duration, Instant};

use reconciliation::{AccountKind, Code};
use tokio::sync::Semaphore;
use wechat_pay::bill::cells::CellReader;
use wechat_pay::bill::{BillError, plain};

use super::Wanted;
use super::leg::{Leg, Role};
use super::pieces::Pieces;
use super::whole::Whole;
use crate::runs::{InputKind, Reconciler};
use crate::store::legs::{self, KeptInput, SeenBy};

/// Files read at once by one process.
static PLACES: Semaphore = Semaphore::const_new(2);

/// How long one waits for a place.
const WAIT_TIME: Duration = Duration::from_secs(10);

/// How long one file may take: ten million rows and room.
const READ_TIME: Duration = Duration::from_mins(1);

/// Rows between two looks at the clock.
const LOOK_EVERY: u64 = 10_000;

/// Rows of one file that are shown.
const MAX_ROWS: usize = 4;

/// The numbers of a trade bill, and of a fund flow.
const TRADE_NUMBERS: [&str; 4] = ["微信订单号", "商户订单号", "微信退款单号", "商户退款单号"];
const FUND_NUMBERS: [&str; 2] = ["微信支付业务单号", "资金流水单号"];

/// What is shown of a row; never the payer, what was bought, or a remark.
const SHOWN: [(&str, Role); 27] = [
    ("交易时间", Role::Plain),
    ("交易状态", Role::State),
    ("交易类型", Role::Plain),
    ("商户号", Role::Plain),
    ("特约商户号", Role::Plain),
    ("微信订单号", Role::Plain),
    ("商户订单号", Role::OurNumber),
    ("微信退款单号", Role::Plain),
    ("商户退款单号", Role::Plain),
    ("货币种类", Role::Plain),
    ("订单金额", Role::Amount),
    ("应结订单金额", Role::Settlement),
    ("代金券金额", Role::Settlement),
    ("申请退款金额", Role::Amount),
    ("退款金额", Role::Settlement),
    ("退款状态", Role::State),
    ("手续费", Role::Fee),
    ("费率", Role::Fee),
    ("费率备注", Role::Plain),
    ("记账时间", Role::Plain),
    ("微信支付业务单号", Role::Plain),
    ("资金流水单号", Role::Plain),
    ("业务名称", Role::Plain),
    ("业务类型", Role::Movement),
    ("收支类型", Role::Movement),
    ("收支金额(元)", Role::Movement),
    ("账户结余(元)", Role::Balance),
];

/// A row as it is shown.
type Shown = Vec<(String, String, Role)>;

/// Leg T: the trade bill of the run that saw it.
pub(super) async fn trade(reconciler: &Reconciler, wanted: &Wanted<'_>, seen: Option<&SeenBy>) -> sqlx::Result<Leg> {
    let mut leg = Leg::new("T");
    // A refund has its own numbers; those of its payment would find the payment and its other refunds as well.
    let of_a_refund = [wanted.refund_id, wanted.out_refund_no];
    let of_a_payment = [wanted.transaction_id, wanted.out_trade_no];
    let numbers = if of_a_refund == ["", ""] { of_a_payment } else { of_a_refund };
    file(reconciler, wanted, seen, InputKind::Trade, &numbers, &mut leg).await?;
    Ok(leg)
}

/// Leg F: the fund flow of the account, and for F4 its balances.
pub(super) async fn funds(reconciler: &Reconciler, wanted: &Wanted<'_>, seen: Option<&SeenBy>) -> sqlx::Result<Leg> {
    let mut leg = Leg::new("F");
    let account = AccountKind::ALL.into_iter().find(|kind| kind.as_str() == wanted.account);
    let account = account.unwrap_or(AccountKind::Basic);
    if let (Code::F4, Some(run)) = (wanted.code, seen) {
        let mut conn = reconciler.pool.acquire().await?;
        if let Some(found) = legs::balances(&mut conn, wanted.merchant, run, account.as_str()).await? {
            leg.amount("closing balance of the day before", found.closing_before_fen, Role::Balance);
            leg.amount("opening balance", found.opening_fen, Role::Balance);
            leg.amount("closing balance", found.closing_fen, Role::Balance);
        }
    }
    let number = if wanted.refund_id.is_empty() { wanted.transaction_id } else { wanted.refund_id };
    file(reconciler, wanted, seen, InputKind::Fund(account), &[number, wanted.movement], &mut leg).await?;
    Ok(leg)
}

/// Adds what a kept file says about some numbers, or why it says nothing.
async fn file(
    reconciler: &Reconciler,
    wanted: &Wanted<'_>,
    seen: Option<&SeenBy>,
    kind: InputKind,
    numbers: &[&str],
    leg: &mut Leg,
) -> sqlx::Result<()> {
    let Some(run) = seen else { return Ok(()) };
    let input = legs::input(&mut *reconciler.pool.acquire().await?, wanted.merchant, run, kind).await?;
    let numbers = numbers.iter().filter(|number| !number.is_empty()).map(|number| (*number).to_owned()).collect();
    match read(reconciler, input, numbers).await {
        Ok(rows) => show(rows, leg),
        Err(why) => leg.add("file", why, Role::Plain),
    }
    Ok(())
}

/// The rows of a kept file with one of these numbers, or why there are none to be had.
async fn read(reconciler: &Reconciler, input: Option<KeptInput>, numbers: Vec<String>) -> Result<Vec<Shown>, String> {
    let input = input.ok_or("that run is of an earlier release, which kept no files")?;
    match input.state.as_str() {
        "NONE" => return Err("the provider says that there is none".to_owned()),
        "NOT_FETCHED" => return Err("not fetched: it needs the merchant's client certificate".to_owned()),
        _ => {}
    }
    let bill_id = input.bill_id.ok_or("no longer kept: its time is over")?;
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let place = tokio::time::timeout(WAIT_TIME, PLACES.acquire()).await;
    let _place = place.map_err(|_| "not read: others are being read at this moment, ask again")?;
    let pieces = Pieces::of(reconciler.pool.clone(), bill_id);
    let scanned = tokio::task::spawn_blocking(move || scan(pieces, &numbers, &input.sha256)).await;
    scanned.map_err(|error| error.to_string()).and_then(|rows| rows.map_err(|error| told(&error))).map_err(|error| {
        tracing::warn!(bill = %bill_id, "a kept file cannot be read: {error}");
        format!("cannot be read: {error}")
    })
}

/// Why a file cannot be read, for people: what a reader found, or what the disk or the packing said.
fn told(error: &BillError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The rows with one of these numbers, of a file that is still the one that the run read.
fn scan(pieces: Pieces, numbers: &[String], sha256: &str) -> Result<Vec<Shown>, BillError> {
    let deadline = Instant::now() + READ_TIME;
    let mut file = Whole::new(plain(BufReader::new(pieces))?);
    let found = rows(&mut file, numbers, deadline)?;
    if file.sha256(deadline)? != sha256 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not the file that the run read").into());
    }
    Ok(found)
}

fn rows(file: impl BufRead, numbers: &[String], deadline: Instant) -> Result<Vec<Shown>, BillError> {
    let mut reader = CellReader::open(file)?;
    let columns: Vec<String> = reader.columns().iter().map(|name| normalised(name)).collect();
    let is_number = |name: &String| TRADE_NUMBERS.contains(&name.as_str()) || FUND_NUMBERS.contains(&name.as_str());
    let places: Vec<usize> = columns.iter().enumerate().filter(|(_, name)| is_number(name)).map(|(at, _)| at).collect();
    let mut found = Vec::new();
    let mut rows: u64 = 0;
    while let Some(cells) = reader.next_row()? {
        if places.iter().any(|at| numbers.iter().any(|number| number == cells.get(*at))) {
            let mut row: Shown = vec![("line".to_owned(), cells.line().to_string(), Role::Plain)];
            for (name, value) in columns.iter().zip(cells.iter()) {
                let shown = SHOWN.iter().find(|(shown, _)| shown == name);
                if let Some((_, role)) = shown.filter(|_| !is_nothing(value)) {
                    row.push((name.clone(), value.to_owned(), *role));
                }
            }
            found.push(row);
            if found.len() == MAX_ROWS {
                break;
            }
        }
        rows += 1;
        if rows.is_multiple_of(LOOK_EVERY) && deadline <= Instant::now() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
    }
    Ok(found)
}

/// Payments have these in the columns of refunds.
fn is_nothing(value: &str) -> bool {
    matches!(value, "" | "0" | "0.00")
}

/// A column name with half-width brackets and without surrounding spaces.
fn normalised(name: &str) -> String {
    name.trim().replace('（', "(").replace('）', ")")
}

fn show(rows: Vec<Shown>, leg: &mut Leg) {
    let several = 1 < rows.len();
    for (number, row) in (1..).zip(rows) {
        for (name, value, role) in row {
            leg.add(if several { format!("{number}: {name}") } else { name }, value, role);
        }
    }
}
