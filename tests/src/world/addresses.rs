use crate::ports::Port;

/// Where everybody of a world listens, on this machine only.
#[derive(Debug)]
pub struct Addresses {
    /// The sandbox: WeChat's API, the control API, the page.
    pub sandbox: Port,
    /// The sandbox over TLS: WeChat's API again, with the calls that need a certificate.
    pub sandbox_tls: Port,
    /// pay-gateway's gRPC.
    pub gateway: Port,
    /// pay-gateway's admin pages.
    pub gateway_admin: Port,
    /// notify-svc's public HTTP.
    pub notify: Port,
    /// notify-svc's admin pages.
    pub notify_admin: Port,
    /// order-svc's gRPC.
    pub order: Port,
    /// order-svc's admin pages.
    pub order_admin: Port,
    /// reconcile-svc's gRPC.
    pub reconcile: Port,
    /// reconcile-svc's report pages.
    pub report: Port,
    /// reconcile-svc's admin pages.
    pub reconcile_admin: Port,
    /// Postgres.
    pub postgres: Port,
    /// NATS clients.
    pub nats: Port,
    /// The monitor of NATS.
    pub nats_monitor: Port,
}

impl Addresses {
    /// Ports that nobody uses, reserved for this world.
    pub fn free() -> Self {
        Self::each(|_, _| Port::reserve())
    }

    /// The ports that the documents name, whoever listens there.
    pub fn documented() -> Self {
        Self::each(|_, number| Port::documented(number))
    }

    /// Those of the documented ports that nobody can listen on now, with whose they should be.
    pub fn documented_taken() -> Vec<(Port, String)> {
        let mut taken = Vec::new();
        Self::each(|name, number| {
            let port = Port::documented(number);
            if port.is_taken() {
                taken.push((Port::documented(number), name.to_owned()));
            }
            port
        });
        taken
    }

    fn each(mut port: impl FnMut(&str, u16) -> Port) -> Self {
        Self {
            sandbox: port("sandbox", 9900),
            sandbox_tls: port("sandbox over TLS", 9943),
            gateway: port("pay-gateway", 50052),
            gateway_admin: port("pay-gateway admin", 9102),
            notify: port("notify-svc", 8080),
            notify_admin: port("notify-svc admin", 9103),
            order: port("order-svc", 50051),
            order_admin: port("order-svc admin", 9101),
            reconcile: port("reconcile-svc", 50053),
            report: port("report pages", 8083),
            reconcile_admin: port("reconcile-svc admin", 9104),
            postgres: port("Postgres", 54320),
            nats: port("NATS", 42220),
            nats_monitor: port("NATS monitor", 48222),
        }
    }
}
