use std::borrow::Cow;

use super::line::{Columns, LineError, LineWriter};
use super::{BookRefund, RefundCause, RefundState};

/// Columns of a refund.
const WIDTH: usize = 13;

impl BookRefund {
    /// Reads one line of the refunds' file, without its end.
    ///
    /// # Errors
    /// [`LineError`] for what [`BookRefund::to_line`] does not print.
    pub fn parse_line(line: &str) -> Result<BookRefund, LineError> {
        let mut columns = Columns::of(line, WIDTH)?;
        let mut refund = BookRefund {
            out_refund_no: columns.text("out_refund_no")?,
            refund_id: columns.optional("refund_id")?.map(Cow::into_owned),
            out_trade_no: columns.text("out_trade_no")?,
            transaction_id: columns.text("transaction_id")?,
            amount: columns.fen("amount_fen")?,
            state: columns.word("state", RefundState::parse)?,
            cause: columns.word("cause", RefundCause::parse)?,
            fact: columns.optional_fen("fact_fen")?,
            accept_date: columns.optional_date("accept_date")?,
            billed_on: columns.optional_date("billed_on")?,
            moved_on: None,
            moved: None,
        };
        (refund.moved_on, refund.moved) = columns.moved()?;
        Ok(refund)
    }

    /// Prints it as one line of the refunds' file, with its end.
    pub fn to_line(&self) -> String {
        LineWriter::default()
            .text(&self.out_refund_no)
            .optional_text(self.refund_id.as_deref())
            .text(&self.out_trade_no)
            .text(&self.transaction_id)
            .fen(Some(self.amount))
            .text(self.state.as_str())
            .text(self.cause.as_str())
            .fen(self.fact)
            .date(self.accept_date)
            .date(self.billed_on)
            .moved(self.moved_on, self.moved)
            .finish()
    }
}
