//! Bills as they are kept: in how many pieces, for how long, and what is said when one is damaged or gone.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proto::gateway::v1::download_bill_request::Kind;
use proto::reconcile::v1::Run;
use proto::reconcile::v1::export_run_request::Format;
use proto::reconcile::v1::run::State;
use sha2::{Digest as _, Sha256};
use wechat_pay::bill::TradeRow;

use crate::bill::{self, MERCHANT, Payment};
use crate::explaining::value;
use crate::fund_flows::flow;
use crate::gateway::Bill;
use crate::harness::World;

/// Bytes of one piece in the database, at most.
const PIECE_BYTES: usize = 1 << 20;

/// One day.
const DAY: Duration = Duration::from_hours(24);

impl World {
    async fn number(&self, question: &'static str) -> i64 {
        sqlx::query_scalar(question).fetch_one(&self.pool).await.expect("a number")
    }

    /// Each piece of the trade bill that is kept, in order.
    async fn pieces(&self) -> Vec<Vec<u8>> {
        let pieces: Vec<(i32, Vec<u8>)> = sqlx::query_as(
            "SELECT piece, gzip FROM bill_pieces JOIN bills USING (bill_id) WHERE kind = 'TRADE' ORDER BY piece",
        )
        .fetch_all(&self.pool)
        .await
        .expect("the pieces");
        let numbers: Vec<i32> = pieces.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..i32::try_from(pieces.len()).expect("few")).collect::<Vec<_>>());
        pieces.into_iter().map(|(_, bytes)| bytes).collect()
    }

    /// The file of a run for programs, without when it was made.
    async fn json(&self, run: &Run) -> serde_json::Value {
        let (_, bytes, _) = self.export(&run.name, Format::Json).await;
        let mut told: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        told["exportTime"].take();
        told
    }

    /// Starts again with bills kept for 90 days, and returns when it has forgotten what is older: a bill of long ago is.
    async fn forgets(self) -> Self {
        let old = "INSERT INTO bills SELECT gen_random_uuid(), merchant, bill_date - 1000, 'TRADE', '', 0, 0, now() FROM runs";
        sqlx::query(old).execute(&self.pool).await.expect("a bill");
        let world = self.again(&["--bill-keep-days=90"]).await;
        let left = "SELECT count(*) FROM bills WHERE sha256 = ''";
        world.until("the old bill is gone", async || (world.number(left).await == 0).then_some(())).await;
        world
    }

    /// What leg T of the only difference says about the file, when it says anything about it.
    async fn told_of_the_file(&self) -> Option<String> {
        let found = self.discrepancies().await.remove(0);
        let explained = self.explained(&found.name).await;
        value(&explained.legs[2], "file").map(|(told, _)| told.to_owned())
    }
}

/// A text of so many bytes that gzip cannot make much smaller.
fn noise(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        text.push_str(&uuid::Uuid::new_v4().simple().to_string());
    }
    text
}

/// A day with one payment that we never issued, in a bill of several pieces.
async fn large_bill(world: &World) -> (Run, Vec<u8>) {
    let day = world.day();
    let known: Vec<Payment> = (1..=80).map(|fen| Payment::on(day, fen)).collect();
    world.book(&known.iter().collect::<Vec<_>>()).await;
    let row = |payment: &Payment| TradeRow { body: noise(50_000), ..payment.row() };
    let text = bill::text(&known.iter().map(row).chain([Payment::on(day, 100).row()]).collect::<Vec<_>>());
    world.gateway.set_bill(MERCHANT, day, Bill::Whole(text.clone()));
    let run = world.run(day).await;
    let codes: Vec<_> = run.differences.iter().map(|of| (of.code.as_str(), of.count)).collect();
    assert_eq!((run.matched_count, codes), (80, vec![("P3", 1)]));
    (run, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_of_several_pieces_is_kept_byte_for_byte_and_found_again() {
    let world = World::start().await;
    let (run, text) = large_bill(&world).await;
    let pieces = world.pieces().await;
    let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
    let (last, whole) = lengths.split_last().expect("there are some");
    assert!(2 <= whole.len() && whole.iter().all(|length| *length == PIECE_BYTES), "{lengths:?}");
    assert!((1..=PIECE_BYTES).contains(last), "{lengths:?}");

    let mut kept = Vec::new();
    GzDecoder::new(pieces.concat().as_slice()).read_to_end(&mut kept).expect("gzip");
    assert!(kept == text, "{} bytes are kept of {}", kept.len(), text.len());
    let sha256 = reconcile_svc::resolution::audit::hex(&Sha256::digest(&kept));
    let (told, bytes, stored): (String, i64, i64) =
        sqlx::query_as("SELECT sha256, bytes, stored_bytes FROM bills").fetch_one(&world.pool).await.expect("the bill");
    assert_eq!((&told, &run.bill_sha256), (&sha256, &sha256));
    assert_eq!((usize::try_from(bytes), usize::try_from(stored)), (Ok(text.len()), Ok(lengths.iter().sum())));

    // What stands in its last piece is found through all of them.
    let found = world.discrepancies().await.remove(0);
    let explained = world.explained(&found.name).await;
    assert_eq!(value(&explained.legs[2], "商户订单号").map(|shown| shown.0), Some(found.out_trade_no.as_str()));
    assert_eq!(value(&explained.legs[2], "file"), None);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_piece_that_was_damaged_lost_or_exchanged_is_told_and_nothing_of_the_file_is_shown() {
    let world = World::start().await;
    let (run, _) = large_bill(&world).await;
    assert_eq!(world.told_of_the_file().await, None);
    sqlx::query("CREATE TABLE good AS SELECT * FROM bill_pieces").execute(&world.pool).await.expect("a copy");
    for damage in [
        "UPDATE bill_pieces SET gzip = set_byte(gzip, 5000, get_byte(gzip, 5000) # 1) WHERE piece = 1",
        "UPDATE bill_pieces SET gzip = substring(gzip FROM 1 FOR 1000) WHERE piece = 0",
        "DELETE FROM bill_pieces WHERE piece = 1",
        "DELETE FROM bill_pieces WHERE piece = (SELECT max(piece) FROM good)",
        "DELETE FROM bill_pieces WHERE piece = 0",
    ] {
        sqlx::query(damage).execute(&world.pool).await.expect(damage);
        let told = world.told_of_the_file().await.unwrap_or_else(|| panic!("{damage}: nobody saw it"));
        assert!(told.starts_with("cannot be read: "), "{damage}: {told}");
        // What the run came to stands by itself.
        assert_eq!(world.get(&run.name).await, run);
        for repair in ["DELETE FROM bill_pieces", "INSERT INTO bill_pieces SELECT * FROM good"] {
            sqlx::query(repair).execute(&world.pool).await.expect(repair);
        }
    }
    assert_eq!(world.told_of_the_file().await, None, "everything is repaired");
    // A whole bill that says something else in the place of the one that the run read.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&bill::text(&[Payment::on(world.day(), 100).row()])).expect("memory takes every write");
    sqlx::query("DELETE FROM bill_pieces WHERE piece <> 0").execute(&world.pool).await.expect("a deletion");
    let exchange =
        sqlx::query("UPDATE bill_pieces SET gzip = $1").bind(gzip.finish().expect("memory takes every write"));
    exchange.execute(&world.pool).await.expect("an update");
    let told = world.told_of_the_file().await;
    assert_eq!(told.as_deref(), Some("cannot be read: it is not the file that the run read"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_are_forgotten_after_their_days_and_everything_else_stays() {
    let world = World::start().await;
    world.gateway.set_certificate();
    let day = world.day();
    let payment = Payment::on(day, 100);
    world.gateway.set_bill(MERCHANT, day, bill::of(&[&payment]));
    let number = payment.transaction_id.as_str();
    world.gateway.set_fund_flow(Kind::FundBasic, day, flow(0, payment.paid_time, &[(number, "交易", 100)]));
    let run = world.run(day).await;
    assert_eq!((run.state(), world.number("SELECT count(*) FROM bills").await), (State::Differences, 2));
    let found = world.discrepancies().await;
    let (csv, json) = (world.export(&run.name, Format::Csv).await, world.json(&run).await);

    // The day was the day before yesterday, so it is 90 days ago in 88 days, and is forgotten in 89.
    world.hand.advance(88 * DAY);
    let world = world.forgets().await;
    assert_eq!(world.number("SELECT count(*) FROM bills").await, 2, "90 days are kept");
    world.hand.advance(DAY);
    let world = world.forgets().await;
    assert_eq!(world.number("SELECT count(*) FROM bills").await, 0);
    assert_eq!(world.number("SELECT count(*) FROM bill_pieces").await, 0);

    assert_eq!((world.get(&run.name).await, world.discrepancies().await), (run.clone(), found));
    assert_eq!(world.export(&run.name, Format::Csv).await, csv);
    assert_eq!(world.json(&run).await, json);
    assert!(!world.export(&run.name, Format::Xlsx).await.1.is_empty());
    let (status, page) = world.page(&format!("/{}", run.name)).await;
    assert!(status == 200 && page.contains(&run.bill_sha256), "{status} {page}");
    assert_eq!(world.told_of_the_file().await.as_deref(), Some("no longer kept: its time is over"));

    // As long as the provider has the bill it is fetched again, and is the same run.
    assert_eq!(world.run(day).await, run);
    assert_eq!((world.told_of_the_file().await, world.number("SELECT count(*) FROM bills").await), (None, 2));
    world.hand.advance(4 * DAY);
    let gone = world.try_run(day).await.expect_err("it is more than three months ago");
    assert_eq!(gone.code(), tonic::Code::InvalidArgument);
    assert!(gone.message().contains("must be within the last three months: older bills are gone"), "{gone}");
    assert_eq!(world.get(&run.name).await, run);
    world.end().await;
}
