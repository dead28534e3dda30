use std::io;

use jiff::ToSpan as _;
use jiff::civil::Date;
use reconciliation::MovementState;
use svc_kit::crash;

use super::comparing::{Comparing, Files, Fund};
use super::stages::Stages;
use super::verdict::Verdict;
use super::{Input, InputKind, Reconciler, Run, RunError};
use crate::bills::{self, Bill, Bills, DownloadError, Fetched, FileWriter, KeepError, WholeFile};
use crate::gateway::Merchant;
use crate::store::books::day as books;
use crate::store::claims::Claim;
use crate::store::{listing, results};

/// Our side of a day, as it was at one moment.
struct Books {
    payments: WholeFile,
    refunds: WholeFile,
}

impl Reconciler {
    /// Bills, books, comparison, result.
    pub(super) async fn work(&self, claim: &Claim, account: &Merchant, day: Date) -> Result<Run, RunError> {
        let as_of = wechat_pay::time::bill_date(self.clock.now());
        let mut stages = Stages::begin();
        let mut bills = bills::fetch(&self.gateway, account, day).await?;
        stages.ends("download");
        crash::point("reconcile.fetched");
        let (pool, now) = (&self.pool, self.clock.now());
        bills.keep(pool, &account.name, day, now, || self.clock.uuid_v7()).await?;
        stages.ends("keep");
        crash::point("reconcile.kept");
        let verdict = self.compare(&bills, account, day, as_of, &mut stages).await?;
        crash::point("reconcile.compared");

        let latest = listing::latest(&mut *self.pool.acquire().await?, &account.name, day).await?;
        if let Some(latest) = latest.filter(|latest| verdict.is(latest)) {
            self.find_again(claim, &latest, as_of).await?;
            self.release(claim).await;
            return Ok(latest);
        }
        let run = self.conclude(claim, &account.name, day, &verdict).await?;
        stages.ends("write");
        tracing::info!(run = %run.id, merchant = account.name, %day, "{} {day} took: {stages}", account.name);
        Ok(run)
    }

    /// Compares the bills with the books, which are read in one snapshot.
    async fn compare(
        &self,
        bills: &Bills,
        account: &Merchant,
        day: Date,
        as_of: Date,
        stages: &mut Stages,
    ) -> Result<Verdict, RunError> {
        let mut snapshot = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // The bills are read while this transaction is idle; it holds no locks that anybody waits for.
        sqlx::raw_sql("SET LOCAL idle_in_transaction_session_timeout = '15min'; SET LOCAL statement_timeout = '15min'")
            .execute(&mut *snapshot)
            .await?;
        let now = self.clock.now();
        let (mut payments, mut refunds) = (FileWriter::new(), FileWriter::new());
        books::copy_payments(&mut snapshot, &account.name, day, now, &mut payments).await?;
        books::copy_refunds(&mut snapshot, &account.name, day, now, &mut refunds).await?;
        let books = Books {
            payments: payments.finish().await.map_err(RunError::Disk)?,
            refunds: refunds.finish().await.map_err(RunError::Disk)?,
        };
        stages.ends("books");
        // Without a run of the day before nobody knows how the accounts closed, and whether they opened so is not judged.
        let closings = results::closings(&mut snapshot, &account.name, day.saturating_sub(1.day())).await?;

        let inputs = inputs(bills, &books);
        let files = files(bills, &books).map_err(RunError::Disk)?;
        let mut comparing = Comparing::begin(files, account, day, as_of, closings);
        let answers = match comparing.questions().await {
            Some(questions) => {
                let answers = books::answer(&mut snapshot, &account.name, day, now, &questions).await?;
                snapshot.rollback().await?;
                answers
            }
            // The bills were refused while they were read.
            None => reconciliation::Answers::default(),
        };
        let concluded = comparing.conclude(answers).await?;
        stages.ends("compare");
        match concluded {
            Ok(found) => Verdict::compared(as_of, inputs, found.books_sha256, found.result_sha256, found.outcome),
            Err(refused) => Verdict::refused(as_of, inputs, &refused),
        }
    }
}

fn inputs(bills: &Bills, books: &Books) -> Vec<Input> {
    let of_file = |kind, file: &WholeFile| Input {
        kind,
        state: MovementState::Read,
        sha256: file.sha256_hex(),
        bytes: file.bytes(),
    };
    let without = |kind, state| Input { kind, state, sha256: String::new(), bytes: 0 };
    let of_bill = |(kind, fetched): (bills::BillKind, &Fetched)| match fetched {
        Fetched::Read(Bill { whole, .. }) => of_file(kind.input(), whole),
        Fetched::None => without(kind.input(), MovementState::None),
        Fetched::NotFetched => without(kind.input(), MovementState::NotFetched),
    };
    let books = [of_file(InputKind::BookPayments, &books.payments), of_file(InputKind::BookRefunds, &books.refunds)];
    bills.each().map(of_bill).chain(books).collect()
}

fn files(bills: &Bills, books: &Books) -> io::Result<Files> {
    let fund = |fetched: &Fetched| match fetched {
        Fetched::Read(bill) => bill.whole.map().map(Fund::Read),
        Fetched::None => Ok(Fund::None),
        Fetched::NotFetched => Ok(Fund::NotFetched),
    };
    let [basic, operation, fees] = &bills.funds;
    Ok(Files {
        trade: match &bills.trade {
            Fetched::Read(bill) => Some(bill.whole.map()?),
            Fetched::None | Fetched::NotFetched => None,
        },
        funds: [fund(basic)?, fund(operation)?, fund(fees)?],
        payments: books.payments.map()?,
        refunds: books.refunds.map()?,
    })
}

impl From<DownloadError> for RunError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::Gateway(error) => error.into(),
            DownloadError::TooLarge => RunError::TooLarge(bills::TOO_LARGE.to_owned()),
            DownloadError::Disk(error) => RunError::Disk(error),
        }
    }
}

impl From<KeepError> for RunError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Database(error) => error.into(),
            KeepError::Disk(error) => RunError::Disk(error),
        }
    }
}
