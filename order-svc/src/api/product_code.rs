//! Product codes as the teams see them.
//!
//! The text of a QR code is signed anew for each answer and never kept: what is printed once goes on selling, and after a merchant's
//! key was changed the next answer shows a code that WeChat still takes. Nothing is sent for it, so an answer is never unknown.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use proto::{order::v1, time::to_wire};
use tonic::{Code, Status};

use super::{Api, images::Images, refuse};
use crate::domain::product_code::ProductCode;

/// Signatures of one list that are asked for at once.
const SIGNED_AT_ONCE: usize = 16;

/// A product code without its QR code.
pub(super) fn unsigned(product: &ProductCode) -> v1::ProductCode {
    v1::ProductCode {
        name: product.id.to_string(),
        product_id: product.id.product_id(),
        product_no: product.product_no.clone(),
        merchant: product.merchant.clone(),
        app_id: product.app_id.clone(),
        amount_fen: product.amount.get(),
        description: product.description.clone(),
        particulars: product.particulars.clone(),
        create_time: Some(to_wire(product.create_time)),
        close_time: product.close_time.map(to_wire),
        ..v1::ProductCode::default()
    }
}

/// With its QR code. One that is out of sale has none, nor has one whose merchant or app is no longer configured.
pub(super) async fn signed(api: &Api, product: &ProductCode, images: Images) -> Result<v1::ProductCode, Status> {
    let mut answer = unsigned(product);
    if product.close_time.is_some() {
        return Ok(answer);
    }
    match api.life.gateway.sign_product_code(product).await {
        Ok(code_url) => {
            let drawn = images.draw(&code_url);
            (answer.code_url, answer.qr_svg, answer.qr_png) = (code_url, drawn.svg, drawn.png);
            Ok(answer)
        }
        Err(status) if matches!(status.code(), Code::NotFound | Code::FailedPrecondition | Code::InvalidArgument) => {
            tracing::warn!(product_code = %product.id, "cannot be signed: {}", status.message());
            Ok(answer)
        }
        Err(status) => {
            tracing::warn!(product_code = %product.id, code = ?status.code(), "not signed: {}", status.message());
            Err(refuse::try_again("the gateway cannot sign the QR code now; retry"))
        }
    }
}

/// All of a page, in its order.
pub(super) async fn signed_all(api: &Api, products: Vec<ProductCode>) -> Result<Vec<v1::ProductCode>, Status> {
    let signing = products.into_iter().map(|product| {
        let api = api.clone();
        async move { signed(&api, &product, Images::default()).await }
    });
    stream::iter(signing).buffered(SIGNED_AT_ONCE).try_collect().await
}
