//! `payctl order …`: the teams' API.

mod connection;
mod create;
mod pay;
mod qr;
mod read;
mod refund;
mod refusal;
mod show;

use std::process::ExitCode;

use proto::order::v1::CloseOrderRequest;
use serde::Serialize;
use serde_json::Value;

use crate::{output, refusal as refused, request_id::RequestId};
use connection::{Connection, ConnectionArgs};

/// What every command of `payctl order` takes, and which one it is.
#[derive(Debug, clap::Args)]
pub(crate) struct OrderArgs {
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Print one JSON object instead of text; `watch` prints one for each state.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, clap::Subcommand)]
enum OrderCommand {
    /// Create an order; nothing leaves for the provider yet.
    Create(Box<create::CreateArgs>),
    /// Start a payment, and print what opens the cashier: a QR code, a link, or signed parameters.
    Pay(Box<pay::PayArgs>),
    /// Read an order with its payments and refunds.
    Get(read::GetArgs),
    /// Print the order now and at each change, until nobody can pay it any more.
    Watch(read::WatchArgs),
    /// Close an order that is not paid.
    Close(NameArgs),
    /// Give money back.
    Refund(refund::RefundArgs),
}

/// Names an order, and the request about it.
#[derive(Debug, clap::Args)]
struct NameArgs {
    /// The order: `orders/{uuid}`, its UUID, or the team's own number.
    order: String,
    #[command(flatten)]
    request: RequestId,
}

/// What a call came to: the message for programs, the text for people.
struct Done {
    json: Value,
    text: String,
}

impl Done {
    fn of(message: &impl Serialize, text: String) -> anyhow::Result<Done> {
        Ok(Done { json: serde_json::to_value(message)?, text })
    }
}

/// Does it, and prints the answer or why there is none.
pub(crate) async fn run(args: &OrderArgs) -> anyhow::Result<ExitCode> {
    let mut connection = args.connection.open()?;
    let done = match &args.command {
        OrderCommand::Create(create) => create::run(&mut connection, create).await,
        OrderCommand::Pay(pay) => pay::run(&mut connection, pay).await,
        OrderCommand::Get(get) => read::get(&mut connection, get).await,
        OrderCommand::Watch(watch) => return read::watch(&mut connection, watch, args.json).await,
        OrderCommand::Close(name) => close(&mut connection, name).await,
        OrderCommand::Refund(refund) => refund::run(&mut connection, refund).await,
    };
    match done {
        Ok(done) if args.json => output::print_json(&done.json).map(|()| output::GOOD),
        Ok(done) => output::print(&done.text).map(|()| output::GOOD),
        Err(error) => refused::tell(error, args.json, refusal::fix),
    }
}

async fn close(connection: &mut Connection, args: &NameArgs) -> anyhow::Result<Done> {
    let name = connection.order_name(&args.order).await?;
    let request = CloseOrderRequest { request_id: args.request.told(), name };
    let order = connection.orders.close_order(request).await?.into_inner();
    Done::of(&order, show::order(&order))
}
