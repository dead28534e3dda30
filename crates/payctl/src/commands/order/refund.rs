//! `payctl order refund`.

use proto::order::v1::CreateRefundRequest;

use super::{Connection, Done, RequestId, show};

/// What `payctl order refund` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct RefundArgs {
    /// The order: `orders/{uuid}`, its UUID, or the team's own number.
    order: String,
    /// How much goes back, in fen.
    #[arg(long)]
    amount_fen: i64,
    /// What the payer reads.
    #[arg(long)]
    reason: Option<String>,
    /// Which payment gives it, `orders/{uuid}/payments/{uuid}`; the one that paid the order when absent.
    #[arg(long)]
    payment: Option<String>,
    #[command(flatten)]
    request: RequestId,
}

pub(super) async fn run(connection: &mut Connection, args: &RefundArgs) -> anyhow::Result<Done> {
    let order = connection.order_name(&args.order).await?;
    let request = CreateRefundRequest {
        request_id: args.request.told(),
        order,
        amount_fen: args.amount_fen,
        reason: args.reason.clone().unwrap_or_default(),
        payment: args.payment.clone().unwrap_or_default(),
        goods: Vec::new(),
    };
    let refund = connection.orders.create_refund(request).await?.into_inner();
    Done::of(&refund, show::refund(&refund))
}
