//! The comparison in a thread of its own: it reads files, asks the books once, and ends.

use jiff::civil::Date;
use reconciliation::{Account, Answers, Closings, FundFile, Inputs, Outcome, Questions, Refused, Rules};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::RunError;
use crate::bills::{Mapped, hex};
use crate::gateway::Merchant;

/// Every file of a comparison.
#[derive(Debug)]
pub(super) struct Files {
    /// `None`: the provider says that there is none.
    pub(super) trade: Option<Mapped>,
    /// In the order of `AccountKind::ALL`.
    pub(super) funds: [Fund; 3],
    pub(super) payments: Mapped,
    pub(super) refunds: Mapped,
}

/// The fund flow of one account.
#[derive(Debug)]
pub(super) enum Fund {
    Read(Mapped),
    None,
    NotFetched,
}

/// What a comparison found, and what pins it.
#[derive(Debug)]
pub(super) struct Compared {
    pub(super) outcome: Outcome,
    /// Everything that our side said.
    pub(super) books_sha256: String,
    pub(super) result_sha256: String,
}

/// A comparison under way. Dropped before its end, its thread ends by itself.
#[derive(Debug)]
pub(super) struct Comparing {
    questions: Option<oneshot::Receiver<Questions>>,
    answers: oneshot::Sender<Answers>,
    work: JoinHandle<Result<Compared, Refused>>,
}

impl Comparing {
    pub(super) fn begin(files: Files, account: &Merchant, day: Date, as_of: Date, closings: Closings) -> Self {
        let (ask, questions) = oneshot::channel();
        let (answers, answered) = oneshot::channel();
        let account = account.clone();
        let work = tokio::task::spawn_blocking(move || {
            let inputs = inputs(&files, &account, day, as_of, closings);
            let reading = reconciliation::read(&inputs)?;
            // Whoever asked may be gone; then the answers never come.
            let _gone = ask.send(reading.questions());
            let answers = answered.blocking_recv().map_err(|_| Refused::Books("nobody answered".to_owned()))?;
            let books_sha256 = pin(&inputs, &answers);
            let outcome = reading.conclude(&answers)?;
            let result_sha256 = outcome.digest_hex();
            Ok(Compared { outcome, books_sha256, result_sha256 })
        });
        Self { questions: Some(questions), answers, work }
    }

    /// What only the books can answer; `None` when the bills were refused before that.
    pub(super) async fn questions(&mut self) -> Option<Questions> {
        self.questions.take()?.await.ok()
    }

    /// Answers, and waits for the end.
    pub(super) async fn conclude(self, answers: Answers) -> Result<Result<Compared, Refused>, RunError> {
        // A comparison that has ended needs no answers.
        let _ended = self.answers.send(answers);
        self.work.await.map_err(|error| RunError::Internal(error.to_string()))
    }
}

fn inputs<'f>(files: &'f Files, account: &'f Merchant, day: Date, as_of: Date, closings: Closings) -> Inputs<'f> {
    let fund = |fund: &'f Fund| match fund {
        Fund::Read(file) => FundFile::Read(file),
        Fund::None => FundFile::None,
        Fund::NotFetched => FundFile::NotFetched,
    };
    let [basic, operation, fees] = &files.funds;
    Inputs {
        day,
        as_of,
        account: Account { mch_id: &account.mch_id, sub_mch_id: &account.sub_mch_id },
        rules: Rules::CURRENT,
        trade: files.trade.as_deref(),
        funds: [fund(basic), fund(operation), fund(fees)],
        closings,
        payments: &files.payments,
        refunds: &files.refunds,
    }
}

/// SHA-256 of everything that our side said: both files, how the accounts closed, and the answers in whatever order they came.
fn pin(inputs: &Inputs<'_>, answers: &Answers) -> String {
    let mut hash = Sha256::new();
    for file in [inputs.payments, inputs.refunds] {
        hash.update(Sha256::digest(file));
    }
    let mut lines: Vec<String> = Vec::new();
    lines.extend(inputs.closings.iter().zip(reconciliation::AccountKind::ALL).map(|closing| format!("{closing:?}")));
    lines.extend(answers.payments.iter().map(|payment| format!("{payment:?}")));
    lines.extend(answers.issued.iter().map(|issued| format!("{issued:?}")));
    lines.extend(answers.refunds.iter().map(|refund| format!("{refund:?}")));
    lines.sort_unstable();
    for line in lines {
        hash.update(line);
        hash.update("\n");
    }
    hex(&hash.finalize())
}
