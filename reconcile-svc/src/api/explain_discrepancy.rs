use proto::reconcile::v1::{
    AuditEntry, ExplainDiscrepancyRequest, ExplainDiscrepancyResponse, Leg as WireLeg, LegField,
};
use proto::time::to_wire;
use svc_kit::refusal::Violations;
use tonic::Status;

use super::{error, fields, wire};
use crate::resolution::audit::{Row, hex};
use crate::resolution::{Leg, explain};
use crate::runs::Reconciler;

pub(super) async fn handle(
    reconciler: &Reconciler,
    request: &ExplainDiscrepancyRequest,
) -> Result<ExplainDiscrepancyResponse, Status> {
    let mut violations = Violations::new();
    let id = fields::name(&mut violations, &request.name, "discrepancies");
    violations.finish()?;
    let id = id.expect("a missing name is a violation");
    let found = explain(reconciler, id).await.map_err(error::store_failed)?;
    let found = found.ok_or_else(error::discrepancy_not_found)?;
    let (order, app, order_no) = found.order.map_or_else(Default::default, |order| {
        (format!("orders/{}", order.order_id), order.app, order.order_no.unwrap_or_default())
    });
    Ok(ExplainDiscrepancyResponse {
        discrepancy: Some(wire::discrepancy(found.discrepancy)),
        legs: found.legs.into_iter().map(leg).collect(),
        next_steps: found.next_steps.into_iter().map(str::to_owned).collect(),
        history: found.history.into_iter().map(entry).collect(),
        order,
        app,
        order_no,
    })
}

fn leg(leg: Leg) -> WireLeg {
    let field =
        |field: crate::resolution::Field| LegField { name: field.name, value: field.value, differs: field.differs };
    WireLeg { leg: leg.name.to_owned(), fields: leg.fields.into_iter().map(field).collect() }
}

fn entry(row: Row) -> AuditEntry {
    AuditEntry {
        sequence: row.sequence,
        time: Some(to_wire(row.time)),
        actor: row.actor,
        action: row.action,
        discrepancy: format!("discrepancies/{}", row.discrepancy),
        detail: row.detail,
        hash: hex(&row.hash),
    }
}
