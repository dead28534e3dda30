use proto::order::v1::{
    self, CloseOrderRequest, GetOrderRequest, ListRefundsRequest, WatchOrderRequest, order, pay_order_request::Method,
};
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::{Cashier, MINI_PROGRAM, OFFICIAL_ACCOUNT, Orders, Paying, Refund, Refunding, Team, team::patient};
use crate::eventually;

/// An order that a team looks at. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Order {
    team: Team,
    name: String,
}

impl Order {
    pub(super) fn new(team: Team, name: String) -> Self {
        Self { team, name }
    }

    /// `orders/{uuid}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The UUID in the name, as event ids have it.
    pub fn id(&self) -> &str {
        self.name.trim_start_matches("orders/")
    }

    /// Whose it is.
    pub fn team(&self) -> &Team {
        &self.team
    }

    /// As it is now.
    ///
    /// # Panics
    /// When the read is refused.
    pub async fn now(&self) -> v1::Order {
        self.read(false).await
    }

    /// As it is after WeChat was asked. An attempt is asked about at most once per second of the sandbox's clock.
    ///
    /// # Panics
    /// When the read is refused.
    pub async fn refreshed(&self) -> v1::Order {
        self.read(true).await
    }

    /// Waits until it is in this state.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn becomes(&self, state: order::State) -> v1::Order {
        eventually(&format!("{} becomes {}", self.name, state.as_str_name()), || {
            let (mut orders, request) = (self.team.orders(), self.get(false));
            async move {
                let order = orders.get_order(request).await.map_err(|status| format!("{status:?}"))?.into_inner();
                if order.state() == state { Ok(order) } else { Err(order.state().as_str_name().to_owned()) }
            }
        })
        .await
    }

    /// Asks with refresh until it is in this state: one question may stay without an answer on a slow machine.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn becomes_when_asked(&self, state: order::State) -> v1::Order {
        eventually(&format!("{} becomes {} when asked", self.name, state.as_str_name()), || {
            let (mut orders, request) = (self.team.orders(), self.get(true));
            async move {
                let order = orders.get_order(request).await.map_err(|status| format!("{status:?}"))?.into_inner();
                if order.state() == state { Ok(order) } else { Err(order.state().as_str_name().to_owned()) }
            }
        })
        .await
    }

    /// Opens its cashier in the merchant's mini program, for a payer whose openid the team knows.
    pub fn pay_by_openid(&self) -> Paying {
        Paying::mini_program(self.clone(), v1::mini_program::Payer::Openid(some_openid()))
    }

    /// Opens its cashier in the merchant's mini program, for the payer who just logged in.
    pub fn pay_by_login_code(&self, code: &str) -> Paying {
        Paying::mini_program(self.clone(), v1::mini_program::Payer::LoginCode(code.to_owned()))
    }

    /// Opens its cashier in a page of the official account of the usual merchant.
    pub async fn jsapi(&self) -> Cashier {
        let method =
            v1::Jsapi { app_id: OFFICIAL_ACCOUNT.to_owned(), payer: Some(v1::jsapi::Payer::Openid(some_openid())) };
        Paying::by(self.clone(), v1::pay_order_request::Method::Jsapi(method)).await
    }

    /// Opens its cashier in a page of the official account of the usual merchant, for whom WeChat's redirect brought.
    pub fn pay_by_oauth_code(&self, code: &str) -> Paying {
        let payer = Some(v1::jsapi::Payer::OauthCode(code.to_owned()));
        self.pay_by(Method::Jsapi(v1::Jsapi { app_id: OFFICIAL_ACCOUNT.to_owned(), payer }))
    }

    /// Shows a QR code, under the usual merchant's mini program.
    pub fn pay_by_qr(&self) -> Paying {
        self.pay_by(Method::Native(v1::Native { app_id: MINI_PROGRAM.to_owned(), ..v1::Native::default() }))
    }

    /// Charges what a till has scanned, under the usual merchant's mini program.
    pub fn pay_by_code(&self, auth_code: &str) -> Paying {
        self.pay_by(Method::PayCode(v1::PayCode { app_id: MINI_PROGRAM.to_owned(), auth_code: auth_code.to_owned() }))
    }

    /// In any way.
    pub fn pay_by(&self, method: Method) -> Paying {
        Paying::by(self.clone(), method)
    }

    /// Gives it up.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn close(&self) -> v1::Order {
        let request = CloseOrderRequest { request_id: Uuid::new_v4().to_string(), name: self.name.clone() };
        let close = |mut orders: Orders, request| async move { orders.close_order(request).await };
        let closed = patient("CloseOrder", self.team.clone(), request, close).await;
        closed.unwrap_or_else(|status| panic!("CloseOrder: {status:?}"))
    }

    /// Gives it up, calling once.
    ///
    /// # Errors
    /// The status, as the team sees it.
    pub async fn attempt_close(&self) -> Result<v1::Order, Status> {
        let request = CloseOrderRequest { request_id: Uuid::new_v4().to_string(), name: self.name.clone() };
        Ok(self.team.orders().close_order(request).await?.into_inner())
    }

    /// Gives so much of its money back. Await it, or change it first.
    pub fn refund(&self, amount_fen: i64) -> Refunding {
        Refunding::new(self.clone(), amount_fen)
    }

    /// Its refunds, oldest first: at most 200, which is more than an order has.
    ///
    /// # Panics
    /// When the read is refused.
    pub async fn refunds(&self) -> Vec<Refund> {
        let request = ListRefundsRequest { order: self.name.clone(), page_size: 200, page_token: String::new() };
        let list = |mut orders: Orders, request| async move { orders.list_refunds(request).await };
        let listed = patient("ListRefunds", self.team.clone(), request, list).await;
        let listed = listed.unwrap_or_else(|status| panic!("ListRefunds: {status:?}"));
        listed.refunds.into_iter().map(|told| Refund::new(self.clone(), told)).collect()
    }

    /// Waits until it has exactly so many refunds, and returns them.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn has_refunds(&self, count: usize) -> Vec<Refund> {
        eventually(&format!("{} has {count} refunds", self.name), async || {
            let refunds = self.refunds().await;
            if refunds.len() == count { Ok(refunds) } else { Err(refunds.len()) }
        })
        .await
    }

    /// Follows it until its end.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn watch(&self) -> Streaming<v1::Order> {
        let request = WatchOrderRequest { name: self.name.clone() };
        let watch = |mut orders: Orders, request| async move { orders.watch_order(request).await };
        let watched = patient("WatchOrder", self.team.clone(), request, watch).await;
        watched.unwrap_or_else(|status| panic!("WatchOrder: {status:?}"))
    }

    async fn read(&self, refresh: bool) -> v1::Order {
        let get = |mut orders: Orders, request| async move { orders.get_order(request).await };
        let read = patient("GetOrder", self.team.clone(), self.get(refresh), get).await;
        read.unwrap_or_else(|status| panic!("GetOrder: {status:?}"))
    }

    fn get(&self, refresh: bool) -> GetOrderRequest {
        GetOrderRequest { name: self.name.clone(), refresh }
    }
}

fn some_openid() -> String {
    format!("oPayer{}", &Uuid::new_v4().simple().to_string()[..20])
}
