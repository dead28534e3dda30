use proto::gateway::v1::download_bill_request::Kind;
use reconciliation::AccountKind;

use crate::runs::InputKind;

/// Which bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BillKind {
    /// Payments and refunds.
    Trade,
    /// The movements of one account.
    Fund(AccountKind),
}

impl BillKind {
    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        self.input().as_str()
    }

    /// What it is to a run.
    pub const fn input(self) -> InputKind {
        match self {
            BillKind::Trade => InputKind::Trade,
            BillKind::Fund(account) => InputKind::Fund(account),
        }
    }

    /// What the gateway calls it.
    pub(super) const fn wire(self) -> Kind {
        match self {
            BillKind::Trade => Kind::TradeAll,
            BillKind::Fund(AccountKind::Basic) => Kind::FundBasic,
            BillKind::Fund(AccountKind::Operation) => Kind::FundOperation,
            BillKind::Fund(AccountKind::Fees) => Kind::FundFees,
        }
    }
}
