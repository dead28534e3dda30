//! Events: told in the transaction of what they tell, published by the relay, applied by a consumer with a record.

use crate::{
    books::Wrong,
    config::{Config, Fault},
    world::{News, Place, World},
};

/// Which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Paid,
    Closed,
    Surplus(u8),
    Refunded(u8),
}

impl World {
    pub(crate) fn news(&self, event: Event) -> News {
        *self.clone().news_mut(event)
    }

    fn news_mut(&mut self, event: Event) -> &mut News {
        match event {
            Event::Paid => &mut self.told.paid,
            Event::Closed => &mut self.told.closed,
            Event::Surplus(n) => &mut self.told.surplus[usize::from(n)],
            Event::Refunded(r) => &mut self.told.refunded[usize::from(r)],
        }
    }

    pub(crate) fn all_news(&self) -> impl Iterator<Item = Event> + use<> {
        let surplus = self.written().map(|(n, _)| Event::Surplus(n));
        let refunded = self.given().map(|(r, _)| Event::Refunded(r));
        [Event::Paid, Event::Closed].into_iter().chain(surplus).chain(refunded)
    }

    /// Writes an event into the outbox, in the transaction that calls.
    pub(crate) fn tell(&mut self, config: &Config, event: Event) -> Result<(), Wrong> {
        if self.news(event).is_told() {
            return Err(format!("{event:?} is told twice"));
        }
        *self.news_mut(event) = if config.has(Fault::ToldAfterCommit) {
            News::NONE // The process is gone before it could write it.
        } else if config.relay {
            News { place: Place::Outbox, applied: 0 }
        } else {
            News { place: Place::Stream, applied: 1 }
        };
        Ok(())
    }

    /// The stream has acked it. It may have had it before, when a relay crashed before it deleted.
    pub(crate) fn publish(&mut self, event: Event) {
        self.news_mut(event).place = Place::Both;
    }

    /// The relay deletes what it has published.
    pub(crate) fn delete(&mut self, event: Event) {
        let news = self.news_mut(event);
        news.place = if news.place == Place::Both { Place::Stream } else { Place::Nowhere };
    }

    /// The consumer gets it, perhaps again. What its record has is not applied.
    pub(crate) fn consume(&mut self, config: &Config, event: Event) {
        let news = self.news_mut(event);
        if news.applied == 0 || config.has(Fault::NoRecord) {
            news.applied += 1;
        }
    }
}
