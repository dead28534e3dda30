use std::fmt;

/// A process of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The databases.
    Postgres,
    /// The bus.
    Nats,
    /// WeChat.
    Sandbox,
    /// Calls WeChat.
    PayGateway,
    /// Takes WeChat's callbacks.
    NotifySvc,
    /// Owns orders and payments.
    OrderSvc,
    /// Compares bills with books.
    ReconcileSvc,
}

impl Part {
    /// Our own programs, in the order in which they start.
    pub const OURS: [Part; 5] = [Part::Sandbox, Part::PayGateway, Part::NotifySvc, Part::OrderSvc, Part::ReconcileSvc];

    /// The program's name, and its log's.
    pub fn program(self) -> &'static str {
        match self {
            Part::Postgres => "postgres",
            Part::Nats => "nats",
            Part::Sandbox => "sandbox",
            Part::PayGateway => "pay-gateway",
            Part::NotifySvc => "notify-svc",
            Part::OrderSvc => "order-svc",
            Part::ReconcileSvc => "reconcile-svc",
        }
    }

    /// Whether it follows the sandbox's clock. notify-svc has no business with time.
    pub(super) fn follows_the_clock(self) -> bool {
        match self {
            Part::PayGateway | Part::OrderSvc | Part::ReconcileSvc => true,
            Part::Postgres | Part::Nats | Part::Sandbox | Part::NotifySvc => false,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program())
    }
}
