//! A day's bills: each downloaded whole into a file of its own, hashed and kept, then mapped for reading. Nothing of them is used
//! before the last control of all has passed.

mod download;
mod file;
mod keep;
mod kind;
mod mapped;

pub use download::{Bill, DownloadError, TOO_LARGE};
pub use file::{FileWriter, WholeFile};
pub use keep::KeepError;
pub use kind::BillKind;
pub use mapped::Mapped;

pub(crate) use file::hex;

use jiff::civil::Date;
use reconciliation::AccountKind;

use crate::gateway::{Gateway, GatewayError, Merchant};

/// What there is of one bill.
#[derive(Debug)]
pub enum Fetched {
    /// The bill.
    Read(Bill),
    /// The provider says that there is none: nothing happened.
    None,
    /// This merchant cannot fetch it: it needs a client certificate.
    NotFetched,
}

/// Every bill of one day.
#[derive(Debug)]
pub struct Bills {
    /// The trade bill of all kinds; never [`Fetched::NotFetched`].
    pub trade: Fetched,
    /// The fund flows, in the order of [`AccountKind::ALL`].
    pub funds: [Fetched; 3],
}

impl Bills {
    /// Each bill and what it is.
    pub fn each(&self) -> impl Iterator<Item = (BillKind, &Fetched)> {
        let funds = AccountKind::ALL.into_iter().map(BillKind::Fund).zip(&self.funds);
        std::iter::once((BillKind::Trade, &self.trade)).chain(funds)
    }
}

/// Fetches the trade bill of one day, then the fund flows, one after the other: the gateway has few places for downloads.
///
/// # Errors
/// For the first that cannot be had. A bill that does not exist, and a fund flow without a client certificate, are no errors.
pub async fn fetch(gateway: &Gateway, merchant: &Merchant, day: Date) -> Result<Bills, DownloadError> {
    let trade = fetch_one(gateway, &merchant.name, day, BillKind::Trade).await?;
    let mut funds = [const { Fetched::NotFetched }; 3];
    if merchant.has_certificate {
        for (fund, account) in funds.iter_mut().zip(AccountKind::ALL) {
            *fund = fetch_one(gateway, &merchant.name, day, BillKind::Fund(account)).await?;
        }
    }
    Ok(Bills { trade, funds })
}

async fn fetch_one(gateway: &Gateway, merchant: &str, day: Date, kind: BillKind) -> Result<Fetched, DownloadError> {
    match download::download(gateway, merchant, day, kind).await {
        Ok(bill) => Ok(Fetched::Read(bill)),
        Err(DownloadError::Gateway(GatewayError::NoBill)) => Ok(Fetched::None),
        Err(DownloadError::Gateway(GatewayError::NotAvailable(_))) if kind != BillKind::Trade => {
            Ok(Fetched::NotFetched)
        }
        Err(error) => Err(error),
    }
}
