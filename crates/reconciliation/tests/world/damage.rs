use ::money::{Fen, MilliFen};
use reconciliation::books::{OrderState, RefundState};
use reconciliation::{Code, Difference};

use super::money::{Flow, charged, more, moved};
use super::{Payment, Refund, World};

/// What can go wrong with one trade, and nothing else with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Billed; our payment is still open.
    Pending,
    /// Billed and told; no order took it.
    ToldOnly,
    PendingClosed,
    ToldClosed,
    /// For a closed order, and a fen of it did not go back.
    SurplusKept,
    /// Billed under a number that is not ours.
    Unknown,
    /// As that, and the provider told of it.
    ToldUnknown,
    PendingPaidByOther,
    SurplusOfPaidOrder,
    BookOnly,
    BilledOther,
    IssuedOther,
    TakenOther,
    ToldOther,
    PayerOther,
    SettledMore,
    SettledLess,
    Revoked,
    /// The bill has only its reversal.
    RevokedAlone,
    /// The day after has it in its bill as well.
    BilledTwice,
    RefundBilledTwice,
    FactMissing,
    FactOrphan,
    /// Told a moment ago.
    FactUnripe,
    RefundedAtConsole,
    RejectedAndBilled,
    RefundBookOnly,
    RefundClosedAndNotBilled,
    RefundBilledOther,
    RefundBookOther,
    RefundToldOther,
    RefundUnderWay,
    RefundCreated,
    RefundAbnormal,
    RefundClosed,
    FeeOther,
    RefundFeeOther,
    RateUnreadable,
    ChargedOther,
    NotMoved,
    RefundNotMoved,
    ReversalNotMoved,
    MovedOther,
    /// A fen less moved on the day after, and nothing here.
    MovedLessElsewhere,
    /// It moved here, and once more on the day after.
    MovedAgainElsewhere,
    /// It moved on the day after, with another fee than the bill says.
    ChargedOtherElsewhere,
    RefundMovedLessElsewhere,
    MovedTwice,
    MovedForNobody,
    Complained,
    UnknownWord,
    UnknownWordOnOperation,
}

/// What must be found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expected {
    pub(crate) code: Code,
    /// The number that names the trade or the movement.
    pub(crate) number: String,
    /// Whether it is waited for.
    pub(crate) waits: bool,
}

impl Expected {
    /// What a difference says in the same words.
    pub(crate) fn of(difference: &Difference) -> Expected {
        let key = &difference.key;
        let account = key.account.map(reconciliation::AccountKind::as_str).unwrap_or_default();
        let numbers = [&key.movement, account, &key.refund_id, &key.out_refund_no, &key.transaction_id];
        let number = numbers.into_iter().find(|number| !number.is_empty()).expect("a difference is about something");
        Expected { code: difference.code, number: number.to_owned(), waits: difference.due.is_some() }
    }
}

impl Damage {
    pub(crate) const ALL: [Damage; 52] = [
        Damage::Pending,
        Damage::ToldOnly,
        Damage::PendingClosed,
        Damage::ToldClosed,
        Damage::SurplusKept,
        Damage::Unknown,
        Damage::ToldUnknown,
        Damage::PendingPaidByOther,
        Damage::SurplusOfPaidOrder,
        Damage::BookOnly,
        Damage::BilledOther,
        Damage::IssuedOther,
        Damage::TakenOther,
        Damage::ToldOther,
        Damage::PayerOther,
        Damage::SettledMore,
        Damage::SettledLess,
        Damage::Revoked,
        Damage::RevokedAlone,
        Damage::BilledTwice,
        Damage::RefundBilledTwice,
        Damage::FactMissing,
        Damage::FactOrphan,
        Damage::FactUnripe,
        Damage::RefundedAtConsole,
        Damage::RejectedAndBilled,
        Damage::RefundBookOnly,
        Damage::RefundClosedAndNotBilled,
        Damage::RefundBilledOther,
        Damage::RefundBookOther,
        Damage::RefundToldOther,
        Damage::RefundUnderWay,
        Damage::RefundCreated,
        Damage::RefundAbnormal,
        Damage::RefundClosed,
        Damage::FeeOther,
        Damage::RefundFeeOther,
        Damage::RateUnreadable,
        Damage::ChargedOther,
        Damage::NotMoved,
        Damage::RefundNotMoved,
        Damage::ReversalNotMoved,
        Damage::MovedOther,
        Damage::MovedLessElsewhere,
        Damage::MovedAgainElsewhere,
        Damage::ChargedOtherElsewhere,
        Damage::RefundMovedLessElsewhere,
        Damage::MovedTwice,
        Damage::MovedForNobody,
        Damage::Complained,
        Damage::UnknownWord,
        Damage::UnknownWordOnOperation,
    ];

    /// The code that must come of it.
    pub(crate) fn code(self) -> Code {
        match self {
            Damage::Pending | Damage::ToldOnly => Code::P1,
            Damage::PendingClosed | Damage::ToldClosed | Damage::SurplusKept => Code::P2,
            Damage::Unknown | Damage::ToldUnknown => Code::P3,
            Damage::PendingPaidByOther | Damage::SurplusOfPaidOrder => Code::P4,
            Damage::BookOnly => Code::P5,
            Damage::BilledOther
            | Damage::IssuedOther
            | Damage::TakenOther
            | Damage::ToldOther
            | Damage::BilledTwice => Code::P6,
            Damage::PayerOther | Damage::SettledMore | Damage::SettledLess => Code::P7,
            Damage::Revoked | Damage::RevokedAlone => Code::P8,
            Damage::FactMissing => Code::P9,
            Damage::FactOrphan | Damage::FactUnripe => Code::P10,
            Damage::RefundedAtConsole | Damage::RejectedAndBilled => Code::R1,
            Damage::RefundBookOnly | Damage::RefundClosedAndNotBilled => Code::R2,
            Damage::RefundBilledOther
            | Damage::RefundBookOther
            | Damage::RefundToldOther
            | Damage::RefundBilledTwice => Code::R3,
            Damage::RefundUnderWay | Damage::RefundCreated | Damage::RefundAbnormal | Damage::RefundClosed => Code::R4,
            Damage::FeeOther
            | Damage::RefundFeeOther
            | Damage::RateUnreadable
            | Damage::ChargedOther
            | Damage::ChargedOtherElsewhere => Code::F1,
            Damage::NotMoved
            | Damage::RefundNotMoved
            | Damage::ReversalNotMoved
            | Damage::MovedOther
            | Damage::MovedLessElsewhere
            | Damage::MovedAgainElsewhere
            | Damage::RefundMovedLessElsewhere => Code::F2,
            Damage::MovedTwice
            | Damage::MovedForNobody
            | Damage::Complained
            | Damage::UnknownWord
            | Damage::UnknownWordOnOperation => Code::F3,
        }
    }

    /// Whether the other side may still come on the day after.
    fn may_wait(self) -> bool {
        matches!(
            self,
            Damage::BookOnly
                | Damage::RefundBookOnly
                | Damage::RefundClosedAndNotBilled
                | Damage::RefundUnderWay
                | Damage::RefundCreated
                | Damage::NotMoved
                | Damage::RefundNotMoved
                | Damage::ReversalNotMoved
        )
    }

    /// Whether it is about a refund although its code is about money.
    fn is_of_a_refund(self) -> bool {
        matches!(self, Damage::RefundFeeOther | Damage::RefundNotMoved | Damage::RefundMovedLessElsewhere)
    }

    /// Makes a trade of so much money (two fen at least) and spoils it.
    pub(crate) fn strike(self, world: &mut World, fen: i64) -> Expected {
        let number = match self.code() {
            Code::R1 | Code::R2 | Code::R3 | Code::R4 => self.strike_refund(world, fen),
            Code::F3 => self.strike_flows(world, fen),
            _ if self.is_of_a_refund() => self.strike_refund(world, fen),
            _ => self.strike_payment(world.pay(fen), fen),
        };
        // However late the run is made, an order may just be about to take it.
        let waits = self == Damage::FactUnripe || (self.may_wait() && world.as_of == super::DAY_AFTER);
        Expected { code: self.code(), number, waits }
    }

    fn strike_payment(self, payment: &mut Payment, fen: i64) -> String {
        let number = payment.row().transaction_id.clone();
        let fact = |payment: &mut Payment, more_fen: i64, more_payer: i64| {
            let fact = payment.book_mut().fact.as_mut().expect("it was told");
            (fact.amount, fact.payer) = (more(fact.amount, more_fen), more(fact.payer, more_payer));
        };
        match self {
            Damage::Pending => drop(payment.issued_only(OrderState::Open)),
            Damage::ToldOnly => drop(payment.told_only(OrderState::Open)),
            Damage::PendingClosed => drop(payment.issued_only(OrderState::Closed)),
            Damage::ToldClosed => drop(payment.told_only(OrderState::Closed)),
            Damage::SurplusKept => drop(payment.as_surplus(OrderState::Closed, fen - 1)),
            Damage::Unknown => payment.book = None,
            Damage::ToldUnknown => payment.told_only(OrderState::Unknown).book_mut().issued = None,
            Damage::PendingPaidByOther => drop(payment.issued_only(OrderState::PaidByOther)),
            Damage::SurplusOfPaidOrder => drop(payment.as_surplus(OrderState::PaidByOther, 0)),
            Damage::BookOnly => (payment.billed, payment.flows) = (None, Vec::new()),
            Damage::BilledOther => payment.row_mut().total_fee = Fen::new(fen + 1),
            Damage::IssuedOther => payment.book_mut().issued = Some(Fen::new(fen - 1)),
            Damage::TakenOther => payment.book_mut().taken.as_mut().expect("taken").amount = Fen::new(fen + 1),
            Damage::ToldOther => fact(payment, 1, 1),
            Damage::PayerOther => fact(payment, 0, -1),
            Damage::SettledMore | Damage::SettledLess => {
                let settled = if self == Damage::SettledMore { fen + 1 } else { fen - 1 };
                payment.row_mut().settlement_total_fee = Fen::new(settled);
                payment.row_mut().fee = super::money::fee(settled);
                payment.move_money(settled);
            }
            Damage::Revoked => drop(payment.reverse()),
            Damage::RevokedAlone => {
                payment.reverse();
                payment.billed = None;
                payment.flows.retain(|flow| flow.number != number);
            }
            Damage::BilledTwice => {
                let book = payment.book_mut();
                (book.billed_on, book.billed) = (Some(super::DAY_AFTER), Some(Fen::new(fen)));
            }
            Damage::FactMissing => payment.book_mut().fact = None,
            Damage::FactOrphan | Damage::FactUnripe => {
                payment.told_only(OrderState::Open);
                (payment.billed, payment.flows) = (None, Vec::new());
                payment.book_mut().fact.as_mut().expect("it was told").ripe = self == Damage::FactOrphan;
            }
            Damage::FeeOther => payment.row_mut().fee = MilliFen::new(fen * 6 + 1001),
            Damage::RateUnreadable => "千分之六".clone_into(&mut payment.row_mut().rate),
            Damage::ChargedOther => {
                payment.flows.truncate(1);
                let id = format!("{}9", payment.flows[0].id);
                let kind = "扣除交易手续费".to_owned();
                payment.flows.push(Flow { number: number.clone(), id, kind, fen: -charged(fen) - 2 });
            }
            Damage::NotMoved => payment.flows.clear(),
            Damage::ReversalNotMoved => {
                payment.told_only(OrderState::Open).reverse();
                let reversal = payment.revoked.as_ref().and_then(|row| row.refund.as_ref()).expect("a refund");
                payment.flows.retain(|flow| flow.number != reversal.refund_id);
                return reversal.refund_id.clone();
            }
            Damage::MovedOther => payment.flows[0].fen += 1,
            Damage::MovedLessElsewhere => {
                payment.flows.clear();
                payment.moves_elsewhere(fen - 1, charged(fen));
            }
            Damage::MovedAgainElsewhere => payment.moves_elsewhere(fen, 0),
            Damage::ChargedOtherElsewhere => {
                payment.flows.clear();
                payment.moves_elsewhere(fen, charged(fen) + 2);
            }
            _ => unreachable!("not about a payment"),
        }
        number
    }

    fn strike_refund(self, world: &mut World, fen: i64) -> String {
        world.pay(fen);
        let amount = fen / 2;
        let refund: &mut Refund = world.refund(world.payments.len() - 1, amount);
        let number = refund.bill_mut().refund_id.clone();
        match self {
            Damage::RefundedAtConsole => refund.book = None,
            Damage::RejectedAndBilled => refund.book_mut().state = RefundState::Rejected,
            Damage::RefundBookOnly => (refund.billed, refund.flows) = (None, Vec::new()),
            Damage::RefundClosedAndNotBilled => {
                (refund.billed, refund.flows) = (None, Vec::new());
                refund.book_mut().state = RefundState::Closed;
            }
            Damage::RefundBilledOther => refund.bill_mut().refund_fee = Fen::new(amount + 1),
            Damage::RefundBookOther => refund.book_mut().amount = Fen::new(amount + 1),
            Damage::RefundToldOther => refund.book_mut().fact = Some(Fen::new(amount + 1)),
            Damage::RefundBilledTwice => refund.book_mut().billed_on = Some(super::DAY_AFTER),
            Damage::RefundUnderWay => refund.book_mut().state = RefundState::Processing,
            Damage::RefundCreated => {
                let book = refund.book_mut();
                (book.state, book.refund_id, book.accept_date, book.fact) = (RefundState::Created, None, None, None);
            }
            Damage::RefundAbnormal => refund.book_mut().state = RefundState::Abnormal,
            Damage::RefundClosed => {
                refund.book_mut().state = RefundState::Closed;
                let flow = |at: u64, kind: &str, fen| Flow::new(at, &number, kind, fen);
                let at = refund.flows[0].id[2..].parse::<u64>().expect("digits");
                let back = [flow(at + 2, "退款关闭", amount), flow(at + 3, "扣除交易手续费", -charged(amount))];
                refund.flows.extend(back.into_iter().filter(|flow| flow.fen != 0));
            }
            Damage::RefundFeeOther => {
                refund.billed.as_mut().expect("it is in the bill").fee = MilliFen::new(-amount * 6 - 1001);
            }
            Damage::RefundNotMoved => refund.flows.clear(),
            Damage::RefundMovedLessElsewhere => {
                refund.flows.clear();
                let book = refund.book_mut();
                // Of one fen nothing less can move.
                let principal = if amount == 1 { 2 } else { amount - 1 };
                (book.moved_on, book.moved) = (Some(super::DAY_AFTER), moved(principal, -charged(amount)));
            }
            _ => unreachable!("not about a refund"),
        }
        number
    }

    fn strike_flows(self, world: &mut World, fen: i64) -> String {
        let index = world.next() * 10;
        let flow = match self {
            Damage::MovedTwice => {
                let payment = world.pay(fen);
                let again = Flow::new(index, &payment.row().transaction_id, "交易", fen);
                // Later than the first, as its own number says.
                Flow { id: format!("{}5", payment.flows[0].id), ..again }
            }
            Damage::MovedForNobody => Flow::new(index, &format!("43{index:08}"), "交易", fen),
            Damage::Complained => {
                let number = world.pay(fen).row().transaction_id.clone();
                Flow::new(index, &number, "交易投诉扣款", -fen)
            }
            Damage::UnknownWord | Damage::UnknownWordOnOperation => {
                Flow::new(index, &format!("43{index:08}"), "新业务", fen)
            }
            _ => unreachable!("not about a movement"),
        };
        let id = flow.id.clone();
        world.flows[usize::from(self == Damage::UnknownWordOnOperation)].push(flow);
        id
    }
}
