//! `payctl order create`.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use jiff::SignedDuration;
use proto::{
    order::v1::{CreateOrderRequest, Goods, Particulars, Store},
    time::to_wire,
};
use svc_kit::clock::Clock;

use super::{Connection, Done, RequestId, show};
use crate::{
    duration,
    input::{self, MOST_SETTING_BYTES},
};

/// What `payctl order create` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct CreateArgs {
    /// The team's own number: 1 to 64 of 0-9 A-Z a-z _ . : -
    #[arg(long)]
    order_no: String,
    /// The merchant account that gets the money.
    #[arg(long)]
    merchant: String,
    /// The price in fen (1/100 yuan).
    #[arg(long)]
    amount_fen: i64,
    /// What the payer reads.
    #[arg(long)]
    description: String,
    /// How long it can be paid, such as 15m or 2h; 30 minutes when absent. A repetition with the same request id must give
    /// `--expire-at` instead, because the content may not change.
    #[arg(long, value_parser = duration::parse, conflicts_with = "expire_at")]
    expire_in: Option<Duration>,
    /// Until when it can be paid, RFC 3339.
    #[arg(long)]
    expire_at: Option<jiff::Timestamp>,
    #[command(flatten)]
    particulars: ParticularsArgs,
    #[command(flatten)]
    request: RequestId,
}

/// What else an order tells WeChat.
#[derive(Debug, clap::Args)]
struct ParticularsArgs {
    /// Comes back in the order, its events and the bill.
    #[arg(long)]
    attach: Option<String>,
    /// A file with the goods, JSON: {"items": [{"goodsId": "tea-1", "quantity": "2", "priceFen": "495"}]}.
    #[arg(long, value_name = "FILE")]
    goods: Option<PathBuf>,
    /// The tag that coupons are tied to.
    #[arg(long)]
    goods_tag: Option<String>,
    /// No credit cards.
    #[arg(long)]
    no_credit: bool,
    /// Show the payer the way to an electronic invoice.
    #[arg(long)]
    receipt: bool,
    /// Freeze the money for profit sharing.
    #[arg(long)]
    profit_sharing: bool,
    /// The terminal.
    #[arg(long)]
    device_info: Option<String>,
    /// The team's number of the store that sells.
    #[arg(long)]
    store_id: Option<String>,
    /// The store's name.
    #[arg(long, requires = "store_id")]
    store_name: Option<String>,
    /// Six digits of the store's administrative division.
    #[arg(long, requires = "store_id")]
    store_area_code: Option<String>,
    /// The store's address.
    #[arg(long, requires = "store_id")]
    store_address: Option<String>,
}

impl ParticularsArgs {
    /// `None` when nothing is told.
    fn read(&self) -> anyhow::Result<Option<Particulars>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let goods: Option<Goods> = match &self.goods {
            Some(file) => {
                let bytes = input::read(Some(file), MOST_SETTING_BYTES)?;
                Some(serde_json::from_slice(&bytes).with_context(|| format!("{} holds no goods", file.display()))?)
            }
            None => None,
        };
        let store = self.store_id.clone().map(|id| Store {
            id,
            name: text(&self.store_name),
            area_code: text(&self.store_area_code),
            address: text(&self.store_address),
        });
        let particulars = Particulars {
            attach: text(&self.attach),
            goods,
            goods_tag: text(&self.goods_tag),
            no_credit: self.no_credit,
            receipt: self.receipt,
            profit_sharing: self.profit_sharing,
            device_info: text(&self.device_info),
            store,
        };
        Ok((particulars != Particulars::default()).then_some(particulars))
    }
}

pub(super) async fn run(connection: &mut Connection, args: &CreateArgs) -> anyhow::Result<Done> {
    let particulars = args.particulars.read()?;
    let expire_at = match args.expire_in {
        Some(time) => {
            let time = SignedDuration::try_from(time).context("--expire-in is too long")?;
            Some(Clock::system().now().checked_add(time).context("--expire-in is too long")?)
        }
        None => args.expire_at,
    };
    let request = CreateOrderRequest {
        request_id: args.request.told(),
        order_no: args.order_no.clone(),
        merchant: args.merchant.clone(),
        amount_fen: args.amount_fen,
        description: args.description.clone(),
        expire_time: expire_at.map(to_wire),
        particulars,
    };
    let order = connection.orders.create_order(request).await?.into_inner();
    Done::of(&order, show::order(&order))
}
