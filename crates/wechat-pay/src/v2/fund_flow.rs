//! `/pay/downloadfundflow`: fetches what moved on one account of the merchant on one day. Needs the client certificate. The
//! answer is not signed, but a digest may come with it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::civil::Date;
use sha1::{Digest as _, Sha1};

use super::request::Request;
use super::{ApiKey, Fields, Identity, SignType};
use crate::time;

/// An account of the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountType {
    /// The basic account, into which payers pay.
    Basic,
    /// The operation account.
    Operation,
    /// The fees account.
    Fees,
}

impl AccountType {
    /// Every account.
    pub const ALL: [AccountType; 3] = [AccountType::Basic, AccountType::Operation, AccountType::Fees];

    /// WeChat's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            AccountType::Basic => "Basic",
            AccountType::Operation => "Operation",
            AccountType::Fees => "Fees",
        }
    }
}

/// Fetches the fund flow of one day, from 10:00 Beijing time of the next day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DownloadFundFlow {
    /// For whom. Any of the merchant's apps will do: a fund flow covers all of them.
    pub identity: Identity,
    /// The civil date in Asia/Shanghai, before today.
    pub bill_date: Date,
    /// Which account.
    pub account_type: AccountType,
    /// Whether the body comes as a gzip stream.
    pub gzip: bool,
}

impl DownloadFundFlow {
    /// Path below WeChat's host.
    pub const PATH: &str = "/pay/downloadfundflow";

    /// The only type that this call takes, whatever type the merchant signs with otherwise.
    pub const SIGN_TYPE: SignType = SignType::HmacSha256;

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with("bill_date", time::print_date(self.bill_date))
            .with("account_type", self.account_type.as_str())
            .with_some("tar_type", self.gzip.then_some("GZIP"))
            .signed(key, Self::SIGN_TYPE)
    }
}

/// The digest that WeChat promises with a file, and what the file has come to so far.
///
/// WeChat's pages say `Digest: SHA=<sha1>` and no more. So the SHA-1 may be written in hex or, as RFC 3230 has it, in base64;
/// and it may be that of the bytes on the wire or, as API v3 says of its bills, that of the decompressed file. Any of these
/// shows that nothing is missing or changed.
#[derive(Clone, Debug)]
pub struct FileDigest {
    promised: [u8; SHA1_BYTES],
    served: Sha1,
    plain: Sha1,
}

const SHA1_BYTES: usize = 20;

/// A digest that is written in no form that we know, so that nothing can be checked with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("header Digest promises a SHA that is neither hex nor base64 of 20 bytes")]
pub struct DigestUnreadable;

impl FileDigest {
    /// Reads the header `Digest`; `None` when it promises no SHA.
    ///
    /// # Errors
    /// [`DigestUnreadable`].
    pub fn promised(header: &str) -> Result<Option<FileDigest>, DigestUnreadable> {
        let mut parts = header.split(',').filter_map(|promise| promise.trim().split_once('='));
        let Some((_, sha)) = parts.find(|(name, _)| ["sha", "sha-1", "sha1"].contains(&name.to_lowercase().as_str()))
        else {
            return Ok(None);
        };
        let promised = sha1_of_text(sha).ok_or(DigestUnreadable)?;
        Ok(Some(FileDigest { promised, served: Sha1::new(), plain: Sha1::new() }))
    }

    /// Takes note of bytes as they came.
    pub fn served(&mut self, bytes: &[u8]) {
        self.served.update(bytes);
    }

    /// Takes note of bytes after their decompression.
    pub fn plain(&mut self, bytes: &[u8]) {
        self.plain.update(bytes);
    }

    /// Whether the whole file is what was promised.
    pub fn holds(self) -> bool {
        [self.served, self.plain].into_iter().any(|sha| sha.finalize()[..] == self.promised[..])
    }
}

fn sha1_of_text(text: &str) -> Option<[u8; SHA1_BYTES]> {
    if text.len() == 2 * SHA1_BYTES {
        let mut bytes = [0; SHA1_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            // A sign would be read, too.
            let digits = pair.iter().all(u8::is_ascii_hexdigit).then(|| str::from_utf8(pair).ok())??;
            *byte = u8::from_str_radix(digits, 16).ok()?;
        }
        return Some(bytes);
    }
    STANDARD.decode(text).ok()?.try_into().ok()
}
