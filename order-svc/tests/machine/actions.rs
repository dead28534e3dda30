//! Everything that can happen, and what it does.
//!
//! Each durable step is an action of its own, and so is everything between two of them. A crash is no action: it is every desk
//! dropped, one after the other, which loses what processes know and nothing that is committed.

use order_svc::domain::refund::{Cause, Step};

use crate::{
    books::Wrong,
    config::{Config, Fault},
    telling::Event,
    world::{Desk, Prepaid, RefundThere, There, World},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// `PayOrder` writes another attempt and sends it.
    Pay,
    /// `PayOrder` with the same request id sends an attempt again.
    PayAgain(u8),
    GiveUp,
    /// The order's time is over.
    Expire,
    /// A minute passes in which nothing is sent. What is still on its way after it never arrives.
    Minute,
    /// A week passes, after which the provider reverses nothing that is older.
    Week,
    /// The job that closes orders whose attempts are all final.
    CloseOrder,
    /// `CreateRefund`: so much of an attempt.
    Wish(u8, i64),

    PayerPays(u8),
    PayerFails(u8),
    /// A verified callback, an answer, or at last the bill tells that an attempt was paid. Any number of times.
    Fact(u8),
    /// The provider moves a refund that it has.
    Moves(u8, RefundThere),

    /// What a process has sent arrives, and the answer comes back to it.
    Arrives(u8, Outcome),
    /// A process gives up waiting. What it has sent may still arrive.
    Overdue(u8),
    /// What a process has sent, or knows, is lost.
    Lost(u8),
    LatePrepay(u8),
    LateClose(u8, Outcome),
    LateReverse(u8),
    LateRefund(u8),
    /// A process does its next step: records an answer, or sends what it has claimed.
    Next(u8),

    /// Somebody asks about an attempt.
    Ask(u8),
    /// Somebody asks about an attempt and then closes it.
    Close(u8),
    /// Somebody has asked about a charge, and takes it back.
    Reverse(u8),
    /// A refund has its turn.
    Attend(u8),
    /// A refund has its turn, is sent, and the answer is recorded, without anything going wrong.
    Through(u8, Outcome),
    DecideSurplus(u8),

    /// Somebody gives so much of an attempt back in the provider's console.
    ConsoleGives(u8, i64),
    /// The provider moves a refund of its console that we do not know of.
    ConsoleMoves(RefundThere),
    /// The bill tells of it, so the provider is asked about it.
    AskConsole,

    Publish(Event),
    Delete(Event),
    Consume(Event),
}

/// How the provider takes what reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// A definite no.
    Refused,
    /// Nothing was done, for now.
    NotDone,
    /// Done, but a payer is inside the cashier.
    Raced,
}

use Action::{
    Arrives, Ask, AskConsole, Attend, Close, CloseOrder, ConsoleGives, ConsoleMoves, Consume, DecideSurplus, Delete,
    Expire, Fact, GiveUp, LateClose, LatePrepay, LateRefund, LateReverse, Lost, Minute, Moves, Next, Overdue, Pay,
    PayAgain, PayerFails, PayerPays, Publish, Reverse, Through, Week, Wish,
};

impl World {
    /// The world after `action`.
    ///
    /// # Errors
    /// What went wrong on the way, when something did that no state can show.
    pub(crate) fn after(&self, config: &Config, action: Action) -> Result<Self, Wrong> {
        let mut next = *self;
        next.does(config, action)?;
        Ok(next)
    }

    fn does(&mut self, config: &Config, action: Action) -> Result<(), Wrong> {
        match action {
            Pay => self.write_attempt(config, u8::try_from(self.written().count()).expect("attempts are few"))?,
            PayAgain(n) => self.send_again(n),
            GiveUp => self.give_up(config)?,
            Expire => self.expired = true,
            Minute => *self = self.after_a_minute(config),
            Week => *self = self.after_a_week(config),
            CloseOrder => self.close_order(config)?,
            Wish(n, amount) => {
                self.write_refund_of(config, n, amount, Cause::Requested)?;
            }
            PayerPays(n) => self.pays(n),
            PayerFails(n) => self.attempt_mut(n).there = There::Failing,
            Fact(n) => self.settle(config, n, false)?,
            Moves(r, there) => self.refund_mut(r).there = there,
            Arrives(at, outcome) => self.arrives(at, outcome),
            Overdue(at) => self.overdue(config, at)?,
            Lost(at) => {
                self.take(at);
            }
            LatePrepay(n) => {
                self.prepay_arrives(n, Outcome::Done);
            }
            LateClose(n, outcome) => self.close_arrives(n, outcome),
            LateReverse(n) => {
                self.reverse_arrives(n, Outcome::Done);
            }
            LateRefund(r) => {
                self.refund_arrives(r, Outcome::Done);
            }
            Next(at) => self.next_step(config, at)?,
            Ask(n) => {
                let sends = self.attempt(n).row.sends;
                self.ask(config, n, sends, false);
            }
            Close(n) => {
                let sends = self.attempt(n).row.sends;
                self.begin(Desk::Close { n, sends });
            }
            Reverse(n) => self.begin_reversing(config, n)?,
            Attend(r) => match self.refund_step(r) {
                Step::Send => self.begin(Desk::Claim { r }),
                Step::Ask => self.ask_refund(config, r)?,
                Step::Rest => {}
            },
            Through(r, outcome) => {
                self.begin_sending(r);
                let answer = self.refund_arrives(r, outcome);
                self.record_refunded(config, r, self.refund(r).row.sends, answer)?;
            }
            DecideSurplus(n) => self.decide_surplus(config, n)?,
            ConsoleGives(n, amount) => self.console_gives(n, amount),
            ConsoleMoves(there) => self.console_moves(there),
            AskConsole => self.ask_console(),
            Publish(event) => self.publish(event),
            Delete(event) => self.delete(event),
            Consume(event) => self.consume(config, event),
        }
        Ok(())
    }

    pub(crate) fn after_a_minute(&self, config: &Config) -> Self {
        let mut next = *self;
        for attempt in next.attempts.iter_mut().flatten() {
            (attempt.row.fresh, attempt.late_prepay, attempt.late_close) = (false, false, false);
            attempt.late_reverse = false;
            if let Some(reversal) = &mut attempt.row.reversing {
                reversal.fresh = false;
            }
        }
        for refund in next.refunds.iter_mut().flatten() {
            (refund.row.fresh, refund.late) = (false, false);
        }
        if config.has(Fault::JudgedWhenAnswered) {
            for desk in next.desks.iter_mut().flatten() {
                if let Desk::Asked { quiet, .. } | Desk::AskedRefund { quiet, .. } = desk {
                    *quiet = true;
                }
            }
            next.desks.sort_unstable();
        }
        next
    }

    fn arrives(&mut self, at: u8, outcome: Outcome) {
        let desk = match self.take(at) {
            Desk::Prepay { n } => Desk::Prepaid { n, answer: self.prepay_arrives(n, outcome) },
            Desk::Close { n, sends } => {
                self.close_arrives(n, outcome);
                Desk::Closed { n, sends }
            }
            Desk::Reverse { n } => Desk::Reversal { n, answer: self.reverse_arrives(n, outcome) },
            Desk::Refund { r, sends } => Desk::Refunded { r, sends, answer: self.refund_arrives(r, outcome) },
            desk => desk,
        };
        // An answer that changes nothing is not worth a step of its own.
        if !matches!(desk, Desk::Prepaid { answer: Prepaid::AlreadyPaid, .. }) {
            self.begin(desk);
        }
    }

    fn overdue(&mut self, config: &Config, at: u8) -> Result<(), Wrong> {
        match self.take(at) {
            Desk::Prepay { n } => {
                let attempt = self.attempt_mut(n);
                attempt.late_prepay = attempt.there == There::Unknown;
            }
            Desk::Close { n, .. } => {
                let attempt = self.attempt_mut(n);
                attempt.late_close = matches!(attempt.there, There::Unknown | There::Open | There::Failing);
            }
            Desk::Reverse { n } => {
                let attempt = self.attempt_mut(n);
                attempt.late_reverse = !matches!(attempt.there, There::Closed | There::Reversed);
            }
            Desk::Refund { r, .. } => {
                let refund = self.refund_mut(r);
                refund.late = refund.there == RefundThere::Unknown;
                self.hear_nothing(config, r)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn next_step(&mut self, config: &Config, at: u8) -> Result<(), Wrong> {
        let desk = self.take(at);
        match desk {
            Desk::Prepaid { n, answer } => self.record_prepaid(config, n, answer),
            Desk::Asked { .. } => self.record_asked(config, desk),
            Desk::Closed { n, sends } if config.has(Fault::CloseIsBelieved) => self.record_asked(
                config,
                Desk::Asked { n, sends, quiet: true, closing: true, said: There::Closed, too_late: false },
            ),
            Desk::Closed { n, sends } => {
                self.ask(config, n, sends, true);
                Ok(())
            }
            Desk::Reversal { n, answer } => self.record_reversed(config, n, answer),
            Desk::Claim { r } => {
                if self.refund(r).row.sends < config.refund_sends && self.begin_sending(r) {
                    let sends = self.refund(r).row.sends;
                    self.begin(Desk::Refund { r, sends });
                }
                Ok(())
            }
            Desk::Refunded { r, sends, answer } => self.record_refunded(config, r, sends, answer),
            Desk::AskedRefund { .. } => self.record_asked_refund(config, desk),
            Desk::AskedConsole { said } => self.record_console(config, said),
            Desk::Prepay { .. } | Desk::Close { .. } | Desk::Reverse { .. } | Desk::Refund { .. } => {
                Err("it waits for an answer".into())
            }
        }
    }
}
