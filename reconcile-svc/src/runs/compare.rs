use jiff::civil::Date;

use super::{CodeTally, Reconciler, Run, RunError, RunState};
use crate::bills::{self, Bill, BillRefused};
use crate::engine::{Code, Comparison, ENGINE_VERSION, EngineError, Outcome};
use crate::gateway::{GatewayError, Merchant};
use crate::store::books::{self, BooksError};
use crate::store::claims::Claim;
use crate::store::listing;
use crate::store::results::Verdict;

/// Numbers per question to the books.
const LOOK_UP_BATCH: usize = 10_000;

/// What a comparison came to.
pub(super) enum Finding {
    /// Both sides were read to their end.
    Compared(Outcome),
    /// The bill is not to be trusted.
    ControlFailed(String),
}

impl Reconciler {
    /// Bill, books, comparison, result.
    pub(super) async fn work(&self, claim: &Claim, account: &Merchant, day: Date) -> Result<Run, RunError> {
        let bill = match bills::download(&self.gateway, &account.name, day).await {
            Ok(bill) => Some(bill),
            // An empty day: valid, and a difference for each payment that the books have.
            Err(bills::DownloadError::Gateway(GatewayError::NoBill)) => None,
            Err(bills::DownloadError::Gateway(error)) => return Err(error.into()),
            Err(bills::DownloadError::TooLarge) => return Err(RunError::TooLarge(bills::TOO_LARGE.to_owned())),
            Err(bills::DownloadError::Disk(error)) => return Err(RunError::Disk(error)),
        };
        let bill_sha256 = bill.as_ref().map(Bill::sha256_hex).unwrap_or_default();
        let finding = self.compare(bill, account, day).await?;
        let verdict = verdict(&finding, bill_sha256)?;

        let current = listing::current(&mut *self.pool.acquire().await?, &account.name, day).await?;
        if let Some(current) = current.filter(|current| is_same(current, &verdict)) {
            self.release(claim).await;
            return Ok(current);
        }
        self.conclude(claim, &account.name, day, &finding, &verdict).await
    }

    /// Reads both sides, the books in one snapshot.
    async fn compare(&self, bill: Option<Bill>, account: &Merchant, day: Date) -> Result<Finding, RunError> {
        let mut books = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        // The bill is read while this transaction is idle; it holds no locks that anybody waits for.
        sqlx::raw_sql("SET LOCAL idle_in_transaction_session_timeout = '15min'; SET LOCAL statement_timeout = '2min'")
            .execute(&mut *books)
            .await?;
        let payments = books::payments_of_day(&mut books, &account.name, day).await.map_err(|error| match error {
            BooksError::Database(error) => RunError::Database(error),
            BooksError::TooMany => RunError::TooLarge(BooksError::TooMany.to_string()),
        })?;
        let comparison = Comparison::new(day, payments).map_err(|error| RunError::Internal(error.to_string()))?;
        let read = match bill {
            None => Ok(comparison),
            Some(bill) => {
                let account = account.clone();
                let reading = tokio::task::spawn_blocking(move || bills::read(bill, &account, day, comparison));
                reading.await.map_err(|error| RunError::Internal(error.to_string()))?
            }
        };
        let comparison = match read {
            Ok(comparison) => comparison,
            Err(BillRefused::Control(problem)) => return Ok(Finding::ControlFailed(problem)),
            Err(BillRefused::Disk(error)) => return Err(RunError::Disk(error)),
        };
        let (mut other_days, mut issued) = (Vec::new(), Vec::new());
        for numbers in comparison.numbers_to_look_up().chunks(LOOK_UP_BATCH) {
            other_days.extend(books::payments_of_other_days(&mut books, &account.name, day, numbers).await?);
            issued.extend(books::issued(&mut books, &account.name, numbers).await?);
        }
        books.rollback().await?;
        let finishing = tokio::task::spawn_blocking(move || comparison.finish(other_days, issued));
        match finishing.await.map_err(|error| RunError::Internal(error.to_string()))? {
            Ok(outcome) => Ok(Finding::Compared(outcome)),
            Err(error @ (EngineError::TooManyDifferences | EngineError::Overflow | EngineError::Duplicate)) => {
                Ok(Finding::ControlFailed(error.to_string()))
            }
        }
    }
}

/// Whether the current version was made from the same inputs by the same rules.
fn is_same(current: &Run, new: &Verdict) -> bool {
    current.engine_version == ENGINE_VERSION
        && current.state == new.state
        && current.problem == new.problem
        && current.bill_sha256 == new.bill_sha256
        && current.books_sha256 == new.books_sha256
}

fn verdict(finding: &Finding, bill_sha256: String) -> Result<Verdict, RunError> {
    let outcome = match finding {
        Finding::Compared(outcome) => outcome,
        // Not even the counts of such a bill are told: nothing of it is used.
        Finding::ControlFailed(problem) => {
            let (state, problem) = (RunState::ControlFailed, problem.clone());
            return Ok(Verdict { state, problem, bill_sha256, ..Verdict::empty() });
        }
    };
    let mut codes = Vec::new();
    for code in Code::ALL {
        let tally = outcome.tally_of(code).map_err(|error| RunError::TooLarge(error.to_string()))?;
        if 0 < tally.count {
            codes.push(CodeTally { code, count: tally.count, sum: tally.sum });
        }
    }
    let state = if codes.is_empty() { RunState::Balanced } else { RunState::Differences };
    Ok(Verdict {
        state,
        problem: String::new(),
        bill: told(outcome.bill),
        refunds: told(outcome.refunds),
        revoked: told(outcome.revoked),
        fee: outcome.fee,
        books: told(outcome.books),
        matched: told(outcome.matched),
        codes,
        bill_sha256,
        books_sha256: outcome.books_digest.to_hex(),
    })
}

fn told(tally: crate::engine::Tally) -> reconciliation::Tally {
    reconciliation::Tally { count: tally.count, sum: tally.sum }
}
