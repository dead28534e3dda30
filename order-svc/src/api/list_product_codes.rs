//! `ListProductCodes`: pages of one team's product codes, newest first.

use proto::order::v1::{ListProductCodesRequest, ListProductCodesResponse};
use svc_kit::refusal::Violations;
use tonic::{Request, Status};

use super::{Api, fields, pages, product_code, refuse};
use crate::{domain::ProductCodeId, store::product_codes};

pub(super) async fn handle(
    api: &Api,
    request: Request<ListProductCodesRequest>,
) -> Result<ListProductCodesResponse, Status> {
    let app = api.apps.caller(request.metadata())?;
    let request = request.into_inner();
    let same = ListProductCodesRequest { page_token: String::new(), page_size: 0, ..request.clone() };
    let seal = pages::seal(&app, &same);
    let mut violations = Violations::new();
    let size = pages::size(request.page_size, &mut violations);
    let product_no = Some(request.product_no.as_str()).filter(|number| !number.is_empty());
    violations.check(
        product_no.is_none_or(fields::is_order_no),
        "product_no",
        "must be 1 to 64 of [0-9A-Za-z_.:-], or absent",
    );
    let before = pages::before(&request.page_token, &seal, &mut violations).map(ProductCodeId);
    violations.finish()?;
    let found = async {
        let mut conn = api.life.pool.acquire().await?;
        // One more than the page tells whether there is another.
        product_codes::list(&mut conn, &app, product_no, before, i64::from(size) + 1).await
    };
    let mut found = found.await.map_err(|error| refuse::database(&error))?;
    let next_page_token = pages::cut(&mut found, size, &seal, |product| product.id.0);
    Ok(ListProductCodesResponse { product_codes: product_code::signed_all(api, found).await?, next_page_token })
}
