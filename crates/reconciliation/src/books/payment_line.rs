use super::line::{Columns, LineError, LineWriter};
use super::{BookPayment, Fact, OrderState, Taken, TakenAs};

/// Columns of a payment.
const WIDTH: usize = 16;

impl BookPayment {
    /// Reads one line of the payments' file, without its end.
    ///
    /// # Errors
    /// [`LineError`] for what [`BookPayment::to_line`] does not print.
    pub fn parse_line(line: &str) -> Result<BookPayment, LineError> {
        let mut columns = Columns::of(line, WIDTH)?;
        let out_trade_no = columns.text("out_trade_no")?;
        let transaction_id = columns.text("transaction_id")?;
        let issued = columns.optional_fen("issued_fen")?;
        let taken_as = columns.optional_word("taken_as", TakenAs::parse)?;
        let taken = match (taken_as, columns.optional_fen("taken_fen")?) {
            (Some(taken_as), Some(amount)) => Some(Taken { amount, taken_as }),
            (None, None) => None,
            _ => return Err(LineError::Column { column: "taken_fen", what: "not with taken_as" }),
        };
        let told = (columns.optional_fen("fact_fen")?, columns.optional_fen("payer_fen")?);
        let fact = match (told, columns.optional_flag("fact_ripe")?) {
            ((Some(amount), Some(payer)), Some(ripe)) => Some(Fact { amount, payer, ripe }),
            // Whether nothing is ripe is nobody's question.
            ((None, None), _) => None,
            _ => return Err(LineError::Column { column: "fact_fen", what: "not with payer_fen and fact_ripe" }),
        };
        let paid_date = columns.date("paid_date")?;
        let billed_on = columns.optional_date("billed_on")?;
        let billed = columns.optional_fen("billed_fen")?;
        if billed.is_some() && billed_on.is_none() {
            return Err(LineError::Column { column: "billed_fen", what: "not with billed_on" });
        }
        let (moved_on, moved) = columns.moved()?;
        Ok(BookPayment {
            out_trade_no,
            transaction_id,
            issued,
            taken,
            fact,
            paid_date,
            billed_on,
            billed,
            moved_on,
            moved,
            order: columns.word("order_state", OrderState::parse)?,
            given_back: columns.fen("given_back_fen")?,
        })
    }

    /// Prints it as one line of the payments' file, with its end.
    pub fn to_line(&self) -> String {
        LineWriter::default()
            .text(&self.out_trade_no)
            .text(&self.transaction_id)
            .fen(self.issued)
            .optional_text(self.taken.map(|taken| taken.taken_as.as_str()))
            .fen(self.taken.map(|taken| taken.amount))
            .fen(self.fact.map(|fact| fact.amount))
            .fen(self.fact.map(|fact| fact.payer))
            .flag(self.fact.map(|fact| fact.ripe))
            .date(Some(self.paid_date))
            .date(self.billed_on)
            .fen(self.billed)
            .moved(self.moved_on, self.moved)
            .text(self.order.as_str())
            .fen(Some(self.given_back))
            .finish()
    }
}
