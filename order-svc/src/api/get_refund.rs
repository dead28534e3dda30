//! `GetRefund`: reads a refund; with `refresh`, the provider is asked about it first.

use jiff::SignedDuration;
use proto::order::v1::{self, GetRefundRequest};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, answer, fields, refuse};
use crate::{
    domain::{OrderId, RefundId},
    life::Life,
    store::{orders, refund_turns, refunds},
};

/// A refresh asks about a refund at most this often, however often it is called.
const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn handle(api: &Api, request: Request<GetRefundRequest>) -> Result<v1::Refund, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let mut violations = Violations::new();
    let name = fields::refund_name(&request.name);
    violations.check(
        name.is_some(),
        "name",
        "must look like orders/{uuid}/refunds/{uuid}, as CreateRefund returned it",
    );
    violations.finish()?;
    let (order, id) = name.ok_or_else(|| refuse::internal("a violation was not told"))?;
    if request.refresh {
        // Whose it is comes first: a stranger's call must not reach the provider.
        read(api, &app, order, id).await?;
        let life = api.life.clone();
        // A claim is given back even when the caller leaves.
        let finished = api.life.finish(async move { attend_to(&life, id).await }).await;
        finished.map_err(|error| refuse::broken(&error))?.map_err(|error| refuse::database(&error))?;
    }
    read(api, &app, order, id).await
}

async fn read(api: &Api, app: &str, order: OrderId, id: RefundId) -> Result<v1::Refund, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut conn = api.life.pool.acquire().await.map_err(failed)?;
    let own = orders::get(&mut conn, app, order).await.map_err(failed)?.is_some();
    let refund = refunds::get(&mut conn, id).await.map_err(failed)?;
    let refund = refund.filter(|refund| own && refund.order_id == order);
    refund.map(|refund| answer::refund(&refund)).ok_or_else(|| refuse::refund_not_found(&id.name(order)))
}

async fn attend_to(life: &Life, id: RefundId) -> sqlx::Result<()> {
    let now = life.clock.now();
    let asked_before = now.checked_sub(REFRESH_EVERY).unwrap_or(now);
    let claim = {
        let mut conn = life.pool.acquire().await?;
        refund_turns::claim(&mut conn, id, now, asked_before).await?
    };
    match claim {
        Some(claim) => life.attend_refund(claim).await,
        None => Ok(()),
    }
}
