//! What our processes write about charges, and what the provider does with what reaches it.

use order_svc::domain::payment::Payment;

use crate::{
    actions::Outcome,
    books::{NOW, Wrong},
    config::{Config, Fault},
    world::{Attempt, AttemptState, Desk, Prepaid, Reversal, Reverses, There, World},
};

impl World {
    /// What a charge was answered with is recorded.
    pub(crate) fn record_charged(&mut self, config: &Config, n: u8, answer: Prepaid) -> Result<(), Wrong> {
        match answer {
            Prepaid::Accepted => self.accepted(n),
            Prepaid::Paid => self.settle(config, n, false),
            // The code is not kept, so what was only postponed is over, too.
            Prepaid::Refused | Prepaid::NotDone => self.decide(config, n, Payment::refused),
            Prepaid::AlreadyClosed => self.decide(config, n, Payment::closed),
            Prepaid::AlreadyPaid => Ok(()),
        }
    }

    /// A charge reaches the provider: the payer pays at once, or enters a password, or cannot pay.
    pub(crate) fn charge_arrives(&mut self, n: u8, outcome: Outcome) -> Prepaid {
        let attempt = self.attempt_mut(n);
        if attempt.there == There::Unknown && matches!(outcome, Outcome::Done | Outcome::Raced) {
            attempt.late_prepay = false;
            attempt.there = There::Open;
        }
        match (attempt.there, outcome) {
            (There::Unknown, Outcome::NotDone) => Prepaid::NotDone,
            (There::Unknown, _) => Prepaid::Refused,
            (There::Open, Outcome::Raced) => {
                self.pays(n);
                Prepaid::Paid
            }
            (There::Open | There::Failing, _) => Prepaid::Accepted,
            (There::Paid, _) => Prepaid::AlreadyPaid,
            (There::Closed | There::Racing | There::Reversed, _) => Prepaid::AlreadyClosed,
        }
    }

    /// Whether the domain lets a reversal leave now.
    pub(crate) fn may_reverse(&self, n: u8) -> bool {
        self.read_payment_of_any_age(n).begin_reversing(*NOW)
    }

    /// As it is once the times have passed that the provider wants between a charge and its reversals. They are less than the
    /// minute that this model knows, so what is fresh may be reversed.
    fn read_payment_of_any_age(&self, n: u8) -> Payment {
        let mut aged = *self;
        let row = &mut aged.attempt_mut(n).row;
        row.fresh = false;
        if let Some(reversal) = &mut row.reversing {
            reversal.fresh = false;
        }
        aged.read_payment(n)
    }

    /// Writes that a reversal is about to leave, and sends it.
    pub(crate) fn begin_reversing(&mut self, config: &Config, n: u8) -> Result<(), Wrong> {
        if !config.has(Fault::ReversedBeforeMark) {
            self.mark_reversing(n)?;
        }
        self.begin(Desk::Reverse { n });
        Ok(())
    }

    fn mark_reversing(&mut self, n: u8) -> Result<(), Wrong> {
        let mut payment = self.read_payment_of_any_age(n);
        let is_first = payment.reversing.is_none();
        if !payment.begin_reversing(*NOW) {
            return Ok(());
        }
        for desk in self.desks.iter_mut().flatten() {
            if let Desk::Asked { n: about, quiet, .. } = desk
                && *about == n
            {
                *quiet = false; // The last reversal is younger than that question.
            }
        }
        self.desks.sort_unstable();
        let too_late = payment.is_too_late_to_reverse();
        self.attempt_mut(n).row.reversing = Some(Reversal { fresh: true, too_late });
        let mut order = self.read_order();
        if is_first {
            order.version += 1;
        }
        self.write_order(&mut order, is_first)
    }

    /// A reversal reaches the provider. What it answers when somebody still listens.
    pub(crate) fn reverse_arrives(&mut self, n: u8, outcome: Outcome) -> Reverses {
        let attempt = self.attempt_mut(n);
        if matches!(outcome, Outcome::NotDone | Outcome::Refused) {
            return Reverses::NotDone;
        }
        match attempt.there {
            // A week later it may say so of what it has taken back, too.
            There::Open | There::Failing | There::Paid | There::Reversed if attempt.old => return Reverses::TooLate,
            There::Open | There::Failing | There::Paid => {
                attempt.there = There::Reversed;
                attempt.late_reverse = false; // Whatever else of it arrives finds it so.
            }
            There::Unknown | There::Closed | There::Racing | There::Reversed => {}
        }
        Reverses::Done
    }

    /// What a reversal was answered with is recorded, and the provider is asked.
    pub(crate) fn record_reversed(&mut self, config: &Config, n: u8, answer: Reverses) -> Result<(), Wrong> {
        if config.has(Fault::ReversedBeforeMark) {
            self.mark_reversing(n)?;
        }
        match answer {
            Reverses::Done if config.has(Fault::ReversalIsBelieved) => {
                return self.decide(config, n, Payment::closed);
            }
            Reverses::TooLate => {
                let mut payment = self.read_payment(n);
                payment.too_late_to_reverse();
                let mut order = self.read_order();
                self.write_payment(n, &payment)?;
                self.write_order(&mut order, false)?;
            }
            Reverses::Done | Reverses::NotDone => {}
        }
        let sends = self.attempt(n).row.sends;
        self.ask(config, n, sends, false);
        Ok(())
    }

    /// A week passes in which nothing is sent: nobody enters a password for so long, and what was told is still told.
    pub(crate) fn after_a_week(&self, config: &Config) -> Self {
        let mut next = self.after_a_minute(config);
        for attempt in next.attempts.iter_mut().flatten().filter(|attempt| attempt.is_charge) {
            attempt.old = true;
            if attempt.there == There::Open {
                attempt.there = There::Failing;
            }
        }
        next
    }

    /// What we say of a charge is true at the provider, in every state: there is no race that a payer could win, because whoever is
    /// charged is asked about until there is an end. And there is no second charge, and nothing beside an undecided one.
    pub(crate) fn check_charges(&self) -> Result<(), Wrong> {
        for (n, Attempt { is_charge, row, there, .. }) in self.written() {
            if !is_charge {
                continue;
            }
            let ended = matches!(there, There::Unknown | There::Failing | There::Closed | There::Reversed);
            let is_true = match row.state {
                AttemptState::Created => true,
                AttemptState::Pending => there != There::Unknown,
                AttemptState::Kept | AttemptState::Surplus => there == There::Paid,
                AttemptState::Closed | AttemptState::Failed => ended,
            };
            if !is_true {
                return Err(format!("charge {n} is {:?} and at the provider {there:?}", row.state));
            }
            if 1 < row.sends {
                return Err(format!("charge {n} was sent {} times", row.sends));
            }
            if row.state.is_open() && self.written().any(|(later, _)| n < later) {
                return Err(format!("another attempt was started beside charge {n}"));
            }
        }
        Ok(())
    }
}
