//! The audit log: what happened to a difference, who did it, and a hash that binds each row to all rows before it. Pure.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Names the text that is hashed; it would change with the text.
const FORM: &str = "tongbao audit log 1\n";

/// A step in the life of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A run found it.
    Opened,
    /// A run found that something is missing that may still come.
    Held,
    /// order-svc is asked.
    RepairRequested,
    /// order-svc answered.
    RepairAnswered,
    /// One person proposed what to do.
    Proposed,
    /// Another person agreed.
    Approved,
    /// Somebody did not.
    Rejected,
    /// Somebody lives with it for a while.
    Waived,
    /// That while is over.
    WaiverEnded,
    /// Somebody wrote something down.
    Noted,
    /// Somebody looks after it.
    Assigned,
    /// A run no longer found it.
    Resolved,
    /// A run found it again.
    Reopened,
}

impl Action {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Action::Opened => "OPENED",
            Action::Held => "HELD",
            Action::RepairRequested => "REPAIR_REQUESTED",
            Action::RepairAnswered => "REPAIR_ANSWERED",
            Action::Proposed => "PROPOSED",
            Action::Approved => "APPROVED",
            Action::Rejected => "REJECTED",
            Action::Waived => "WAIVED",
            Action::WaiverEnded => "WAIVER_ENDED",
            Action::Noted => "NOTED",
            Action::Assigned => "ASSIGNED",
            Action::Resolved => "RESOLVED",
            Action::Reopened => "REOPENED",
        }
    }
}

/// What is to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A person, `reconcile-svc` or `order-svc`.
    pub actor: String,
    /// What happened.
    pub action: Action,
    /// To which difference.
    pub discrepancy: Uuid,
    /// The rest, for people.
    pub detail: String,
}

/// A row as it is in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// 1, 2, … without gaps.
    pub sequence: i64,
    /// When, in whole microseconds: what Postgres keeps.
    pub time: Timestamp,
    /// Who.
    pub actor: String,
    /// The word of an [`Action`].
    pub action: String,
    /// Which difference.
    pub discrepancy: Uuid,
    /// The rest.
    pub detail: String,
    /// The hash of the row before; empty in the first.
    pub previous: Vec<u8>,
    /// SHA-256 over everything above.
    pub hash: Vec<u8>,
}

impl Row {
    /// What its hash must be. Each value is written with its length, so that no two rows have one text.
    pub fn computed_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(FORM);
        let mut value = |text: &str| hash.update(format!("{}:{text}\n", text.len()));
        value(&self.sequence.to_string());
        value(&self.time.as_microsecond().to_string());
        value(&self.actor);
        value(&self.action);
        value(&self.discrepancy.to_string());
        value(&self.detail);
        value(&hex(&self.previous));
        hash.finalize().into()
    }
}

/// A walk along the log from its first row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The last row that fits; 0 before the first.
    pub sequence: i64,
    /// Its hash; empty before the first.
    pub hash: Vec<u8>,
}

/// What is wrong with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Rows before it are missing.
    Gap,
    /// It does not carry the hash of the row before.
    Link,
    /// Its content is not what was hashed.
    Hash,
    /// The log does not end where its end is noted: rows at the end are missing, or were added past it.
    Head,
}

impl Chain {
    /// Writes `entry` as the next row.
    pub fn append(&mut self, entry: &Entry, time: Timestamp) -> Row {
        let mut row = Row {
            sequence: self.sequence + 1,
            time: whole_microseconds(time),
            actor: entry.actor.clone(),
            action: entry.action.as_str().to_owned(),
            discrepancy: entry.discrepancy,
            detail: entry.detail.clone(),
            previous: self.hash.clone(),
            hash: Vec::new(),
        };
        row.hash = row.computed_hash().to_vec();
        (self.sequence, self.hash) = (row.sequence, row.hash.clone());
        row
    }

    /// Goes on to `row`.
    pub fn follow(&mut self, row: &Row) -> Result<(), Broken> {
        if row.sequence != self.sequence + 1 {
            return Err(Broken::Gap);
        }
        if row.previous != self.hash {
            return Err(Broken::Link);
        }
        if row.hash != row.computed_hash() {
            return Err(Broken::Hash);
        }
        (self.sequence, self.hash) = (row.sequence, row.hash.clone());
        Ok(())
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Broken::Gap => "gap: rows before this one are missing",
            Broken::Link => "link: this row does not carry the hash of the row before",
            Broken::Hash => "hash: this row does not say what it said when it was written",
            Broken::Head => "head: the log does not end where its end is noted",
        })
    }
}

/// Postgres keeps no more; what is hashed must be what is read back.
fn whole_microseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(rows: usize) -> Vec<Row> {
        let mut chain = Chain::default();
        let time = "2026-11-21T02:00:00.123456789Z".parse().expect("an instant");
        let entry = |detail: String| Entry {
            actor: "finance-a".to_owned(),
            action: Action::Noted,
            discrepancy: Uuid::from_u128(7),
            detail,
        };
        (0..rows).map(|row| chain.append(&entry(format!("row {row}")), time)).collect()
    }

    fn walk(rows: &[Row]) -> Result<Chain, (i64, Broken)> {
        let mut chain = Chain::default();
        for row in rows {
            chain.follow(row).map_err(|broken| (row.sequence, broken))?;
        }
        Ok(chain)
    }

    #[test]
    fn a_log_that_nobody_touched_is_whole() {
        let rows = log(5);
        let end = walk(&rows).expect("it is whole");
        assert_eq!((end.sequence, &end.hash), (5, &rows[4].hash));
        assert_eq!(rows[0].time.subsec_nanosecond(), 123_456_000);
    }

    #[test]
    fn the_text_that_is_hashed_stays_as_it_is() {
        // sha256sum of "tongbao audit log 1\n1:1\n16:1795226400123456\n9:finance-a\n5:NOTED\n36:00000000-0000-0000-0000-000000000007\n5:row 0\n0:\n".
        assert_eq!(hex(&log(1)[0].hash), "7f58c20b87e14b5b6899806cae35ce7e189013772fcbe165c39eac9bf6644b5c");
    }

    #[test]
    fn a_changed_value_is_found_at_its_row() {
        let changes: [fn(&mut Row); 5] = [
            |row| row.detail.push('!'),
            |row| row.actor = "finance-b".to_owned(),
            |row| row.action = "WAIVED".to_owned(),
            |row| row.discrepancy = Uuid::from_u128(8),
            |row| row.time = Timestamp::UNIX_EPOCH,
        ];
        for change in changes {
            let mut rows = log(5);
            change(&mut rows[2]);
            assert_eq!(walk(&rows), Err((3, Broken::Hash)));
        }
    }

    #[test]
    fn a_row_that_was_hashed_anew_breaks_the_link_of_the_next() {
        let mut rows = log(5);
        rows[2].detail.push('!');
        rows[2].hash = rows[2].computed_hash().to_vec();
        assert_eq!(walk(&rows), Err((4, Broken::Link)));
    }

    #[test]
    fn a_missing_row_is_a_gap() {
        let mut rows = log(5);
        rows.remove(2);
        assert_eq!(walk(&rows), Err((4, Broken::Gap)));
        rows.remove(0);
        assert_eq!(walk(&rows), Err((2, Broken::Gap)));
    }

    #[test]
    fn two_values_that_share_their_letters_differently_are_two_texts() {
        let mut one = log(1).remove(0);
        let mut two = one.clone();
        (one.actor, one.action) = ("a".to_owned(), "bc".to_owned());
        (two.actor, two.action) = ("ab".to_owned(), "c".to_owned());
        assert_ne!(one.computed_hash(), two.computed_hash());
    }
}
