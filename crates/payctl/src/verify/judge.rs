//! The promises as rules. Each says what it found wrong, one sentence per thing.

mod books;
mod bus;
mod journal;
mod orders;
mod provider;
mod provider_refunds;
mod refunds;
mod repairs;
mod seen;
mod told;
mod told_refunds;
mod under_way;

use std::fmt::Display;

use seen::Seen;

use super::{Allowed, Evidence, Rule, Violation};

/// Everything that is wrong, in the order of the rules; nothing when the promises are kept.
pub fn judge(evidence: &Evidence, allowed: &Allowed) -> Vec<Violation> {
    let (seen, mut found) = (Seen::of(evidence, *allowed), Found::default());
    provider::judge(&seen, &mut found);
    orders::judge(&seen, &mut found);
    refunds::judge(&seen, &mut found);
    provider_refunds::judge(&seen, &mut found);
    bus::judge(&seen, &mut found);
    journal::judge(&seen, &mut found);
    books::judge(&seen, &mut found);
    under_way::judge(&seen, &mut found);
    // What nobody was there to tell is not missed.
    if evidence.applied {
        told::judge(&seen, &mut found);
        told_refunds::judge(&seen, &mut found);
        repairs::judge(&seen, &mut found);
    }
    found.0.sort();
    found.0.dedup();
    found.0
}

/// What was found wrong so far.
#[derive(Debug, Default)]
struct Found(Vec<Violation>);

impl Found {
    fn say(&mut self, rule: Rule, about: impl Display, sentence: impl Into<String>) {
        self.0.push(Violation { rule, about: about.to_string(), sentence: sentence.into() });
    }
}

#[cfg(test)]
mod tests;
