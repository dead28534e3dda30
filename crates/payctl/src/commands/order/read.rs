//! `payctl order get` and `payctl order watch`.

use std::process::ExitCode;

use anyhow::Context as _;
use proto::order::v1::{GetOrderRequest, ListRefundsRequest, Order, Refund, WatchOrderRequest, order::State};
use serde::Serialize;

use super::{Connection, Done, refusal, show};
use crate::{output, refusal as refused};

/// Most refunds of one order that are shown.
const MOST_REFUNDS: i32 = 200;

/// What `payctl order get` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct GetArgs {
    /// The order: `orders/{uuid}`, its UUID, or the team's own number.
    order: String,
    /// Ask the provider about open payments first.
    #[arg(long)]
    refresh: bool,
}

/// What `payctl order watch` can be told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 the order ended as paid, 1 it ended unpaid, or the stream ended before it did, 2 bad use, or it could not be watched."
)]
pub(super) struct WatchArgs {
    /// The order: `orders/{uuid}`, its UUID, or the team's own number.
    order: String,
}

#[derive(Serialize)]
struct Whole {
    order: Order,
    refunds: Vec<Refund>,
}

pub(super) async fn get(connection: &mut Connection, args: &GetArgs) -> anyhow::Result<Done> {
    let name = connection.order_name(&args.order).await?;
    let request = GetOrderRequest { name: name.clone(), refresh: args.refresh };
    let order = connection.orders.get_order(request).await?.into_inner();
    let request = ListRefundsRequest { order: name, page_size: MOST_REFUNDS, page_token: String::new() };
    let refunds = connection.orders.list_refunds(request).await?.into_inner().refunds;
    let mut text = show::order(&order);
    text.extend(refunds.iter().map(|refund| format!("  refund       {}", show::refund(refund))));
    Done::of(&Whole { order, refunds }, text)
}

/// Prints each state when it comes.
pub(super) async fn watch(connection: &mut Connection, args: &WatchArgs, json: bool) -> anyhow::Result<ExitCode> {
    match watched(connection, args, json).await {
        Ok(Some(last)) if last.paid_time.is_some() => Ok(output::GOOD),
        Ok(Some(last)) if last.state() == State::Pending => {
            output::note("the stream has ended and the order has not: it can still be paid; watch it again");
            Ok(output::no())
        }
        Ok(_) => Ok(output::no()),
        Err(error) => refused::tell(error, json, refusal::fix),
    }
}

/// The last state that was told.
async fn watched(connection: &mut Connection, args: &WatchArgs, json: bool) -> anyhow::Result<Option<Order>> {
    let name = connection.order_name(&args.order).await?;
    let mut states = connection.orders.watch_order(WatchOrderRequest { name }).await?.into_inner();
    let mut last = None;
    while let Some(order) = states.message().await? {
        let line = if json {
            serde_json::to_string(&order).context("the order is no JSON")?
        } else {
            format!("{} {}", show::now(), show::state_line(&order))
        };
        output::print(&format!("{line}\n"))?;
        last = Some(order);
    }
    Ok(last)
}
