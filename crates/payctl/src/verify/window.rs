use anyhow::Context as _;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use uuid::Uuid;

use super::{Limits, Sources, witnesses::bus};

/// Which orders are looked at, with everything that belongs to them. It is chosen once: two looks at one window can be compared.
///
/// Ids are `UUIDv7`, so an id is a time, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Only orders after this one.
    pub(super) after: Uuid,
    /// This one and those before it.
    pub(super) up_to: Uuid,
    /// Orders before the window, which are not looked at.
    pub older: i64,
    /// Whether they are left out because the streams no longer keep their facts; otherwise because they are too many.
    pub forgotten: bool,
}

impl Window {
    /// Every order, however many there are.
    pub const EVERYTHING: Self = Self { after: Uuid::nil(), up_to: Uuid::max(), older: 0, forgotten: false };

    /// The newest orders: as many as the limits allow, and not older than what the streams keep.
    ///
    /// # Errors
    /// When order-svc's database or the streams cannot be read.
    pub async fn newest(sources: &Sources, limits: &Limits) -> anyhow::Result<Self> {
        let mut window = Self::EVERYTHING;
        let look = "order-svc's orders cannot be counted";
        let last = sqlx::query_scalar("SELECT order_id FROM orders ORDER BY order_id DESC LIMIT 1");
        if let Some(last) = last.fetch_optional(&sources.orders).await.context(look)? {
            window.up_to = last;
        }
        let too_many = sqlx::query_scalar("SELECT order_id FROM orders ORDER BY order_id DESC OFFSET $1 LIMIT 1");
        let too_many = too_many.bind(i64::from(limits.orders)).fetch_optional(&sources.orders).await.context(look)?;
        if let Some(after) = too_many {
            window.after = after;
        }
        if let Some(since) = kept_since(sources).await? {
            let forgotten = "SELECT order_id FROM orders WHERE create_time < $1 ORDER BY order_id DESC LIMIT 1";
            let forgotten = sqlx::query_scalar(forgotten).bind(since.to_sqlx()).fetch_optional(&sources.orders).await;
            if let Some(after) = forgotten.context(look)?.filter(|after| window.after < *after) {
                window.after = after;
                window.forgotten = true;
            }
        }
        if window.after != Uuid::nil() {
            let older = sqlx::query_scalar("SELECT count(*) FROM orders WHERE order_id <= $1").bind(window.after);
            window.older = older.fetch_one(&sources.orders).await.context(look)?;
        }
        Ok(window)
    }

    /// Whether an order is in it, or whatever else has such an id.
    pub(super) fn has(&self, id: Uuid) -> bool {
        self.after < id && id <= self.up_to
    }
}

/// Since when the streams have every fact; `None` when they never lost one.
async fn kept_since(sources: &Sources) -> anyhow::Result<Option<Timestamp>> {
    let mut since = None;
    for stream in ["PAY", "ORDER"] {
        if let Some(stream) = bus::open(&sources.jetstream, stream).await? {
            since = since.max(stream.kept_since());
        }
    }
    Ok(since)
}
