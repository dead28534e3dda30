//! Which app knows a user under which openid.

use std::collections::{BTreeSet, HashMap, VecDeque};

/// Openids remembered; the oldest is forgotten first, and may then belong to any app again.
const MAX_OPENIDS: usize = 100_000;

/// The users that this sandbox has shown to somebody.
#[derive(Debug, Default)]
pub(crate) struct People {
    apps: HashMap<String, BTreeSet<String>>,
    /// Openids in the order they were met.
    order: VecDeque<String>,
}

impl People {
    /// An app learns of a user.
    pub(crate) fn meet(&mut self, openid: &str, app_id: &str) {
        if let Some(apps) = self.apps.get_mut(openid) {
            apps.insert(app_id.to_owned());
            return;
        }
        if self.order.len() == MAX_OPENIDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.apps.remove(&oldest);
        }
        self.order.push_back(openid.to_owned());
        self.apps.insert(openid.to_owned(), BTreeSet::from([app_id.to_owned()]));
    }

    /// Whether this openid is known to belong to another app. One that nobody met may belong to any.
    pub(crate) fn is_of_another_app(&self, openid: &str, app_id: &str) -> bool {
        self.apps.get(openid).is_some_and(|apps| !apps.contains(app_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_openid_belongs_to_the_apps_that_met_it() {
        let mut people = People::default();
        assert!(!people.is_of_another_app("o1", "wx1"));
        people.meet("o1", "wx1");
        assert!(!people.is_of_another_app("o1", "wx1"));
        assert!(people.is_of_another_app("o1", "wx2"));
        people.meet("o1", "wx2");
        assert!(!people.is_of_another_app("o1", "wx2"));
    }

    #[test]
    fn the_oldest_openids_are_forgotten_beyond_the_limit() {
        let mut people = People::default();
        people.meet("first", "wx1");
        for number in 0..MAX_OPENIDS {
            people.meet(&format!("o{number}"), "wx1");
        }
        assert!(!people.is_of_another_app("first", "wx2"));
        assert_eq!(people.apps.len(), MAX_OPENIDS);
    }
}
