//! `CreateProductCode`: one row in one transaction with its answer; nothing leaves for a provider. The answer is kept without its
//! QR code, which is signed anew each time it is told.

use std::sync::Arc;

use money::Fen;
use proto::order::v1::{self, CreateProductCodeRequest};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};
use uuid::Uuid;

use super::{
    Api, fields,
    images::Images,
    particulars, pay_order, product_code, refuse,
    replay::{self, Named, content_of},
};
use crate::{
    domain::{ProductCodeId, payment::Method, product_code::ProductCode},
    gateway::Merchant,
    store::{as_kept, product_codes},
};

/// The whole call is one transaction, so nobody ever sees this lease.
const LEASE_S: u32 = 1;

pub(super) async fn handle(api: &Api, request: Request<CreateProductCodeRequest>) -> Result<v1::ProductCode, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let content_sha256 = content_of(&CreateProductCodeRequest { request_id: String::new(), ..request.clone() });
    let kept = match check(api, &request).await {
        Ok(wanted) => {
            let product = product(api, &app, &request, &wanted.merchant, wanted.app_id);
            let named = Named { app, request_id: wanted.request_id, rpc: "CreateProductCode", content_sha256 };
            create(api, &named, &request, product).await?
        }
        // What was right when it was first asked is still answered the same when the merchant's file has changed.
        Err(refusal) => {
            replay::or_refuse(api, &app, &request.request_id, "CreateProductCode", content_sha256, refusal).await?
        }
    };
    show(api, &kept, Images::wanted(&request.images, "images", &mut Violations::new())).await
}

/// What was kept, with its QR code. It shows the product as it was made.
async fn show(api: &Api, kept: &v1::ProductCode, images: Images) -> Result<v1::ProductCode, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    let id: ProductCodeId =
        kept.name.parse().map_err(|_| refuse::internal("a product code was kept without a name"))?;
    let product = {
        let mut conn = api.life.pool.acquire().await.map_err(failed)?;
        product_codes::find(&mut conn, id).await.map_err(failed)?.ok_or_else(|| refuse::product_code_not_found(id))?
    };
    let signed = product_code::signed(api, &ProductCode { close_time: None, ..product }, images).await?;
    if signed.code_url.is_empty() {
        return Err(refuse::method_not_available(format!(
            "the QR code of {id} cannot be signed: merchant {} or its app {} is no longer configured",
            signed.merchant, signed.app_id
        )));
    }
    Ok(signed)
}

fn product(
    api: &Api,
    app: &str,
    request: &CreateProductCodeRequest,
    merchant: &Merchant,
    app_id: String,
) -> ProductCode {
    let now = as_kept(api.life.clock.now());
    ProductCode {
        id: ProductCodeId(api.life.clock.uuid_v7()),
        app: app.to_owned(),
        product_no: request.product_no.clone(),
        merchant: merchant.name.clone(),
        provider: merchant.provider.clone(),
        mch_id: merchant.mch_id.clone(),
        app_id,
        amount: Fen::new(request.amount_fen),
        description: request.description.clone(),
        particulars: request.particulars.clone(),
        create_time: now,
        close_time: None,
    }
}

async fn create(
    api: &Api,
    named: &Named,
    request: &CreateProductCodeRequest,
    product: ProductCode,
) -> Result<v1::ProductCode, Status> {
    let failed = |error: sqlx::Error| refuse::database(&error);
    // Which pictures are wanted makes no other product.
    let same = CreateProductCodeRequest { request_id: String::new(), images: Vec::new(), ..request.clone() };
    let content = content_of(&same);
    let mut tx = api.life.pool.begin().await.map_err(failed)?;
    if let Err(replayed) = named.take::<v1::ProductCode>(&mut tx, LEASE_S).await? {
        return Ok(replayed);
    }
    let created = product_codes::insert(&mut tx, &product, &content).await.map_err(failed)?;
    let product = if created {
        product
    } else {
        // The team's own number decides: the same product asked for under another request id is the same product.
        let known = product_codes::by_product_no(&mut tx, &product.app, &product.product_no).await.map_err(failed)?;
        let Some((id, known)) = known else { return Err(refuse::in_progress()) };
        if known != content {
            return Err(refuse::product_no_reused(id));
        }
        product_codes::find(&mut tx, id).await.map_err(failed)?.ok_or_else(refuse::in_progress)?
    };
    let kept = named.keep(&mut tx, product_code::unsigned(&product)).await?;
    svc_kit::crash::point("order.product.before_commit");
    tx.commit().await.map_err(failed)?;
    svc_kit::crash::point("order.product.committed");
    if created {
        tracing::info!(product_code = kept.name, merchant = kept.merchant, "product code created");
    }
    Ok(kept)
}

struct Wanted {
    request_id: Uuid,
    merchant: Arc<Merchant>,
    app_id: String,
}

async fn check(api: &Api, request: &CreateProductCodeRequest) -> Result<Wanted, Status> {
    let mut violations = Violations::new();
    let request_id = fields::request_id(&request.request_id, &mut violations);
    violations.check(
        fields::is_order_no(&request.product_no),
        "product_no",
        "must be 1 to 64 of [0-9A-Za-z_.:-]: your own number of the product",
    );
    fields::check_price(request.amount_fen, &mut violations);
    fields::check_description(&request.description, &mut violations);
    fields::check_app_id(&request.app_id, "app_id", &mut violations);
    particulars::check(request.particulars.as_ref(), &mut violations);
    Images::wanted(&request.images, "images", &mut violations);
    let merchant = fields::merchant(api, &request.merchant, &mut violations).await?;
    violations.check(
        merchant.as_ref().is_none_or(|merchant| merchant.sub_mch_id.is_empty()),
        "merchant",
        "is in service-provider mode, where WeChat has no product codes",
    );
    violations.finish()?;
    let (Some(request_id), Some(merchant)) = (request_id, merchant) else {
        return Err(refuse::internal("a violation was not told"));
    };
    let app = pay_order::app::choose(&merchant, Method::Native, &request.app_id);
    let app = app.map_err(refuse::method_not_available)?;
    let app_id = app.app_id.clone();
    Ok(Wanted { request_id, merchant, app_id })
}
