use std::collections::{BTreeMap, BTreeSet};

use super::Addresses;
use crate::{
    ports::Port,
    proxy::{Protocol, Proxy},
};

/// A way from one part to another on which things can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// Orders and payments.
    OrderSvcToPostgres,
    /// Facts come, events go.
    OrderSvcToNats,
    /// Prepay, query, close.
    OrderSvcToPayGateway,
    /// Facts go.
    NotifySvcToNats,
    /// Calls to WeChat.
    PayGatewayToSandbox,
    /// WeChat's callbacks.
    SandboxToNotifySvc,
    /// Books and runs.
    ReconcileSvcToPostgres,
    /// Facts come, discrepancies go.
    ReconcileSvcToNats,
    /// Bills.
    ReconcileSvcToPayGateway,
}

impl Link {
    /// Every link.
    pub const ALL: [Link; 9] = [
        Link::OrderSvcToPostgres,
        Link::OrderSvcToNats,
        Link::OrderSvcToPayGateway,
        Link::NotifySvcToNats,
        Link::PayGatewayToSandbox,
        Link::SandboxToNotifySvc,
        Link::ReconcileSvcToPostgres,
        Link::ReconcileSvcToNats,
        Link::ReconcileSvcToPayGateway,
    ];

    fn protocol(self) -> Protocol {
        match self {
            Link::OrderSvcToPostgres | Link::ReconcileSvcToPostgres => Protocol::Postgres,
            Link::OrderSvcToNats | Link::NotifySvcToNats | Link::ReconcileSvcToNats => Protocol::Nats,
            Link::OrderSvcToPayGateway
            | Link::PayGatewayToSandbox
            | Link::SandboxToNotifySvc
            | Link::ReconcileSvcToPayGateway => Protocol::Bytes,
        }
    }

    fn target(self, at: &Addresses) -> &Port {
        match self {
            Link::OrderSvcToPostgres | Link::ReconcileSvcToPostgres => &at.postgres,
            Link::OrderSvcToNats | Link::NotifySvcToNats | Link::ReconcileSvcToNats => &at.nats,
            Link::OrderSvcToPayGateway | Link::ReconcileSvcToPayGateway => &at.gateway,
            Link::PayGatewayToSandbox => &at.sandbox,
            Link::SandboxToNotifySvc => &at.notify,
        }
    }
}

/// The links of a world that lead through proxies. All others are direct.
#[derive(Debug, Default)]
pub struct Links(BTreeMap<Link, Proxy>);

impl Links {
    /// Opens a proxy for each.
    pub(super) async fn open(links: &BTreeSet<Link>, at: &Addresses) -> Self {
        let mut open = BTreeMap::new();
        for link in links {
            open.insert(*link, Proxy::start(link.target(at).address(), link.protocol()).await);
        }
        Self(open)
    }

    /// The proxy of a link that has one.
    pub(super) fn get(&self, link: Link) -> Option<&Proxy> {
        self.0.get(&link)
    }

    /// Where a link begins: at its proxy, or at its end.
    pub(super) fn way<'a>(&'a self, link: Link, at: &'a Addresses) -> &'a Port {
        self.get(link).map_or_else(|| link.target(at), Proxy::port)
    }
}
