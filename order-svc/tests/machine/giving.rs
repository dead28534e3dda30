//! What our processes write about refunds, and what the provider does with what reaches it.

use jiff::SignedDuration;
use money::Fen;
use order_svc::domain::{
    payment,
    refund::{Cause, Missing, State, Step},
    refunding::{Found, Heard, Wish, Word, hear, import, is_hopeless, reserve},
};

use crate::{
    actions::Outcome,
    books::{NOW, Wrong, ago, provider_refund_id, refund_id},
    config::{Config, Fault},
    telling::Event,
    world::{Console, Desk, Giving, PRICE, RefundRow, RefundState, RefundThere, Refunds, World},
};

impl World {
    /// Writes a refund, when the domain lets it. True when it did.
    pub(crate) fn write_refund_of(&mut self, config: &Config, n: u8, amount: i64, cause: Cause) -> Result<bool, Wrong> {
        let r = u8::try_from(self.given().count()).expect("refunds are few");
        let (mut order, mut payment) = (self.read_order(), self.read_payment(n));
        let known = self.given().filter(|(_, refund)| refund.row.of == n).count();
        let reserved = payment.refunding;
        if config.has(Fault::ReservedIsForgotten) {
            payment.refunding = Fen::ZERO;
        }
        let wish = Wish { id: refund_id(r), amount: Fen::new(amount), cause, reason: String::new(), goods: Vec::new() };
        let Ok(refund) = reserve(&mut order, &mut payment, known, wish, *NOW) else { return Ok(false) };
        if config.has(Fault::ReservedIsForgotten) {
            payment.refunding = payment.refunding.checked_add(reserved).expect("sums are small");
        }
        let row = RefundRow {
            of: n,
            amount: u8::try_from(amount).expect("amounts are small"),
            cause,
            state: RefundState::Created,
            sends: 0,
            refused: None,
            fresh: false,
        };
        self.refunds[usize::from(r)] = Some(Giving { row, there: RefundThere::Unknown, late: false });
        if self.read_refund(r) != refund {
            return Err(format!("the model does not keep what the domain has written: {refund:?}"));
        }
        self.write_payment(n, &payment)?;
        self.write_order(&mut order, true)?;
        Ok(true)
    }

    /// Whether somebody is to decide about a surplus payment: the query that finds them.
    pub(crate) fn is_undecided(&self, n: u8) -> bool {
        let payment = self.read_payment(n);
        matches!(payment.state, payment::State::Succeeded { surplus: true, .. })
            && !self.attempt(n).row.held
            && payment.refunded.checked_add(payment.refunding).is_some_and(|sum| sum < payment.amount)
    }

    /// Whether the surplus of this attempt must wait for a person: by the merchant's policy, or because nothing helps.
    pub(crate) fn is_held(&self, config: &Config, n: u8) -> bool {
        let before = self.given().filter(|(_, refund)| refund.row.of == n);
        config.hold || is_hopeless(before.map(|(r, refund)| (Some(refund.row.cause), self.read_refund(r).state.word())))
    }

    /// A surplus goes back, or waits for a person.
    pub(crate) fn decide_surplus(&mut self, config: &Config, n: u8) -> Result<(), Wrong> {
        let left = self.read_payment(n).left();
        let refund = !self.is_held(config, n) && left.is_positive();
        if !(refund && self.write_refund_of(config, n, left.get(), Cause::Surplus)?) {
            self.attempt_mut(n).row.held = true;
        }
        Ok(())
    }

    /// Writes that a sending begins, and sends. False when the refund is no longer to be sent.
    pub(crate) fn begin_sending(&mut self, r: u8) -> bool {
        let row = &mut self.refund_mut(r).row;
        if row.state != RefundState::Created {
            return false;
        }
        row.sends += 1;
        row.fresh = true;
        true
    }

    /// The provider's word is recorded.
    pub(crate) fn hear(&mut self, config: &Config, r: u8, word: &Word) -> Result<(), Wrong> {
        let mut refund = self.read_refund(r);
        let n = self.refund(r).row.of;
        let (mut order, mut payment) = (self.read_order(), self.read_payment(n));
        let sends = refund.sends;
        if matches!(word, Word::Refused { .. }) && config.has(Fault::RefusedRefundEnds) {
            refund.sends = 1;
        }
        let heard = hear(&mut order, &mut payment, &mut refund, word);
        refund.sends = sends;
        match heard {
            // An answer that was overtaken may alarm a person for nothing. What is still so must not.
            Heard::Contradiction if self.is_still_so(r, word) => {
                return Err(format!("{word:?} contradicts refund {r}"));
            }
            Heard::Unchanged | Heard::Contradiction => return Ok(()),
            Heard::Refunded => self.tell(config, Event::Refunded(r))?,
            Heard::Noted | Heard::Failed => {}
        }
        let shows = self.read_refund(r).state.word() != refund.state.word();
        // What it waits for is a version, too, and the rows of this model do not keep it.
        let waits = matches!(refund.state, State::Created { .. });
        if waits {
            order.version = 1;
        }
        self.write_payment(n, &payment)?;
        self.write_refund(r, &refund)?;
        self.write_order(&mut order, shows)?;
        if config.has(Fault::BouncedIsFree) && matches!(word, Word::Bounced { .. }) {
            let amount = self.refund(r).row.amount;
            self.attempt_mut(n).row.refunding -= amount;
        }
        Ok(())
    }

    fn is_still_so(&self, r: u8, word: &Word) -> bool {
        match (word, self.refund(r).there) {
            (Word::Bounced { .. }, there) => there == RefundThere::Bounced,
            (Word::Succeeded { .. }, there) => there == RefundThere::Succeeded,
            (Word::Closed { .. }, there) => there == RefundThere::Closed,
            (Word::Accepted { .. } | Word::Refused { .. } | Word::NeverArrived { .. } | Word::Waits { .. }, _) => true,
        }
    }

    /// What a sending was answered with is recorded.
    pub(crate) fn record_refunded(&mut self, config: &Config, r: u8, sends: u8, answer: Refunds) -> Result<(), Wrong> {
        match answer {
            Refunds::Accepted => self.hear(config, r, &Word::Accepted { refund_id: provider_refund_id(r) }),
            Refunds::Refused => {
                let sends = if config.has(Fault::RefusedRefundEnds) { 1 } else { sends };
                self.hear(config, r, &Word::Refused { sends: sends.into(), code: "ERROR".into() })
            }
            Refunds::NotDone => {
                // That sending does not count; a later one does.
                let row = &mut self.refund_mut(r).row;
                if row.sends == sends {
                    row.sends -= 1;
                }
                Ok(())
            }
        }
    }

    /// A process whose sending has no answer gives up waiting.
    pub(crate) fn hear_nothing(&mut self, config: &Config, r: u8) -> Result<(), Wrong> {
        if config.has(Fault::SilenceIsRefusal) {
            return self.hear(config, r, &Word::Refused { sends: 1, code: "TIMEOUT".into() });
        }
        Ok(())
    }

    /// What a refund's turn begins with.
    pub(crate) fn refund_step(&self, r: u8) -> Step {
        self.read_refund(r).step()
    }

    /// What "no such refund" means to a refund as it was when the provider was asked.
    pub(crate) fn missing(&self, config: &Config, asked: Desk) -> Missing {
        let Desk::AskedRefund { r, sends, refused, quiet, .. } = asked else { return Missing::Contradiction };
        let mut refund = self.read_refund(r);
        refund.state = State::Created { waiting: None };
        (refund.sends, refund.refused_sends) = (sends.into(), refused.map(i32::from));
        refund.sent_at = Some(ago(!quiet));
        let early = config.has(Fault::RefundNeverArrivedAtOnce);
        refund.missing(if early { *NOW + SignedDuration::from_mins(1) } else { *NOW })
    }

    /// The answer to a question about a refund, when it may change anything.
    pub(crate) fn ask_refund(&mut self, config: &Config, r: u8) -> Result<(), Wrong> {
        let Giving { row, there, .. } = self.refund(r);
        let asked = Desk::AskedRefund { r, sends: row.sends, refused: row.refused, quiet: !row.fresh, said: there };
        let matters = match there {
            RefundThere::Unknown if row.state == RefundState::Created => {
                config.has(Fault::JudgedWhenAnswered) || self.missing(config, asked) != Missing::TooSoon
            }
            RefundThere::Unknown => return Err(format!("the provider knows nothing of refund {r}")),
            RefundThere::Processing => row.state == RefundState::Created,
            RefundThere::Bounced => row.state != RefundState::Abnormal,
            RefundThere::Succeeded | RefundThere::Closed => true,
        };
        if matters {
            self.begin(asked);
        }
        Ok(())
    }

    /// What the provider has said about a refund is recorded; or what is not there is sent again.
    pub(crate) fn record_asked_refund(&mut self, config: &Config, asked: Desk) -> Result<(), Wrong> {
        let Desk::AskedRefund { r, sends, said, .. } = asked else { return Err("not an answer".into()) };
        let refund_id = provider_refund_id(r);
        match said {
            RefundThere::Unknown => match self.missing(config, asked) {
                Missing::Rejected => self.hear(config, r, &Word::NeverArrived { sends: sends.into() }),
                Missing::SendAgain => {
                    if self.begin_sending(r) {
                        let sends = self.refund(r).row.sends;
                        self.begin(Desk::Refund { r, sends });
                    }
                    Ok(())
                }
                Missing::TooSoon => Ok(()),
                Missing::Contradiction => Err(format!("the provider knows nothing of refund {r}")),
            },
            RefundThere::Processing => self.hear(config, r, &Word::Accepted { refund_id }),
            RefundThere::Succeeded => self.hear(config, r, &Word::Succeeded { refund_id, at: *NOW }),
            RefundThere::Bounced => self.hear(config, r, &Word::Bounced { refund_id, code: "CHANGE".into() }),
            RefundThere::Closed => self.hear(config, r, &Word::Closed { refund_id, code: "REFUNDCLOSE".into() }),
        }
    }

    /// A sending reaches the provider, which does not look whether the money suffices: the sum is ours to watch. Only when its own
    /// console has given some of it, which we cannot know, it does.
    pub(crate) fn refund_arrives(&mut self, r: u8, outcome: Outcome) -> Refunds {
        let exceeds = self.exceeds(r);
        let refund = self.refund_mut(r);
        match outcome {
            Outcome::Refused => Refunds::Refused,
            Outcome::NotDone => Refunds::NotDone,
            Outcome::Done | Outcome::Raced if exceeds => Refunds::Refused,
            Outcome::Done | Outcome::Raced => {
                if refund.there == RefundThere::Unknown {
                    refund.there = RefundThere::Processing;
                }
                refund.late = false; // The same number again is the same refund.
                Refunds::Accepted
            }
        }
    }

    /// Whether the provider refuses a new refund, because its console has given the money.
    fn exceeds(&self, r: u8) -> bool {
        let Giving { row, there, .. } = self.refund(r);
        let console = self.console.is_some() || self.given().any(|(_, one)| one.row.cause == Cause::External);
        console && there == RefundThere::Unknown && PRICE < i64::from(self.moved(row.of) + row.amount)
    }

    /// Somebody gives money back in the provider's console.
    pub(crate) fn console_gives(&mut self, n: u8, amount: i64) {
        let amount = u8::try_from(amount).expect("amounts are small");
        self.console = Some(Console { of: n, amount, there: RefundThere::Processing });
    }

    pub(crate) fn console_moves(&mut self, there: RefundThere) {
        if let Some(console) = &mut self.console {
            console.there = there;
        }
    }

    /// A repair asks about it.
    pub(crate) fn ask_console(&mut self) {
        if let Some(Console { there, .. }) = self.console {
            self.begin(Desk::AskedConsole { said: there });
        }
    }

    /// What the provider has said about a refund of its console comes into the books, or is heard when another repair was faster.
    pub(crate) fn record_console(&mut self, config: &Config, said: RefundThere) -> Result<(), Wrong> {
        let known = self.given().find(|(_, refund)| refund.row.cause == Cause::External).map(|(r, _)| r);
        if let Some(r) = known {
            return self.hear_of_console(config, r, said);
        }
        let Some(Console { of: n, amount, there }) = self.console else { return Err("nothing was asked about".into()) };
        let r = u8::try_from(self.given().count()).expect("refunds are few");
        if usize::from(r) == usize::from(config.refunds) {
            return Ok(()); // There is no room for another row; the world stays small.
        }
        let (mut order, mut payment) = (self.read_order(), self.read_payment(n));
        let found = Found {
            id: refund_id(r),
            number: format!("console-{r}"),
            refund_id: provider_refund_id(r),
            amount: Fen::new(amount.into()),
        };
        // What does not fit waits for a person, or for a refund of ours to come to its end.
        let Ok(refund) = import(&mut order, &mut payment, found, *NOW) else { return Ok(()) };
        let row = RefundRow {
            of: n,
            amount,
            cause: Cause::External,
            state: RefundState::Created,
            sends: 0,
            refused: None,
            fresh: false,
        };
        self.refunds[usize::from(r)] = Some(Giving { row, there, late: false });
        self.console = None;
        if self.read_refund(r) != refund {
            return Err(format!("the model does not keep what the domain has written: {refund:?}"));
        }
        self.write_payment(n, &payment)?;
        self.write_order(&mut order, true)?;
        self.hear_of_console(config, r, said)
    }

    fn hear_of_console(&mut self, config: &Config, r: u8, said: RefundThere) -> Result<(), Wrong> {
        let refund_id = provider_refund_id(r);
        match said {
            RefundThere::Unknown => Err("the provider knows nothing of its own refund".into()),
            RefundThere::Processing => self.hear(config, r, &Word::Accepted { refund_id }),
            RefundThere::Succeeded => self.hear(config, r, &Word::Succeeded { refund_id, at: *NOW }),
            RefundThere::Bounced => self.hear(config, r, &Word::Bounced { refund_id, code: "CHANGE".into() }),
            RefundThere::Closed => self.hear(config, r, &Word::Closed { refund_id, code: "REFUNDCLOSE".into() }),
        }
    }

    /// Whether a payment of ours may be asked for money.
    pub(crate) fn may_wish(&self, config: &Config) -> bool {
        let wished = self.given().filter(|(_, refund)| refund.row.cause == Cause::Requested).count();
        wished < usize::from(config.wishes) && self.given().count() < usize::from(config.refunds)
    }

    /// The sums of a payment: what the provider has given or is giving back.
    pub(crate) fn moved(&self, n: u8) -> u8 {
        let of_it = self.given().filter(|(_, refund)| refund.row.of == n);
        let moved = |there| matches!(there, RefundThere::Processing | RefundThere::Succeeded | RefundThere::Bounced);
        let console = self.console.filter(|console| console.of == n && moved(console.there));
        let ours: u8 = of_it.filter(|(_, refund)| moved(refund.there)).map(|(_, refund)| refund.row.amount).sum();
        ours + console.map_or(0, |console| console.amount)
    }
}
