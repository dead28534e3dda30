use jiff::civil::Date;
use money::Fen;

use crate::Rules;
use crate::books::{BookPayment, BookRefund};

/// Everything that one comparison is made of. Files are whole, decompressed and in memory or mapped.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The bill day: a civil date in Asia/Shanghai.
    pub day: Date,
    /// The civil date in Asia/Shanghai on which the run is made: what has waited long enough is decided by it, never by a clock.
    pub as_of: Date,
    /// Whose bills they must be.
    pub account: Account<'a>,
    /// Holds and tolerances.
    pub rules: Rules,
    /// The trade bill of all kinds; `None` when the provider says that none exists: nothing was paid and nothing refunded.
    pub trade: Option<&'a [u8]>,
    /// The fund flow of each account, in the order of [`AccountKind::ALL`].
    pub funds: [FundFile<'a>; 3],
    /// What each account closed with on the day before, in the same order.
    pub closings: Closings,
    /// Payments that our books have on the day; see [`crate::books`].
    pub payments: &'a [u8],
    /// Refunds that were accepted on the day; see [`crate::books`].
    pub refunds: &'a [u8],
}

/// The provider's numbers of the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account<'a> {
    /// Every row must carry it.
    pub mch_id: &'a str,
    /// The sub-merchant in service-provider mode; empty otherwise.
    pub sub_mch_id: &'a str,
}

/// An account of the merchant at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// Payers pay into it; refunds and fees leave it.
    Basic,
    /// Red packets and transfers leave it.
    Operation,
    /// For merchants who settle fees apart.
    Fees,
}

impl AccountKind {
    /// Every account.
    pub const ALL: [AccountKind; 3] = [AccountKind::Basic, AccountKind::Operation, AccountKind::Fees];

    /// The word in tables and on wires.
    pub const fn as_str(self) -> &'static str {
        match self {
            AccountKind::Basic => "BASIC",
            AccountKind::Operation => "OPERATION",
            AccountKind::Fees => "FEES",
        }
    }
}

/// The fund flow of one account and day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FundFile<'a> {
    /// The file.
    Read(&'a [u8]),
    /// The provider says that there is none: nothing moved.
    None,
    /// This merchant cannot fetch it (it needs a client certificate): codes about movements are not judged.
    NotFetched,
}

/// Closing balances of the day before, where they are known, in the order of [`AccountKind::ALL`].
pub type Closings = [Option<Fen>; 3];

/// What only the books can answer, after the files were read. Each list is sorted and free of repetitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Questions {
    /// `out_trade_no`s of bill rows that are no payment of the day: which payments of any other day, and which issued numbers?
    pub payments: Vec<String>,
    /// `out_refund_no`s and `refund_id`s of bill rows that are no refund of the day: which refunds, whatever their day and state?
    pub refunds: Vec<String>,
    /// The provider's numbers (of payments and refunds) of movements that are no trade of the bill: which payments and refunds of
    /// any other day?
    pub movements: Vec<String>,
}

/// What the books know about [`Questions`]. Order does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Payments of other days with one of the asked numbers (ours or the provider's).
    pub payments: Vec<BookPayment>,
    /// Numbers that we gave out and that were asked about, paid or not.
    pub issued: Vec<Issued>,
    /// Refunds with one of the asked numbers (ours or the provider's), of other days or not accepted at all.
    pub refunds: Vec<BookRefund>,
}

/// A number that we gave out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issued {
    /// Our number of the attempt.
    pub out_trade_no: String,
    /// What we asked for.
    pub amount: Fen,
    /// How its order stands.
    pub order: crate::books::OrderState,
}
