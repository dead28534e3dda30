use money::Fen;
use proto::reconcile::v1::discrepancy::State;
use proto::reconcile::v1::{ListDiscrepanciesRequest, ListDiscrepanciesResponse};
use reconciliation::Code;
use svc_kit::refusal::Violations;
use tonic::Status;
use uuid::Uuid;

use super::{error, fields, page, wire};
use crate::runs::{DiscrepancyState, Reconciler};
use crate::store::listing::{self, DiscrepancyFilter};

pub(super) async fn handle(
    reconciler: &Reconciler,
    request: &ListDiscrepanciesRequest,
) -> Result<ListDiscrepanciesResponse, Status> {
    let mut violations = Violations::new();
    let size = page::size(&mut violations, request.page_size);
    let filter = DiscrepancyFilter {
        merchant: fields::optional(&mut violations, &request.merchant, fields::merchant),
        bill_date: fields::optional(&mut violations, &request.bill_date, fields::bill_date),
        state: state(&mut violations, request.state),
        code: fields::optional(&mut violations, &request.code, code),
        run_id: fields::optional(&mut violations, &request.run, fields::run_name),
        discrepancy_id: None,
        ids: None,
        number: fields::optional(&mut violations, &request.number, |violations, text| {
            fields::text(violations, "number", text)
        }),
        assignee: fields::optional(&mut violations, &request.assignee, |violations, text| {
            fields::text(violations, "assignee", text)
        }),
        unfinished_only: request.unfinished_only,
        after: page::token(&mut violations, &request.page_token, place),
    };
    violations.finish()?;
    let mut conn = reconciler.pool.acquire().await.map_err(error::store_failed)?;
    let mut found = listing::discrepancies(&mut conn, &filter, page::limit(size)).await.map_err(error::store_failed)?;
    let next_page_token = page::cut(&mut found, size, |last| format!("{}-{}", last.risk.get(), last.id.simple()));
    Ok(ListDiscrepanciesResponse { discrepancies: found.into_iter().map(wire::discrepancy).collect(), next_page_token })
}

fn state(violations: &mut Violations, asked: i32) -> Option<DiscrepancyState> {
    let asked = State::try_from(asked).ok();
    let known = DiscrepancyState::ALL.into_iter().find(|state| Some(wire::discrepancy_state(*state)) == asked);
    violations.check(known.is_some() || asked == Some(State::Unspecified), "state", "must be a state or unset");
    known
}

fn code(violations: &mut Violations, text: &str) -> Option<Code> {
    let code = text.parse().ok();
    violations.check(code.is_some(), "code", "must be P1 to P10, R1 to R4 or F1 to F4");
    code
}

/// The place after which the next page begins: amount at risk and id of the last row.
fn place(token: &str) -> Option<(Fen, Uuid)> {
    let (risk, id) = token.split_once('-')?;
    Some((Fen::new(risk.parse().ok()?), Uuid::try_parse(id).ok()?))
}
