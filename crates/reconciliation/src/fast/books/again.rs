//! Lines of some entries, looked for once more.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::{BookPayment, BookRefund, Books, Line, line_at};
use crate::Inputs;
use crate::fast::flow::Unmoved;
use crate::fast::table::Marks;
use crate::fast::{Count, DayText, Sharing, day_text, pieces};

impl Books {
    /// Says of entries that agreed that they do not: their lines become values again.
    pub(in crate::fast) fn take_back(
        &mut self,
        inputs: &Inputs<'_>,
        unmoved: &[Unmoved],
        sharing: Sharing,
    ) -> Option<()> {
        for Unmoved { number, kind, amount, .. } in unmoved {
            self.notes.disagrees(*number);
            let count: &mut Count =
                if *kind == Marks::REFUND { &mut self.plain_refunds } else { &mut self.plain_payments };
            count.take_back(*amount);
        }
        let of_kind = |kind| {
            let of_kind = unmoved.iter().filter(move |entry| entry.kind == kind);
            of_kind.map(|entry| (entry.key, entry.ours)).collect::<Vec<_>>()
        };
        self.payments.extend(find::<BookPayment>(inputs, inputs.payments, &of_kind(Marks::NONE), sharing)?);
        self.refunds.extend(find::<BookRefund>(inputs, inputs.refunds, &of_kind(Marks::REFUND), sharing)?);
        Some(())
    }
}

/// The one line of each pair of numbers, all of which were read before.
fn find<T: Line>(inputs: &Inputs<'_>, file: &[u8], wanted: &[(u128, u128)], sharing: Sharing) -> Option<Vec<T>> {
    let day = day_text(inputs.day)?;
    let places = wanted.iter().map(|numbers| in_sorted::<T>(file, &day, *numbers)).collect::<Option<Vec<_>>>();
    // They are sorted unless something is wrong, and then one look at all of them finds the same.
    let places = places.or_else(|| in_any_order::<T>(file, &day, wanted, sharing))?;
    if places.len() != wanted.len() {
        return None;
    }
    places.into_iter().map(|at| T::whole(line_at(file, at)?, inputs)).collect()
}

/// Where the line begins in a file that is sorted by the provider's number.
fn in_sorted<T: Line>(file: &[u8], day: &DayText, (key, ours): (u128, u128)) -> Option<usize> {
    let wanted = key.to_string();
    let (mut from, mut to) = (0, file.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let begin = memchr::memrchr(b'\n', &file[from..middle]).map_or(from, |at| from + at + 1);
        let length = memchr::memchr(b'\n', &file[begin..])?;
        let number = file[begin..begin + length].split(|byte| *byte == b'\t').nth(1)?;
        match number.cmp(wanted.as_bytes()) {
            Ordering::Less => from = begin + length + 1,
            Ordering::Greater => to = begin,
            Ordering::Equal => return is_of::<T>(file, day, begin, &(key, ours)).then_some(begin),
        }
    }
    None
}

fn in_any_order<T: Line>(file: &[u8], day: &DayText, wanted: &[(u128, u128)], sharing: Sharing) -> Option<Vec<usize>> {
    let wanted: HashSet<(u128, u128)> = wanted.iter().copied().collect();
    let pieces = pieces::cut(file, 0..file.len(), pieces::LINE, sharing);
    let places = pieces::share(sharing, pieces.len(), Vec::new, |places, piece| {
        let mut at = pieces[piece].start;
        while at < pieces[piece].end {
            let usual = T::usual(&file[at..], day);
            if usual.is_some_and(|(side, _)| wanted.contains(&(side.key, side.ours))) {
                places.push(at);
            }
            at += match usual {
                Some((_, length)) => length,
                None => memchr::memchr(b'\n', &file[at..])? + 1,
            };
        }
        Some(())
    })?;
    Some(places.concat())
}

/// Whether the line that begins `at` this place has these numbers. Only a usual one ever agreed with an entry.
fn is_of<T: Line>(file: &[u8], day: &DayText, at: usize, numbers: &(u128, u128)) -> bool {
    T::usual(&file[at..], day).is_some_and(|(side, _)| (side.key, side.ours) == *numbers)
}
