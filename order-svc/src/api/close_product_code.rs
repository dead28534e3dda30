//! `CloseProductCode`: takes a product out of sale, in one transaction with its answer.

use proto::order::v1::{self, CloseProductCodeRequest};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{
    Api, fields, product_code, refuse,
    replay::{Named, content_of},
};
use crate::{
    domain::{ProductCodeId, product_code::ProductCode},
    store::{as_kept, product_codes},
};

/// The whole call is one transaction, so nobody ever sees this lease.
const LEASE_S: u32 = 1;

pub(super) async fn handle(api: &Api, request: Request<CloseProductCodeRequest>) -> Result<v1::ProductCode, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    let id = fields::product_code_name(&request.name, &mut violations);
    violations.finish()?;
    let (Some(request_id), Some(id)) = (request_id, id) else {
        return Err(refuse::internal("a violation was not told"));
    };
    let content_sha256 = content_of(&CloseProductCodeRequest { request_id: String::new(), ..request });
    close(api, &Named { app, request_id, rpc: "CloseProductCode", content_sha256 }, id).await
}

async fn close(api: &Api, named: &Named, id: ProductCodeId) -> Result<v1::ProductCode, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let now = as_kept(api.life.clock.now());
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    let of_app = |product: &ProductCode| product.app == named.app;
    if !product_codes::find(&mut tx, id).await.map_err(failed)?.is_some_and(|product| of_app(&product)) {
        return Err(refuse::product_code_not_found(id));
    }
    if let Err(replayed) = named.take::<v1::ProductCode>(&mut tx, LEASE_S).await? {
        return Ok(replayed);
    }
    product_codes::close(&mut tx, id, now).await.map_err(failed)?;
    let closed = product_codes::find(&mut tx, id).await.map_err(failed)?;
    let closed = closed.ok_or_else(|| refuse::product_code_not_found(id))?;
    let response = named.keep(&mut tx, product_code::unsigned(&closed)).await?;
    svc_kit::crash::point("order.product_close.before_commit");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.product_close.committed");
    tracing::info!(product_code = response.name, "product code taken out of sale");
    Ok(response)
}
