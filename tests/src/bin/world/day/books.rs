//! Our side of the day: what the facts of its payments and refunds would have left in the books.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use e2e::selling::MERCHANT;
use jiff::civil::Date;
use reconciliation::books::{BookPayment, BookRefund};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Text that is sent at once.
const PIECE_BYTES: usize = 1 << 20;

/// Writes payments and refunds of `folder` with everything that hangs on them. Facts come in the order of time, which is not that
/// of numbers, so the rows are shuffled.
pub(super) async fn write(pool: &PgPool, folder: &Path, day: Date) -> anyhow::Result<()> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).with_context(|| format!("cannot read {name}"));
    let mut payments = read("payments.tsv")?.lines().map(BookPayment::parse_line).collect::<Result<Vec<_>, _>>()?;
    let refunds = read("refunds.tsv")?.lines().map(BookRefund::parse_line).collect::<Result<Vec<_>, _>>()?;
    fastrand::Rng::with_seed(20_261_128).shuffle(&mut payments);
    let conn = &mut *pool.acquire().await?;
    let id = |at: usize| Uuid::from_u128(at as u128 + 1);
    let time = format!("{day} 12:00:00+08");
    copy(
        conn,
        "book_orders (order_id, merchant, app, order_no, amount_fen, create_time)",
        payments.iter().enumerate(),
        {
            let time = &time;
            move |row, (at, payment)| {
                let amount = payment.issued.unwrap_or_default().get();
                writeln!(row, "{}\t{MERCHANT}\tdemo\tT{at}\t{amount}\t{time}", id(at))
            }
        },
    )
    .await?;
    copy(
        conn,
        "book_payments (merchant, out_trade_no, payment_id, order_id, app, issued_amount_fen, mch_id, issue_time, taken_as,
            taken_amount_fen, transaction_id, paid_time, paid_date)",
        payments.iter().enumerate(),
        |row, (at, payment)| {
            let (number, transaction) = (&payment.out_trade_no, &payment.transaction_id);
            let issued = payment.issued.unwrap_or_default().get();
            let taken = payment.taken.map_or(issued, |taken| taken.amount.get());
            let id = id(at);
            writeln!(
                row,
                "{MERCHANT}\t{number}\t{id}\t{id}\tdemo\t{issued}\t1900000109\t{time}\tPAID\t{taken}\t{transaction}\t{time}\t{day}"
            )
        },
    )
    .await?;
    copy(
        conn,
        "provider_payments (merchant, provider, transaction_id, out_trade_no, amount_fen, payer_amount_fen, currency, mch_id,
            app_id, paid_time, paid_date, source, note_time)",
        payments.iter().filter_map(|payment| Some((payment, payment.fact?))),
        |row, (payment, fact)| {
            let (number, transaction) = (&payment.out_trade_no, &payment.transaction_id);
            let (amount, payer) = (fact.amount.get(), fact.payer.get());
            writeln!(
                row,
                "{MERCHANT}\twechat-v2\t{transaction}\t{number}\t{amount}\t{payer}\tCNY\t1900000109\twx8888888888888888\t{time}\t{day}\tSOURCE_CALLBACK\t{time}"
            )
        },
    )
    .await?;
    copy(
        conn,
        "book_refunds (merchant, out_refund_no, refund, order_id, app, out_trade_no, transaction_id, mch_id, amount_fen, cause,
            create_time, refund_id, accept_time, accept_date, success_time)",
        refunds.iter().enumerate(),
        |row, (at, refund)| {
            let BookRefund { out_refund_no, out_trade_no, transaction_id, amount, .. } = refund;
            let (id, refund_id, amount) = (id(at), refund.refund_id.as_deref().unwrap_or(r"\N"), amount.get());
            writeln!(
                row,
                "{MERCHANT}\t{out_refund_no}\t{id}\t{id}\tdemo\t{out_trade_no}\t{transaction_id}\t1900000109\t{amount}\tREQUESTED\t{time}\t{refund_id}\t{time}\t{day}\t{time}"
            )
        },
    )
    .await?;
    copy(
        conn,
        "provider_refunds (merchant, provider, refund_id, state, out_refund_no, transaction_id, out_trade_no, amount_fen, mch_id,
            success_time, source)",
        refunds.iter().filter_map(|refund| Some((refund, refund.refund_id.as_deref()?, refund.fact?))),
        |row, (refund, refund_id, fact)| {
            let BookRefund { out_refund_no, out_trade_no, transaction_id, .. } = refund;
            writeln!(
                row,
                "{MERCHANT}\twechat-v2\t{refund_id}\tSUCCEEDED\t{out_refund_no}\t{transaction_id}\t{out_trade_no}\t{}\t1900000109\t{time}\tSOURCE_CALLBACK",
                fact.get()
            )
        },
    )
    .await?;
    // A database that has lived with these rows has done so by itself.
    sqlx::raw_sql("VACUUM ANALYZE").execute(conn).await?;
    Ok(())
}

async fn copy<T>(
    conn: &mut PgConnection,
    table: &str,
    rows: impl Iterator<Item = T>,
    line: impl Fn(&mut String, T) -> std::fmt::Result,
) -> anyhow::Result<()> {
    let mut writer = conn.copy_in_raw(&format!("COPY {table} FROM STDIN")).await?;
    let mut piece = String::with_capacity(PIECE_BYTES + 1024);
    for row in rows {
        line(&mut piece, row)?;
        if PIECE_BYTES <= piece.len() {
            writer.send(std::mem::take(&mut piece).into_bytes()).await?;
        }
    }
    writer.send(piece.into_bytes()).await?;
    writer.finish().await?;
    Ok(())
}
