//! What must hold after every step, and when the world is at rest.

use order_svc::domain::order::Refunded;

use crate::{
    books::Wrong,
    telling::Event,
    world::{AttemptState, OrderState, PRICE, Place, RefundState, RefundThere, There, World},
};

impl World {
    /// What must hold in every state.
    ///
    /// # Errors
    /// The first promise that is broken.
    pub(crate) fn check(&self) -> Result<(), Wrong> {
        self.check_order()?;
        self.check_attempts()?;
        self.check_charges()?;
        self.check_refunds()?;
        self.check_told()
    }

    /// G4: an order keeps one payment, and its state says which, and how much of it is back.
    fn check_order(&self) -> Result<(), Wrong> {
        let kept: Vec<u8> =
            self.written().filter(|(_, one)| one.row.state == AttemptState::Kept).map(|(n, _)| n).collect();
        match (self.order.state, kept.as_slice()) {
            (OrderState::Pending, []) if self.written().any(|(_, one)| one.row.state == AttemptState::Surplus) => {
                Err("a PENDING order has money".into())
            }
            (OrderState::Closed, []) if self.written().any(|(_, one)| one.row.state.is_open()) => {
                Err("an order was closed while somebody could pay it".into())
            }
            (OrderState::Pending | OrderState::Closed, []) => Ok(()),
            (OrderState::Paid(by, refunded), [kept]) if by == *kept => {
                let back = i64::from(self.attempt(by).row.refunded);
                let right = match refunded {
                    Refunded::Nothing => back == 0,
                    Refunded::Part => 0 < back && back < PRICE,
                    Refunded::All => back == PRICE,
                };
                right.then_some(()).ok_or_else(|| format!("{refunded:?} is refunded of which {back} is back"))
            }
            (state, kept) => Err(format!("an order that is {state:?} keeps the payments {kept:?}")),
        }
    }

    /// G2, G3: what we say of an attempt is true at the provider.
    fn check_attempts(&self) -> Result<(), Wrong> {
        for (n, attempt) in self.written() {
            let (ours, there) = (attempt.row.state, attempt.there);
            let is_true = match ours {
                AttemptState::Created => true,
                AttemptState::Pending => there != There::Unknown,
                AttemptState::Kept | AttemptState::Surplus => there == There::Paid,
                // The payer can win every race that they have entered before, but nobody new can.
                AttemptState::Closed => !matches!(there, There::Open | There::Failing) || attempt.is_charge,
                // Whose try has failed may try again.
                AttemptState::Failed => there != There::Open,
            };
            if !is_true {
                return Err(format!("attempt {n} is {ours:?} and at the provider {there:?}"));
            }
        }
        Ok(())
    }

    /// G5: nothing is paid back twice, and never more than was paid; what we say of a refund is true at the provider.
    fn check_refunds(&self) -> Result<(), Wrong> {
        for (r, refund) in self.given() {
            let (ours, there) = (refund.row.state, refund.there);
            let is_true = match ours {
                RefundState::Created => true,
                RefundState::Processing => there != RefundThere::Unknown,
                RefundState::Succeeded => there == RefundThere::Succeeded,
                RefundState::Abnormal => !matches!(there, RefundThere::Unknown | RefundThere::Processing),
                RefundState::Closed => there == RefundThere::Closed,
                RefundState::Rejected => there == RefundThere::Unknown,
            };
            if !is_true {
                return Err(format!("refund {r} is {ours:?} and at the provider {there:?}"));
            }
        }
        for (n, attempt) in self.written() {
            let sum = |of: fn(RefundState) -> bool| -> u8 {
                let own = self.given().filter(|(_, refund)| refund.row.of == n && of(refund.row.state));
                own.map(|(_, refund)| refund.row.amount).sum()
            };
            let open = |state| matches!(state, RefundState::Created | RefundState::Processing | RefundState::Abnormal);
            let back = |state| state == RefundState::Succeeded;
            let (refunding, refunded) = (sum(open), sum(back));
            if (refunding, refunded) != (attempt.row.refunding, attempt.row.refunded) {
                return Err(format!("attempt {n} has other sums than {refunding} on its way and {refunded} back"));
            }
            let moved = self.moved(n);
            if PRICE < i64::from(moved) {
                return Err(format!("the provider gives {moved} back of attempt {n}"));
            }
        }
        Ok(())
    }

    /// G6: what has become so is told, and nothing else; what is applied is applied once.
    fn check_told(&self) -> Result<(), Wrong> {
        for event in self.all_news() {
            let so = match event {
                Event::Paid => matches!(self.order.state, OrderState::Paid(..)),
                Event::Closed => self.order.state == OrderState::Closed,
                Event::Surplus(n) => self.attempt(n).row.state == AttemptState::Surplus,
                Event::Refunded(r) => self.refund(r).row.state == RefundState::Succeeded,
            };
            let news = self.news(event);
            if so != news.is_told() {
                return Err(format!("{event:?} is {}", if so { "not told" } else { "told and not so" }));
            }
            if 1 < news.applied {
                return Err(format!("{event:?} is applied twice"));
            }
        }
        Ok(())
    }

    /// G2, G6, G10: nothing is unknown, open or untold, and every payment that the provider knows is kept, goes back, or waits
    /// for a person.
    pub(crate) fn is_at_rest(&self) -> bool {
        let attempts = self.written().all(|(_, attempt)| {
            let row = attempt.row;
            let decided = row.held || i64::from(row.refunded + row.refunding) == PRICE;
            match row.state {
                AttemptState::Created | AttemptState::Pending => false,
                AttemptState::Kept => true,
                AttemptState::Surplus => decided,
                AttemptState::Closed | AttemptState::Failed => attempt.there != There::Paid,
            }
        });
        let refunds = self.given().all(|(_, refund)| {
            matches!(refund.row.state, RefundState::Succeeded | RefundState::Closed | RefundState::Rejected)
        });
        // One that came to nothing may have come too late for the books: its amount was given otherwise.
        let console = self.console.is_none_or(|console| console.there == RefundThere::Closed);
        let told = self
            .all_news()
            .map(|event| self.news(event))
            .all(|news| matches!(news.place, Place::Nowhere) || (news.place == Place::Stream && news.applied == 1));
        self.order.state != OrderState::Pending
            && attempts
            && refunds
            && console
            && told
            && self.busy().next().is_none()
    }
}
