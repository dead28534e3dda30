use proto::reconcile::v1::{Discrepancy, Run};

use crate::api::wire;
use crate::store::exports::Found;

/// What a file says about the run itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    /// The run, as the API tells it.
    pub(super) run: Run,
    /// When the file was made: states are of this moment.
    pub(super) export_time: jiff::Timestamp,
}

/// One difference of a file: what the API tells, and whose order is behind it.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// As `ListDiscrepancies` tells it, with the run's amounts.
    pub(super) difference: Discrepancy,
    /// It only waited in this run.
    pub(super) waiting: bool,
    /// The team; empty where we know none.
    pub(super) app: String,
    /// The team's number; empty where we know none.
    pub(super) order_no: String,
}

impl From<Found> for Row {
    fn from(found: Found) -> Self {
        let waiting = found.difference.due_date.is_some();
        let Found { difference, app, order_no } = found;
        Self { difference: wire::discrepancy(difference), waiting, app, order_no }
    }
}
