//! Payments by pay code and by face. They are charged once; nobody calls back; what the payer does not finish in time is taken
//! back at the provider (reversed), paid or not.
//!
//! From the moment that a reversal may be on its way, "paid" proves nothing: the reversal takes that money back. So its mark is
//! written before it leaves, and from then on only an end of the provider's ends the attempt.

use jiff::{SignedDuration, Timestamp};

use super::payment::{Method, Payment};

/// A charge is given to the gateway within this time of its writing, or never.
pub const LEAVES_WITHIN: SignedDuration = SignedDuration::from_secs(3);
/// It has left for the provider within this time of its writing, or never does: until it is given to the gateway, our wait for that
/// (9 s, with the one for a connection), and the time for which a gateway goes on that does not hear that we have given up (8 s).
pub const LEFT_WITHIN: SignedDuration = SignedDuration::from_secs(20);
/// The provider reverses only this long after the charge has reached it. Source: WeChat Pay v2 reference, micropay, flow, step 4.
const CHARGE_TO_REVERSAL: SignedDuration = SignedDuration::from_secs(15);
/// Between two reversals. Source: WeChat Pay v2 reference, micropay, flow, step 4.
const BETWEEN_REVERSALS: SignedDuration = SignedDuration::from_secs(5);
/// However many there were, the next one does not wait longer.
const BETWEEN_REVERSALS_AT_MOST: SignedDuration = SignedDuration::from_secs(60);

/// An attempt that is being taken back, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversing {
    /// Since when.
    pub since: Timestamp,
    /// How often the provider was asked to; at least once.
    pub sends: i32,
    /// When last.
    pub sent_at: Timestamp,
    /// The provider has said that it takes the attempt back no more. That stays so.
    pub too_late: bool,
}

impl Method {
    /// Whether it is charged at once, with a code that works once, instead of waiting for a payer who opens a cashier.
    pub fn is_charge(self) -> bool {
        match self {
            Method::PayCode | Method::Face | Method::Facepay => true,
            Method::MiniProgram | Method::Jsapi | Method::Native | Method::App | Method::H5 => false,
        }
    }
}

/// The charge of an order that is not decided yet, if there is one. Nothing else is started beside it.
pub fn under_way(payments: &[Payment]) -> Option<&Payment> {
    payments.iter().find(|payment| payment.method.is_charge() && payment.state.is_open())
}

impl Payment {
    /// How often the provider was asked to take it back.
    pub fn reverses(&self) -> i32 {
        self.reversing.map_or(0, |reversing| reversing.sends)
    }

    /// Whether the provider has said that it takes the attempt back no more.
    pub fn is_too_late_to_reverse(&self) -> bool {
        self.reversing.is_some_and(|reversing| reversing.too_late)
    }

    /// Before this the next reversal must not leave.
    pub fn reversible_from(&self) -> Timestamp {
        let (from, wait) = match self.reversing {
            None => (self.create_time, LEFT_WITHIN + CHARGE_TO_REVERSAL),
            Some(reversing) => (reversing.sent_at, between(reversing.sends)),
        };
        from.checked_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// One more reversal is about to leave. False when none may: the attempt is decided, was no charge, or it is too early or too
    /// late. Written before it is sent.
    pub fn begin_reversing(&mut self, now: Timestamp) -> bool {
        let may = self.method.is_charge()
            && self.state.is_open()
            && !self.disputed
            && !self.is_too_late_to_reverse()
            && self.reversible_from() <= now;
        if may {
            let since = self.reversing.map_or(now, |reversing| reversing.since);
            let sends = self.reverses().saturating_add(1);
            self.reversing = Some(Reversing { since, sends, sent_at: now, too_late: false });
        }
        may
    }

    /// The provider takes the attempt back no more. Only a reversal can be told so.
    pub fn too_late_to_reverse(&mut self) -> bool {
        match &mut self.reversing {
            Some(reversing) if !reversing.too_late => {
                reversing.too_late = true;
                true
            }
            Some(_) | None => false,
        }
    }

    /// The provider, asked when its charge and all its reversals were long enough ago, knew no such number. That ends the
    /// attempt when there was no other reversal since, which `reverses` tells.
    pub fn never_charged(&mut self, reverses: i32) -> bool {
        self.method.is_charge() && self.reverses() == reverses && self.closed()
    }
}

/// How long after so many reversals the next one may leave.
fn between(sends: i32) -> SignedDuration {
    let doublings = u32::try_from(sends.saturating_sub(1)).unwrap_or(0).min(8);
    (BETWEEN_REVERSALS * 2_i32.pow(doublings)).min(BETWEEN_REVERSALS_AT_MOST)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Reversing, between, under_way};
    use crate::domain::{
        payment::{Method, Payment, State},
        settle::{Mismatch, Settled, samples, settle},
    };

    fn charge() -> Payment {
        Payment { method: Method::PayCode, ..samples::pending(1).1.remove(0) }
    }

    #[test]
    fn a_charge_is_reversed_15_seconds_after_it_can_have_left_and_not_before() {
        let mut payment = charge();
        let first = payment.create_time + SignedDuration::from_secs(20 + 15);
        assert!(!payment.begin_reversing(first - SignedDuration::from_millis(1)));
        assert_eq!(payment.reversing, None);
        assert!(payment.begin_reversing(first));
        assert_eq!(payment.reversing, Some(Reversing { since: first, sends: 1, sent_at: first, too_late: false }));
    }

    #[test]
    fn reversals_are_5_seconds_apart_and_then_up_to_a_minute() {
        assert_eq!([1, 2, 3, 4, 5, 100, i32::MAX].map(|sends| between(sends).as_secs()), [5, 10, 20, 40, 60, 60, 60]);
        let mut payment = charge();
        let first = payment.reversible_from();
        assert!(payment.begin_reversing(first));
        assert!(!payment.begin_reversing(first + SignedDuration::from_secs(4)));
        assert!(payment.begin_reversing(first + SignedDuration::from_secs(5)));
        assert_eq!((payment.reverses(), payment.reversing.map(|reversing| reversing.since)), (2, Some(first)));
    }

    #[test]
    fn only_an_open_undisputed_charge_is_reversed_and_only_while_it_is_not_too_late() {
        let late = charge().create_time + SignedDuration::from_hours(1);
        for state in [State::Closed, State::Failed, samples::succeeded("42", false)] {
            assert!(!Payment { state, ..charge() }.begin_reversing(late));
        }
        for method in Method::ALL.into_iter().filter(|method| !method.is_charge()) {
            assert!(!Payment { method, ..charge() }.begin_reversing(late), "{method:?}");
        }
        assert!(!Payment { disputed: true, ..charge() }.begin_reversing(late));
        let mut payment = charge();
        assert!(!payment.too_late_to_reverse(), "nobody has asked for it");
        assert!(payment.begin_reversing(late) && payment.too_late_to_reverse() && !payment.too_late_to_reverse());
        assert!(!payment.begin_reversing(late + SignedDuration::from_hours(1)));
    }

    #[test]
    fn what_is_being_reversed_is_not_paid_until_it_is_too_late_to_reverse_and_the_provider_is_asked_again() {
        let (mut order, _) = samples::pending(0);
        let mut payment = charge();
        let at = payment.reversible_from();
        assert!(payment.begin_reversing(at));
        let before = (order.clone(), payment.clone());
        let paid = samples::paid("42");
        let asked_after = super::super::settle::Paid { asked_too_late: true, ..paid.clone() };
        for paid in [&paid, &asked_after] {
            assert_eq!(settle(&mut order, &mut payment, paid), Ok(Settled::Reversing));
        }
        assert_eq!((&order, &payment), (&before.0, &before.1));
        assert!(payment.too_late_to_reverse());
        assert_eq!(settle(&mut order, &mut payment, &paid), Ok(Settled::Reversing), "it may have been said before");
        assert_eq!(settle(&mut order, &mut payment, &asked_after), Ok(Settled::Kept));
        assert_eq!(settle(&mut order, &mut payment, &paid), Ok(Settled::Unchanged));
    }

    #[test]
    fn a_payment_of_what_was_taken_back_and_has_ended_pays_nothing_and_is_never_shrugged_off() {
        let ends: [fn(&mut Payment) -> bool; 3] =
            [Payment::closed, Payment::failed, |payment| payment.never_charged(payment.reverses())];
        for end in ends {
            for too_late in [false, true] {
                let (mut order, _) = samples::pending(0);
                let mut payment = charge();
                let at = payment.reversible_from();
                assert!(
                    payment.begin_reversing(at) && (!too_late || payment.too_late_to_reverse()) && end(&mut payment)
                );
                let before = (order.clone(), payment.clone());
                assert_eq!(settle(&mut order, &mut payment, &samples::paid("42")), Err(Mismatch::TakenBack));
                assert_eq!((order, payment), before);
            }
        }
    }

    #[test]
    fn what_was_paid_although_it_could_no_longer_be_taken_back_is_money_whatever_was_said_before() {
        let (mut order, _) = samples::pending(0);
        let mut payment = charge();
        let at = payment.reversible_from();
        assert!(payment.begin_reversing(at) && payment.too_late_to_reverse() && payment.closed());
        let paid = super::super::settle::Paid { asked_too_late: true, ..samples::paid("42") };
        assert_eq!(settle(&mut order, &mut payment, &paid), Ok(Settled::Kept));
    }

    #[test]
    fn a_refusal_ends_no_attempt_that_is_being_reversed() {
        let mut payment = Payment { state: State::Created, ..charge() };
        let at = payment.reversible_from();
        assert!(payment.begin_reversing(at) && !payment.refused());
        assert!(Payment { state: State::Created, ..charge() }.refused());
    }

    #[test]
    fn an_unknown_number_ends_a_charge_unless_it_was_reversed_since_the_question() {
        let mut payment = charge();
        let at = payment.reversible_from();
        assert!(payment.begin_reversing(at));
        assert!(!payment.never_charged(0));
        assert!(payment.never_charged(1));
        assert_eq!(payment.state, State::Closed);
        assert!(!samples::pending(1).1[0].never_charged(0), "whoever opens a cashier was not charged");
    }

    #[test]
    fn nothing_is_started_beside_a_charge_that_is_not_decided() {
        let (_, mut payments) = samples::pending(2);
        assert!(under_way(&payments).is_none());
        payments[1].method = Method::Face;
        assert_eq!(under_way(&payments).map(|payment| payment.id), Some(payments[1].id));
        payments[1].state = State::Failed;
        assert!(under_way(&payments).is_none());
    }
}
