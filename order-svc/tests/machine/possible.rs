//! What can happen next in a world.

use order_svc::domain::{
    charge::under_way,
    refund::{Cause, Missing, Step},
};

use crate::{
    actions::{
        Action::{
            self, Arrives, Ask, AskConsole, Attend, Close, CloseOrder, ConsoleGives, ConsoleMoves, Consume,
            DecideSurplus, Delete, Expire, Fact, GiveUp, LateClose, LatePrepay, LateRefund, LateReverse, Lost, Minute,
            Moves, Next, Overdue, Pay, PayAgain, PayerFails, PayerPays, Publish, Reverse, Through, Week, Wish,
        },
        Outcome,
    },
    books::NOW,
    config::{Config, Fault},
    world::{Desk, OrderState, PRICE, Place, RefundState, RefundThere, There, World},
};

impl World {
    /// What can happen next. With each whether it is what happens by itself once nothing goes wrong any more and nobody wants
    /// anything new: time passes, our jobs run, the provider answers, the bill comes. No callback is among them.
    pub(crate) fn next(&self, config: &Config) -> Vec<(Action, bool)> {
        let mut all = Vec::with_capacity(32);
        let free = self.busy().count() < config.desks;
        self.next_of_processes(config, &mut all);
        self.next_of_time(config, free, &mut all);
        self.next_of_attempts(config, free, &mut all);
        self.next_of_refunds(config, free, &mut all);
        if config.console {
            self.next_of_console(config, free, &mut all);
        }
        if config.relay {
            self.next_of_news(config, &mut all);
        }
        all
    }

    fn next_of_processes(&self, config: &Config, all: &mut Vec<(Action, bool)>) {
        for (at, desk) in self.busy() {
            match desk {
                Desk::Prepay { .. } | Desk::Refund { .. } => {
                    let answers = [Outcome::Done, Outcome::Refused, Outcome::NotDone];
                    all.extend(answers.map(|how| (Arrives(at, how), how == Outcome::Done)));
                    if matches!(desk, Desk::Prepay { n } if self.attempt(n).is_charge) {
                        all.push((Arrives(at, Outcome::Raced), false));
                    }
                    all.extend([(Overdue(at), false), (Lost(at), false)]);
                }
                Desk::Close { .. } => {
                    all.extend([(Arrives(at, Outcome::Done), true), (Arrives(at, Outcome::Raced), false)]);
                    all.extend([(Overdue(at), false), (Lost(at), false)]);
                }
                Desk::Reverse { .. } => {
                    all.extend([(Arrives(at, Outcome::Done), true), (Arrives(at, Outcome::NotDone), false)]);
                    all.extend([(Overdue(at), false), (Lost(at), false)]);
                }
                Desk::Prepaid { .. }
                | Desk::Reversal { .. }
                | Desk::Asked { .. }
                | Desk::Closed { .. }
                | Desk::Claim { .. }
                | Desk::Refunded { .. }
                | Desk::AskedConsole { .. } => {
                    all.extend([(Next(at), true), (Lost(at), false)]);
                }
                Desk::AskedRefund { r, said, .. } => {
                    let again = said == RefundThere::Unknown && self.missing(config, desk) == Missing::SendAgain;
                    let spent = again && config.refund_sends <= self.refund(r).row.sends;
                    if !spent {
                        all.push((Next(at), true));
                    }
                    all.push((Lost(at), spent));
                }
            }
        }
    }

    fn next_of_time(&self, config: &Config, free: bool, all: &mut Vec<(Action, bool)>) {
        let sending = |desk| {
            matches!(desk, Desk::Prepay { .. } | Desk::Close { .. } | Desk::Reverse { .. } | Desk::Refund { .. })
        };
        let waits = self.busy().any(|(_, desk)| sending(desk));
        if (!waits || config.has(Fault::PausedSender)) && self.after_a_minute(config) != *self {
            all.push((Minute, true));
        }
        if !waits && self.written().any(|(_, one)| one.is_charge && !one.old) {
            all.push((Week, false));
        }
        if self.order.state == OrderState::Pending {
            if !self.expired {
                all.push((Expire, true));
            }
            if !self.order.given_up {
                all.push((GiveUp, false));
            }
            if self.read_order().to_close(*NOW).is_some() && !self.written().any(|(_, one)| one.row.state.is_open()) {
                all.push((CloseOrder, true));
            }
            let beside = under_way(&self.read_payments()).is_none() || config.has(Fault::StartedBesideCharge);
            if free
                && self.written().count() < config.attempts.into()
                && self.read_order().payable(*NOW).is_ok()
                && beside
            {
                all.push((Pay, false));
            }
        }
    }

    fn next_of_attempts(&self, config: &Config, free: bool, all: &mut Vec<(Action, bool)>) {
        for (n, attempt) in self.written() {
            let ours = attempt.row.state;
            match attempt.there {
                There::Open => all.extend([(PayerPays(n), false), (PayerFails(n), false)]),
                // A charge that has failed is over; whoever is in a cashier tries again.
                There::Failing if attempt.is_charge => {}
                There::Failing | There::Racing => all.push((PayerPays(n), false)),
                // What was said before it was taken back may be heard after.
                There::Reversed if attempt.was_paid => all.push((Fact(n), false)),
                There::Unknown | There::Closed | There::Reversed => {}
                // The bill is what tells of money that nobody asks about any more.
                There::Paid => all.push((Fact(n), !ours.is_open() && !ours.has_money() && !config.has(Fault::NoBill))),
            }
            if attempt.late_prepay && attempt.there == There::Unknown {
                all.push((LatePrepay(n), false));
            }
            if attempt.late_reverse && !matches!(attempt.there, There::Unknown | There::Closed | There::Reversed) {
                all.push((LateReverse(n), false));
            }
            if attempt.late_close && matches!(attempt.there, There::Open | There::Failing) {
                all.extend([Outcome::Done, Outcome::Raced].map(|how| (LateClose(n, how), false)));
            }
            if free && ours.is_open() {
                all.push((Ask(n), true));
                let again = !attempt.is_charge || config.has(Fault::ChargeSentAgain);
                if again && attempt.row.sends < config.sends && self.read_order().payable(*NOW).is_ok() {
                    all.push((PayAgain(n), false));
                }
                // Whoever closes asks first; only what can be paid, or is not known there, is closed.
                let closes = !attempt.is_charge || config.has(Fault::ChargeIsClosed);
                if closes && self.is_to_close(n) && matches!(attempt.there, There::Unknown | There::Open) {
                    all.push((Close(n), true));
                }
                let reverses = !config.has(Fault::NobodyReverses) && !config.has(Fault::ChargeIsClosed);
                if reverses && self.may_reverse(n) {
                    // Whoever asks first leaves alone what is unknown there, settles what was paid, and ends what has ended.
                    let paid = attempt.there == There::Paid && attempt.row.reversing.is_some();
                    all.push((Reverse(n), paid || attempt.there == There::Open));
                }
            }
            let room = |world: &Self| world.is_held(config, n) || world.given().count() < config.refunds.into();
            if self.is_undecided(n) && room(self) && !config.has(Fault::SurplusIsForgotten) {
                all.push((DecideSurplus(n), true));
            }
            if ours.has_money() && self.may_wish(config) {
                let left = self.read_payment(n).left().get().max(i64::from(config.fault.is_some()));
                all.extend((1..=left).map(|amount| (Wish(n, amount), false)));
            }
        }
    }

    fn next_of_refunds(&self, config: &Config, free: bool, all: &mut Vec<(Action, bool)>) {
        for (r, refund) in self.given() {
            let gives_up = r < config.given_up;
            match refund.there {
                RefundThere::Processing | RefundThere::Bounced => {
                    all.push((Moves(r, RefundThere::Succeeded), true));
                    if gives_up {
                        all.push((Moves(r, RefundThere::Closed), false));
                    }
                    if refund.there == RefundThere::Processing {
                        all.push((Moves(r, RefundThere::Bounced), false));
                    }
                }
                RefundThere::Unknown | RefundThere::Succeeded | RefundThere::Closed => {}
            }
            if refund.late && refund.there == RefundThere::Unknown {
                all.push((LateRefund(r), false));
            }
            let step = self.refund_step(r);
            let turn = match step {
                Step::Send => refund.row.sends < config.refund_sends,
                Step::Ask => !config.has(Fault::NobodyAsksAboutRefunds),
                Step::Rest => false,
            };
            if free && turn {
                all.push((Attend(r), true));
            }
            if self.is_sent_through(config, r) {
                all.extend(
                    [Outcome::Done, Outcome::Refused, Outcome::NotDone]
                        .map(|how| (Through(r, how), how == Outcome::Done)),
                );
            }
        }
    }

    fn next_of_console(&self, config: &Config, free: bool, all: &mut Vec<(Action, bool)>) {
        let was_used = self.console.is_some() || self.given().any(|(_, one)| one.row.cause == Cause::External);
        if !was_used {
            for (n, attempt) in self.written().filter(|(_, attempt)| attempt.there == There::Paid) {
                // The provider watches the sum of what it gives back.
                let left = if attempt.row.state.has_money() { PRICE - i64::from(self.moved(n)) } else { 0 };
                all.extend((1..=left).map(|amount| (ConsoleGives(n, amount), false)));
            }
        }
        let Some(console) = self.console else { return };
        if matches!(console.there, RefundThere::Processing | RefundThere::Bounced) {
            all.extend([(ConsoleMoves(RefundThere::Succeeded), true), (ConsoleMoves(RefundThere::Closed), false)]);
            if console.there == RefundThere::Processing {
                all.push((ConsoleMoves(RefundThere::Bounced), false));
            }
        }
        if free && self.given().count() < config.refunds.into() {
            all.push((AskConsole, true));
        }
    }

    /// Whether a refund has had its share of sendings that may go wrong, and nobody is about it.
    fn is_sent_through(&self, config: &Config, r: u8) -> bool {
        let refund = self.refund(r);
        let about = |desk| {
            matches!(desk, Desk::Claim { r: about } | Desk::Refund { r: about, .. } | Desk::Refunded { r: about, .. }
                | Desk::AskedRefund { r: about, .. } if about == r)
        };
        let row = refund.row;
        let asked =
            Desk::AskedRefund { r, sends: row.sends, refused: row.refused, quiet: !row.fresh, said: refund.there };
        row.state == RefundState::Created
            && refund.there == RefundThere::Unknown
            && config.refund_sends <= row.sends
            && !self.busy().any(|(_, desk)| about(desk))
            && self.missing(config, asked) == Missing::SendAgain
    }

    fn next_of_news(&self, config: &Config, all: &mut Vec<(Action, bool)>) {
        for event in self.all_news() {
            let news = self.news(event);
            match news.place {
                Place::Nowhere => {}
                Place::Outbox if config.has(Fault::DeletedBeforePublished) => {
                    all.extend([(Delete(event), false), (Publish(event), true)]);
                }
                Place::Outbox => all.push((Publish(event), true)),
                Place::Both => all.extend([(Publish(event), false), (Delete(event), true), (Consume(event), true)]),
                Place::Stream => all.push((Consume(event), true)),
            }
        }
    }
}
