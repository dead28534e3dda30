//! The order of the batches that are under way: who needs it waits for those before.

use std::collections::BTreeSet;

use tokio::sync::watch;

/// Counts batches as they begin.
#[derive(Debug, Default)]
pub(super) struct Turns {
    waiting: watch::Sender<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    under_way: BTreeSet<u64>,
}

/// The place of a batch, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    number: u64,
    waiting: watch::Sender<Waiting>,
}

impl Turns {
    /// Begins after everybody who has begun.
    pub(super) fn enter(&self) -> Turn {
        let mut number = 0;
        self.waiting.send_modify(|waiting| {
            number = waiting.next;
            waiting.next += 1;
            waiting.under_way.insert(number);
        });
        Turn { number, waiting: self.waiting.clone() }
    }
}

impl Turn {
    /// Waits until everybody who began before has ended.
    pub(super) async fn comes(&self) {
        let mut waiting = self.waiting.subscribe();
        // The sender lives as long as `self`, so this ends with the turn.
        let _ = waiting.wait_for(|waiting| waiting.under_way.first() == Some(&self.number)).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.waiting.send_modify(|waiting| {
            waiting.under_way.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_turn_comes_when_all_before_it_have_ended_in_whatever_order() {
        let turns = Turns::default();
        let (first, second, third) = (turns.enter(), turns.enter(), turns.enter());
        assert!(first.comes().now_or_never().is_some());
        drop(second);
        assert!(third.comes().now_or_never().is_none(), "the first is still under way");
        drop(first);
        third.comes().await;
        assert!(turns.enter().comes().now_or_never().is_none(), "the third is still under way");
    }
}
