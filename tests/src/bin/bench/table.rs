//! What is measured, what it is divided by, and the floors.

use std::collections::BTreeMap;

/// One measured number per round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Measure {
    /// pgbench, single-row UPDATE, commits/s.
    Updates,
    /// pgbench, single-row INSERT, commits/s.
    Inserts,
    /// Single messages to a stream, acks/s.
    Publishes,
    /// The median of one commit and one ack, alone, µs.
    DurableSteps,
    /// Callbacks answered with success, /s, over 512 connections.
    Callbacks,
    /// The same over 32.
    CallbacksOfFew,
    /// Callbacks verified that put nothing on the bus, /s.
    Verified,
    /// The same server's answer to what is nobody's, /s.
    Constant,
    /// Facts from the stream to their commit, /s, while their events wait.
    Applied,
    /// The same while the relay publishes them.
    AppliedAndTold,
    /// Events from the outbox to their ack, /s.
    Relayed,
    /// `CreateOrder` by 256 callers, /s.
    Created,
    /// The same by 32 callers.
    CreatedByFew,
    /// `PayOrder`, /s.
    Paid,
    /// From a callback to its order.paid, /s, everything at once.
    Whole,
    /// The same at half of that, the median, µs.
    WholeP50,
    /// One of a hundred took longer, µs.
    WholeP99,
    /// Callbacks that the peer handled, /s, one process.
    Peer,
    /// The same with its transaction in one statement.
    PeerAtOnce,
    /// The first with a process for each core.
    PeerOfMany,
}

/// What each round found.
pub(crate) type Samples = BTreeMap<Measure, Vec<u64>>;

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) measure: Measure,
    pub(crate) over: Option<Measure>,
    pub(crate) unit: &'static str,
    pub(crate) bound: Bound,
}

/// What a row must reach: hundredths of a ratio, or whole numbers where nothing is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// At least; the aim.
    AtLeast(u64, u64),
    /// At most; the aim.
    AtMost(u64, u64),
    /// It is only told.
    Told,
}

/// Every line, in the order of the money.
pub(crate) const ROWS: [Row; 16] = [
    Row {
        name: "callbacks in",
        says: "callbacks verified, on the stream's disk, answered SUCCESS, over 512 connections ÷ single publishes, 32 connections",
        measure: Measure::Callbacks,
        over: Some(Measure::Publishes),
        unit: "/s",
        bound: Bound::AtLeast(300, 600),
    },
    Row {
        name: "callbacks in, 32",
        says: "the same over 32 connections, so that at most 32 callbacks wait ÷ single publishes, 32 connections",
        measure: Measure::CallbacksOfFew,
        over: Some(Measure::Publishes),
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "verify tax",
        says: "genuine notices that nothing was paid (verified, not published) ÷ a constant answer of the same server",
        measure: Measure::Verified,
        over: Some(Measure::Constant),
        unit: "/s",
        bound: Bound::AtLeast(50, 70),
    },
    Row {
        name: "facts applied",
        says: "paid facts from the stream to committed order, journal and outbox ÷ pgbench UPDATE commits, 32 clients",
        measure: Measure::Applied,
        over: Some(Measure::Updates),
        unit: "/s",
        bound: Bound::AtLeast(100, 200),
    },
    Row {
        name: "facts applied, told",
        says: "the same while the relay publishes and archives their events on the same machine",
        measure: Measure::AppliedAndTold,
        over: Some(Measure::Updates),
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "outbox relay",
        says: "events from the outbox to the stream's ack and the archive ÷ single publishes",
        measure: Measure::Relayed,
        over: Some(Measure::Publishes),
        unit: "/s",
        bound: Bound::AtLeast(300, 600),
    },
    Row {
        name: "create",
        says: "CreateOrder over gRPC, 256 callers on 4 connections, each order told on the bus ÷ pgbench INSERT commits, 32 clients",
        measure: Measure::Created,
        over: Some(Measure::Inserts),
        unit: "/s",
        bound: Bound::AtLeast(50, 80),
    },
    Row {
        name: "create, 32",
        says: "the same by 32 callers, so that at most 32 orders wait ÷ pgbench INSERT commits, 32 clients",
        measure: Measure::CreatedByFew,
        over: Some(Measure::Inserts),
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "pay",
        says: "PayOrder over gRPC, 32 callers, the sandbox as WeChat",
        measure: Measure::Paid,
        over: None,
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "end to end",
        says: "callback received → order.paid on the bus, everything at once",
        measure: Measure::Whole,
        over: None,
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "end to end p50",
        says: "the same at half of that load ÷ the medians of one commit and one ack, alone",
        measure: Measure::WholeP50,
        over: Some(Measure::DurableSteps),
        unit: " µs",
        bound: Bound::AtMost(600, 400),
    },
    Row {
        name: "end to end p99",
        says: "the same, 99 of 100",
        measure: Measure::WholeP99,
        over: None,
        unit: " µs",
        bound: Bound::AtMost(50_000, 20_000),
    },
    Row {
        name: "beside Node",
        says: "callbacks handled durably ÷ fastify, tenpay and pg in one process, a transaction each; 512 connections",
        measure: Measure::Callbacks,
        over: Some(Measure::Peer),
        unit: "/s",
        bound: Bound::AtLeast(400, 1000),
    },
    Row {
        name: "beside Node, one stmt",
        says: "the same ÷ a Node process whose transaction is one statement",
        measure: Measure::Callbacks,
        over: Some(Measure::PeerAtOnce),
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "beside Node, all cores",
        says: "the same ÷ a Node process for each core",
        measure: Measure::Callbacks,
        over: Some(Measure::PeerOfMany),
        unit: "/s",
        bound: Bound::Told,
    },
    Row {
        name: "paid beside Node",
        says: "from a callback to its order.paid, all of it ÷ one Node process",
        measure: Measure::Whole,
        over: Some(Measure::Peer),
        unit: "/s",
        bound: Bound::Told,
    },
];

/// Smallest, middle and largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Range {
    pub(crate) median: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Range {
    pub(crate) fn of(values: &[u64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        // Of an even number of rounds, the mean of the two in the middle.
        let (lower, upper) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { median: lower.midpoint(upper), min, max })
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Told,
    /// It was not measured.
    Missing,
}

impl Row {
    /// Its numbers, each round by itself: the numerator, the denominator, and hundredths of the ratio.
    pub(crate) fn ranges(&self, samples: &Samples) -> Option<(Range, Option<Range>, Range)> {
        let values = samples.get(&self.measure)?;
        let Some(over) = self.over else {
            let range = Range::of(values)?;
            return Some((range, None, range));
        };
        let over = samples.get(&over)?;
        if values.len() != over.len() {
            return None; // Something is missing in a round, and nobody can say in which.
        }
        let ratios: Vec<u64> = values.iter().zip(over).map(|(value, over)| value * 100 / (*over).max(1)).collect();
        Some((Range::of(values)?, Some(Range::of(over)?), Range::of(&ratios)?))
    }

    /// The median of the rounds decides.
    pub(crate) fn verdict(&self, samples: &Samples) -> Verdict {
        match (self.ranges(samples), self.bound) {
            (_, Bound::Told) => Verdict::Told,
            (None, _) => Verdict::Missing,
            (Some((.., found)), Bound::AtLeast(floor, _)) if floor <= found.median => Verdict::Passed,
            (Some((.., found)), Bound::AtMost(most, _)) if found.median <= most => Verdict::Passed,
            (Some(_), _) => Verdict::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(callbacks: &[u64], publishes: &[u64]) -> Samples {
        Samples::from([(Measure::Callbacks, callbacks.to_vec()), (Measure::Publishes, publishes.to_vec())])
    }

    #[test]
    fn a_ratio_is_made_of_numbers_of_one_round() {
        let (.., ratio) = ROWS[0].ranges(&samples(&[300, 100, 900], &[100, 50, 100])).expect("both were measured");
        assert_eq!(ratio, Range { median: 300, min: 200, max: 900 });
    }

    #[test]
    fn the_median_decides_and_a_missing_number_is_no_success() {
        assert_eq!(ROWS[0].verdict(&samples(&[300, 100, 900], &[100, 50, 100])), Verdict::Passed);
        assert_eq!(ROWS[0].verdict(&samples(&[299, 299, 900], &[100, 100, 100])), Verdict::Failed);
        assert_eq!(ROWS[0].verdict(&Samples::new()), Verdict::Missing);
    }
}
