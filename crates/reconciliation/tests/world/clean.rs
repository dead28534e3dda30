use ::money::Fen;
use reconciliation::books::{OrderState, RefundState};

use super::money::{charged, moved};
use super::{DAY_AFTER, DAY_BEFORE, World};

/// What can happen on a day without anything being different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clean {
    Paid,
    /// The merchant prepaid the coupon: all of the total is settled.
    PaidWithPrepaidCoupon,
    /// Only what the payer paid is settled.
    PaidWithCoupon,
    /// Nothing is settled, and nothing moves.
    PaidByCouponAlone,
    /// It came for a closed order, and all of it went back.
    SurplusGivenBack,
    /// The bill and the fund flow have it, our books have it on the day before.
    AboutMidnight,
    /// Our books have it, the neighbour's bill and fund flow do.
    BilledElsewhere,
    /// Our books and the fund flow have it, the neighbour's bill does.
    BilledElsewhereMovedHere,
    /// The bill has it, the neighbour's fund flow does.
    MovedElsewhere,
    /// Only the fund flow has it: its bill and our books are the day before's.
    MovedHere,
    /// Taken back at the counter; no order took it, though the provider told of it.
    ReversedAfterTold,
    /// Taken back at the counter before anybody told of it.
    Reversed,
    Refunded,
    RefundAboutMidnight,
    RefundBilledElsewhere,
    RefundMovedElsewhere,
    RefundMovedHere,
    /// The provider refused it, and no bill has it.
    RefundRejected,
    Withdrawn,
    RedPacketSent,
}

impl Clean {
    pub(crate) const ALL: [Clean; 20] = [
        Clean::Paid,
        Clean::PaidWithPrepaidCoupon,
        Clean::PaidWithCoupon,
        Clean::PaidByCouponAlone,
        Clean::SurplusGivenBack,
        Clean::AboutMidnight,
        Clean::BilledElsewhere,
        Clean::BilledElsewhereMovedHere,
        Clean::MovedElsewhere,
        Clean::MovedHere,
        Clean::ReversedAfterTold,
        Clean::Reversed,
        Clean::Refunded,
        Clean::RefundAboutMidnight,
        Clean::RefundBilledElsewhere,
        Clean::RefundMovedElsewhere,
        Clean::RefundMovedHere,
        Clean::RefundRejected,
        Clean::Withdrawn,
        Clean::RedPacketSent,
    ];

    /// Lets it happen with so much money: two fen at least.
    pub(crate) fn happen(self, world: &mut World, fen: i64) {
        match self {
            Clean::Withdrawn => return world.withdraw(fen),
            Clean::RedPacketSent => return world.send_red_packet(fen),
            Clean::Refunded
            | Clean::RefundAboutMidnight
            | Clean::RefundBilledElsewhere
            | Clean::RefundMovedElsewhere
            | Clean::RefundMovedHere
            | Clean::RefundRejected => return self.happen_to_refund(world, fen),
            _ => {}
        }
        let payment = world.pay(fen);
        match self {
            Clean::PaidWithPrepaidCoupon => drop(payment.with_coupon(fen / 2, true)),
            Clean::PaidWithCoupon => drop(payment.with_coupon(fen / 2, false)),
            Clean::PaidByCouponAlone => drop(payment.with_coupon(fen, false)),
            Clean::SurplusGivenBack => drop(payment.as_surplus(OrderState::Closed, fen)),
            Clean::AboutMidnight => payment.book_mut().paid_date = DAY_BEFORE,
            Clean::BilledElsewhere | Clean::BilledElsewhereMovedHere => {
                payment.billed = None;
                let book = payment.book_mut();
                (book.billed_on, book.billed) = (Some(DAY_AFTER), Some(Fen::new(fen)));
                if self == Clean::BilledElsewhere {
                    payment.flows.clear();
                }
            }
            Clean::MovedElsewhere => {
                payment.flows.clear();
                payment.moves_elsewhere(fen, charged(fen));
            }
            Clean::MovedHere => {
                payment.billed = None;
                payment.book_mut().paid_date = DAY_BEFORE;
            }
            Clean::ReversedAfterTold => drop(payment.told_only(OrderState::Open).reverse()),
            Clean::Reversed => drop(payment.issued_only(OrderState::Open).reverse()),
            _ => {}
        }
    }

    fn happen_to_refund(self, world: &mut World, fen: i64) {
        world.pay(fen);
        let refund = world.refund(world.payments.len() - 1, fen / 2);
        match self {
            Clean::RefundAboutMidnight => refund.book_mut().accept_date = Some(DAY_BEFORE),
            Clean::RefundBilledElsewhere => {
                refund.billed = None;
                refund.flows.clear();
                refund.book_mut().billed_on = Some(DAY_AFTER);
            }
            Clean::RefundMovedElsewhere => {
                refund.flows.clear();
                let book = refund.book_mut();
                (book.moved_on, book.moved) = (Some(DAY_AFTER), moved(fen / 2, -charged(fen / 2)));
            }
            Clean::RefundMovedHere => {
                refund.billed = None;
                refund.book_mut().accept_date = Some(DAY_BEFORE);
            }
            Clean::RefundRejected => {
                refund.billed = None;
                refund.flows.clear();
                let book = refund.book_mut();
                (book.state, book.fact, book.amount) = (RefundState::Rejected, None, Fen::new(fen / 2));
            }
            _ => {}
        }
    }
}
