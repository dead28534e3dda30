//! Bills that somebody gave, served instead of what the ledger says.

use std::{
    collections::HashMap,
    fmt::Write as _,
    io::{self, Read, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use jiff::civil::Date;
use sha1::{Digest as _, Sha1};

use crate::fund_flow::Account;

/// Most bills at one time.
const MAX_BILLS: usize = 16;

/// Largest bill, unpacked.
const MAX_BYTES: u64 = 4 << 30;

/// The first bytes of every gzip stream.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Which bill.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Which {
    pub(crate) mch_id: String,
    pub(crate) sub_mch_id: Option<String>,
    pub(crate) day: Date,
    pub(crate) kind: Kind,
}

/// The trade bill of all kinds, or the fund flow of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Trade,
    Fund(Account),
}

impl Kind {
    /// The last part of its path.
    pub(crate) fn parse(word: &str) -> Option<Kind> {
        match word {
            "trade" => Some(Kind::Trade),
            "basic" => Some(Kind::Fund(Account::Basic)),
            "operation" => Some(Kind::Fund(Account::Operation)),
            "fees" => Some(Kind::Fund(Account::Fees)),
            _ => None,
        }
    }
}

/// A bill as it is served.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) gzip: Bytes,
    /// How long it is unpacked.
    pub(crate) bytes: u64,
    /// Of the unpacked file: the `Digest` that a fund flow comes with.
    pub(crate) digest: String,
}

/// Why a bill is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotGiven {
    #[error("the body is empty: give the bill as WeChat writes it, plain or gzipped")]
    Empty,
    #[error("the body begins as gzip and cannot be unpacked: {0}")]
    Broken(#[source] io::Error),
    #[error("the bill has more than 4 GiB")]
    TooLarge,
    #[error("16 bills were given already: take one away first")]
    Full,
}

impl Given {
    /// Packs what is plain, and unpacks once what is packed, to know its length and digest.
    pub(crate) fn of(body: Bytes) -> Result<Given, NotGiven> {
        if body.is_empty() {
            return Err(NotGiven::Empty);
        }
        let mut hash = Hashed { hash: Sha1::new(), bytes: 0 };
        let gzip = if body.starts_with(&MAGIC) {
            io::copy(&mut MultiGzDecoder::new(&body[..]).take(MAX_BYTES + 1), &mut hash).map_err(NotGiven::Broken)?;
            body
        } else {
            hash.write_all(&body).map_err(NotGiven::Broken)?;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&body).and_then(|()| encoder.finish()).map_err(NotGiven::Broken)?.into()
        };
        if MAX_BYTES < hash.bytes {
            return Err(NotGiven::TooLarge);
        }
        let digest = hash.hash.finalize().iter().fold(String::from("SHA="), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String cannot fail");
            text
        });
        Ok(Given { gzip, bytes: hash.bytes, digest })
    }

    /// The bytes that a download gets.
    pub(crate) fn body(&self, gzip: bool) -> io::Result<Bytes> {
        if gzip {
            return Ok(self.gzip.clone());
        }
        let mut text = Vec::new();
        MultiGzDecoder::new(&self.gzip[..]).read_to_end(&mut text)?;
        Ok(text.into())
    }
}

/// Hashes and counts what is written.
struct Hashed {
    hash: Sha1,
    bytes: u64,
}

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every bill that was given and not taken away.
#[derive(Debug, Default)]
pub(crate) struct GivenBills(HashMap<Which, Arc<Given>>);

impl GivenBills {
    /// Keeps it in place of an earlier one.
    pub(crate) fn keep(&mut self, which: Which, given: Given) -> Result<(), NotGiven> {
        if MAX_BILLS <= self.0.len() && !self.0.contains_key(&which) {
            return Err(NotGiven::Full);
        }
        self.0.insert(which, Arc::new(given));
        Ok(())
    }

    /// Whether there was one.
    pub(crate) fn remove(&mut self, which: &Which) -> bool {
        self.0.remove(which).is_some()
    }

    pub(crate) fn get(&self, which: &Which) -> Option<Arc<Given>> {
        self.0.get(which).cloned()
    }
}
