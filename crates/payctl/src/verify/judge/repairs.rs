//! What reconciliation asked for is answered once, and the bus says the same as the database.

use std::collections::HashSet;

use proto::event::{RepairAnswered, repair_answered::Outcome};
use uuid::Uuid;

use super::{Found, Seen};
use crate::verify::{News, RepairRow, Rule};

pub(super) fn judge(seen: &Seen<'_>, found: &mut Found) {
    for repair in &seen.evidence.repairs {
        let id = repair.repair_id;
        match (&repair.outcome, seen.order_fact(&format!("repair-answered:{id}"))) {
            (None, None) => {
                found.say(Rule::RepairUnderWay, id, format!("repair {id} is not answered yet"));
            }
            (Some(outcome), None) => {
                found.say(Rule::Untold, id, format!("repair {id} came to {outcome}, and nobody was told"));
            }
            (_, Some(News::RepairAnswered(told))) if agrees(repair, told) => {}
            (_, Some(told)) => {
                let sentence = format!("repair {id} was told with other content: {told:?}, here it is {repair:?}");
                found.say(Rule::ToldFalsely, id, sentence);
            }
        }
    }
    let known: HashSet<Uuid> = seen.evidence.repairs.iter().map(|repair| repair.repair_id).collect();
    for fact in &seen.evidence.order {
        let Some(id) = fact.news.repair() else { continue };
        if !known.contains(&id) {
            let sentence = format!("the bus says {} about a repair that is not here", fact.id);
            found.say(Rule::ToldFalsely, &fact.id, sentence);
        }
    }
}

fn agrees(repair: &RepairRow, told: &RepairAnswered) -> bool {
    told.merchant == repair.merchant
        && told.discrepancy == format!("discrepancies/{}", repair.discrepancy_id)
        && repair.outcome.as_deref() == word(told.outcome())
}

fn word(outcome: Outcome) -> Option<&'static str> {
    outcome.as_str_name().strip_prefix("OUTCOME_")
}
