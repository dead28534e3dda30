//! What our processes write about attempts, and what the provider does with what reaches it.

use order_svc::domain::{
    order::Order,
    payment::Payment,
    settle::{Mismatch, Paid, Settled, close, settle},
};

use crate::{
    actions::Outcome,
    books::{NOW, Wrong, evidence},
    config::{Config, Fault},
    telling::Event,
    world::{Attempt, AttemptRow, AttemptState, Desk, OrderState, Prepaid, There, World},
};

impl World {
    /// `PayOrder` writes an attempt and is about to send it.
    pub(crate) fn write_attempt(&mut self, config: &Config, n: u8) -> Result<(), Wrong> {
        let mut order = self.read_order();
        let row = AttemptRow {
            state: AttemptState::Created,
            sends: 1,
            fresh: true,
            refunded: 0,
            refunding: 0,
            held: false,
            reversing: None,
        };
        self.attempts[usize::from(n)] = Some(Attempt {
            is_charge: config.is_charge(n),
            row,
            there: There::Unknown,
            late_prepay: false,
            late_close: false,
            late_reverse: false,
            was_paid: false,
            old: false,
        });
        order.version += 1;
        self.write_order(&mut order, true)?;
        self.begin(Desk::Prepay { n });
        Ok(())
    }

    /// `PayOrder` with the same request id sends the same attempt again.
    pub(crate) fn send_again(&mut self, n: u8) {
        let row = &mut self.attempt_mut(n).row;
        row.sends += 1;
        row.fresh = true;
        for desk in self.desks.iter_mut().flatten() {
            if let Desk::Asked { n: about, quiet, .. } = desk
                && *about == n
            {
                *quiet = false; // The last sending is younger than that question.
            }
        }
        self.begin(Desk::Prepay { n });
    }

    /// The team gives the order up.
    pub(crate) fn give_up(&mut self, config: &Config) -> Result<(), Wrong> {
        let mut order = self.read_order();
        order.close_requested_at = Some(*NOW);
        order.version += 1;
        self.write_order(&mut order, false)?;
        self.close_order(config)
    }

    /// Whoever has the order locked closes it when nobody can pay it any more.
    pub(crate) fn close_order(&mut self, config: &Config) -> Result<(), Wrong> {
        let mut order = self.read_order();
        let closed = close(&mut order, &self.read_payments(), *NOW);
        self.write_order(&mut order, false)?;
        if closed.is_some() {
            self.tell(config, Event::Closed)?;
        }
        Ok(())
    }

    /// A paid fact is applied: from a callback, from an answer or from the bill.
    pub(crate) fn settle(&mut self, config: &Config, n: u8, asked_too_late: bool) -> Result<(), Wrong> {
        let (mut order, mut payment) = (self.read_order(), self.read_payment(n));
        let before = order.clone();
        let reversing = payment.reversing;
        if config.has(Fault::PaidWhileReversing) {
            payment.reversing = None;
        }
        let asked_too_late = asked_too_late || config.has(Fault::SaidBeforeTooLate);
        if config.has(Fault::SecondPaymentIsKept) && matches!(self.order.state, OrderState::Paid(..)) {
            order.state = order_svc::domain::order::State::Pending;
        }
        let settled = settle(&mut order, &mut payment, &Paid { asked_too_late, ..evidence(n) });
        payment.reversing = reversing;
        let settled = match settled {
            // A dead letter: nothing changes, and a person reads it.
            Err(Mismatch::TakenBack) if !payment.state.is_open() => Settled::Unchanged,
            settled => settled.map_err(|mismatch| mismatch.to_string())?,
        };
        match settled {
            Settled::Reversing if !payment.state.is_open() => {
                return Err("a payment of an attempt that has ended was shrugged off".into());
            }
            Settled::Unchanged | Settled::Reversing => {
                let same = config.fault.is_some() || (&order, &payment) == (&before, &self.read_payment(n));
                return if same { Ok(()) } else { Err("the same fact changed something".into()) };
            }
            Settled::Kept => self.tell(config, Event::Paid).or_else(|twice| tolerate(config, twice))?,
            Settled::Surplus => self.tell(config, Event::Surplus(n))?,
        }
        self.write_payment(n, &payment)?;
        self.write_order(&mut order, true)
    }

    /// One transaction about one attempt, as `life::decide` makes it.
    pub(crate) fn decide(
        &mut self,
        config: &Config,
        n: u8,
        word: impl FnOnce(&mut Payment) -> bool,
    ) -> Result<(), Wrong> {
        let mut order: Order = self.read_order();
        let mut payment = self.read_payment(n);
        let took = word(&mut payment);
        if took {
            self.write_payment(n, &payment)?;
            order.version += 1;
            if !config.has(Fault::TwoVersionsAtOnce) {
                self.write_order(&mut order, true)?;
            }
        }
        let closed = close(&mut order, &self.read_payments(), *NOW);
        if closed.is_some() {
            self.tell(config, Event::Closed)?;
        }
        self.write_order(&mut order, took && config.has(Fault::TwoVersionsAtOnce))
    }

    /// The answer to a prepay is yes.
    pub(crate) fn accepted(&mut self, n: u8) -> Result<(), Wrong> {
        let (mut order, mut payment) = (self.read_order(), self.read_payment(n));
        if payment.accepted() {
            self.write_payment(n, &payment)?;
            order.version += 1;
            self.write_order(&mut order, true)?;
        }
        Ok(())
    }

    /// What a prepay was answered with is recorded.
    pub(crate) fn record_prepaid(&mut self, config: &Config, n: u8, answer: Prepaid) -> Result<(), Wrong> {
        if self.attempt(n).is_charge {
            return self.record_charged(config, n, answer);
        }
        match answer {
            Prepaid::Accepted => self.accepted(n),
            Prepaid::Refused => self.decide(config, n, |payment| {
                let sends = payment.sends;
                if config.has(Fault::RefusedPrepayEnds) {
                    payment.sends = 1;
                }
                let changes = payment.refused();
                payment.sends = sends;
                changes
            }),
            Prepaid::NotDone => {
                let row = &mut self.attempt_mut(n).row;
                row.sends = row.sends.saturating_sub(1);
                Ok(())
            }
            Prepaid::AlreadyClosed => self.decide(config, n, Payment::closed),
            Prepaid::AlreadyPaid | Prepaid::Paid => Ok(()), // Only a question tells how.
        }
    }

    /// What the provider has said about an attempt is recorded.
    pub(crate) fn record_asked(&mut self, config: &Config, asked: Desk) -> Result<(), Wrong> {
        let Desk::Asked { n, sends, quiet, closing, said, too_late } = asked else {
            return Err("not an answer".into());
        };
        match said {
            There::Paid => self.settle(config, n, too_late),
            There::Open => self.decide(config, n, Payment::accepted),
            There::Failing => self.decide(config, n, Payment::failed),
            There::Closed | There::Racing | There::Reversed => self.decide(config, n, Payment::closed),
            There::Unknown => {
                let row = self.attempt(n).row;
                let quiet = row.sends == sends && quiet && !row.fresh;
                let never = quiet || config.has(Fault::AttemptNeverArrivedAtOnce);
                if self.attempt(n).is_charge {
                    // A reversal since the question has made it loud.
                    return self.decide(config, n, |payment| never && payment.never_charged(payment.reverses()));
                }
                self.decide(config, n, |payment| never && if closing { payment.closed() } else { payment.failed() })
            }
        }
    }

    /// The answer to a question about an attempt, when it may change anything.
    pub(crate) fn ask(&mut self, config: &Config, n: u8, sends: u8, closing: bool) {
        let Attempt { row, there, .. } = self.attempt(n);
        let quiet = !row.fresh && row.sends == sends && !row.reversing.is_some_and(|reversal| reversal.fresh);
        let too_late = row.reversing.is_some_and(|reversal| reversal.too_late);
        let matters = match there {
            There::Open => row.state == AttemptState::Created,
            There::Unknown => {
                let early = config.has(Fault::AttemptNeverArrivedAtOnce) || config.has(Fault::JudgedWhenAnswered);
                row.state.is_open() && (quiet || early)
            }
            There::Failing | There::Closed | There::Racing | There::Reversed => row.state.is_open(),
            There::Paid => {
                // What is taken back is no payment, whatever is said of it.
                let early = config.has(Fault::PaidWhileReversing) || config.has(Fault::SaidBeforeTooLate);
                let believed = row.reversing.is_none() || too_late || early;
                !row.state.has_money() && believed
            }
        };
        if matters {
            let said = if there == There::Racing { There::Closed } else { there };
            self.begin(Desk::Asked { n, sends, quiet, closing, said, too_late });
        }
    }

    /// Whether somebody is to close an open attempt at the provider.
    pub(crate) fn is_to_close(&self, n: u8) -> bool {
        let another = self.written().any(|(later, _)| n < later);
        another || self.order.state != OrderState::Pending || self.read_order().to_close(*NOW).is_some()
    }

    /// A prepay reaches the provider. What it answers when somebody still listens.
    pub(crate) fn prepay_arrives(&mut self, n: u8, outcome: Outcome) -> Prepaid {
        if self.attempt(n).is_charge {
            return self.charge_arrives(n, outcome);
        }
        let attempt = self.attempt_mut(n);
        match (attempt.there, outcome) {
            (There::Unknown | There::Open, Outcome::Refused) => Prepaid::Refused,
            (_, Outcome::NotDone) => Prepaid::NotDone,
            (There::Unknown, _) => {
                attempt.there = There::Open;
                attempt.late_prepay = false; // Whatever else of it arrives finds it there.
                Prepaid::Accepted
            }
            (There::Open | There::Failing, _) => Prepaid::Accepted,
            (There::Closed | There::Racing | There::Reversed, _) => Prepaid::AlreadyClosed,
            (There::Paid, _) => Prepaid::AlreadyPaid,
        }
    }

    /// A close reaches the provider, which says yes to numbers that it never saw.
    pub(crate) fn close_arrives(&mut self, n: u8, outcome: Outcome) {
        let attempt = self.attempt_mut(n);
        // A charge is never closed, only reversed.
        if matches!(attempt.there, There::Open | There::Failing) && !attempt.is_charge {
            attempt.there = if outcome == Outcome::Raced { There::Racing } else { There::Closed };
            attempt.late_close = false;
        }
    }

    /// The payer pays.
    pub(crate) fn pays(&mut self, n: u8) {
        let attempt = self.attempt_mut(n);
        attempt.there = There::Paid;
        attempt.late_close = false;
        attempt.was_paid = attempt.is_charge;
    }
}

/// With two kept payments the second is told again; what is looked for is the payment.
fn tolerate(config: &Config, twice: Wrong) -> Result<(), Wrong> {
    if config.has(Fault::SecondPaymentIsKept) { Ok(()) } else { Err(twice) }
}
