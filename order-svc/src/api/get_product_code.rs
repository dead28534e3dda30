//! `GetProductCode`: reads a product code, with its QR code.

use proto::order::v1::{self, GetProductCodeRequest};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, fields, images::Images, product_code, refuse};
use crate::{
    domain::{ProductCodeId, product_code::ProductCode},
    store::product_codes,
};

pub(super) async fn handle(api: &Api, request: Request<GetProductCodeRequest>) -> Result<v1::ProductCode, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let mut violations = Violations::new();
    let id = fields::product_code_name(&request.name, &mut violations);
    let images = Images::wanted(&request.images, "images", &mut violations);
    violations.finish()?;
    let id = id.ok_or_else(|| refuse::internal("a violation was not told"))?;
    let product = read(api, &app, id).await?;
    product_code::signed(api, &product, images).await
}

/// A product code of that app.
async fn read(api: &Api, app: &str, id: ProductCodeId) -> Result<ProductCode, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let mut conn = api.life.pool.acquire().await.map_err(failed)?;
    let product = product_codes::find(&mut conn, id).await.map_err(failed)?;
    product.filter(|product| product.app == app).ok_or_else(|| refuse::product_code_not_found(id))
}
