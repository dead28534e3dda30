use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use jiff::civil::Date;
use reqwest::Response;
use wechat_pay::{
    bill::BillFailure,
    v2::{DownloadBill, DownloadFundFlow, FileDigest, xml},
};

use super::{
    Session,
    gunzip::{Gunzip, MAGIC},
    hosts::Sent,
    http, nonce,
};
use crate::{
    leave::Leave,
    outcome::{Kind, NotDone, Unknown, Why},
    providers::{BillKind, NoBill},
};

/// Largest piece that is handed on.
const CHUNK_BYTES: usize = 256 * 1024;

/// Largest bill, decompressed, and what reconcile-svc takes: ten million rows have about 3 GB. More is a bomb.
const MAX_BILL_BYTES: u64 = 4 << 30;

/// Largest error message in place of a bill.
const MAX_FAILURE_BYTES: usize = 64 * 1024;

/// Bytes by which a bill and an error message can be told apart, after a byte-order mark and blanks.
const HEAD_BYTES: usize = 16;

/// Longest silence in the middle of a bill.
const SILENCE: Duration = Duration::from_secs(30);

/// A silence of this length before a bill is its host's fault; WeChat may have to put it together.
const PATIENCE: Duration = Duration::from_secs(20);

impl Session {
    /// Begins to download a bill of one day. No bill is signed: TLS protects it on the way, a fund flow may have a digest, and
    /// whoever reads it checks its sums.
    pub(crate) async fn download_bill(&self, kind: BillKind, date: Date) -> Result<Download, NoBill> {
        // Any app will do: a bill covers all of them.
        let app_id = self.account.apps.first().map(|app| app.app_id.as_str()).unwrap_or_default();
        let (identity, key, urls) = (self.identity(app_id), &self.account.api_key, &self.wechat.urls);
        let (endpoint, signed) = match kind {
            BillKind::Trade(bill_type) => {
                let call = DownloadBill { identity, bill_date: date, bill_type, gzip: true };
                (&urls.download_bill, call.signed(&nonce(), key, self.account.sign_type))
            }
            BillKind::Fund(account_type) => {
                let call = DownloadFundFlow { identity, bill_date: date, account_type, gzip: true };
                (&urls.download_fund_flow, call.signed(&nonce(), key))
            }
        };
        let client = self.client().map_err(NoBill::Refused)?;
        let message = xml::write("xml", &signed);
        let sent = endpoint
            .send(Some(PATIENCE), &Leave::ANY_TIME, |url| http::xml_request(&client, url, message.clone()))
            .await;
        let Sent { response, trial } = sent.map_err(NoBill::Unknown)?;
        trial.ends(None);
        let digest = digest(&response).map_err(NoBill::Unknown)?;
        let mut download = Download::new(response, digest);
        download.fill(HEAD_BYTES).await.map_err(NoBill::Unknown)?;
        if download.starts_as_xml() {
            return Err(download.failure().await);
        }
        if download.out.is_empty() {
            return Err(NoBill::Unknown(Unknown::new(Why::BadAnswer)));
        }
        Ok(download)
    }
}

/// A bill on its way.
pub(crate) struct Download {
    response: Response,
    encoding: Encoding,
    /// Came from WeChat and is not decompressed yet.
    raw: Bytes,
    /// Is decompressed and not handed on yet.
    out: BytesMut,
    /// Bytes decompressed so far.
    total: u64,
    /// What WeChat promised about the file, until it has been kept.
    digest: Option<FileDigest>,
}

enum Encoding {
    /// Not enough bytes came yet to tell; these are they.
    Unknown(BytesMut),
    Plain,
    Gzip(Box<Gunzip>),
    /// The last byte came, and it was the right one.
    Ended,
}

impl Download {
    fn new(response: Response, digest: Option<FileDigest>) -> Download {
        Download {
            response,
            encoding: Encoding::Unknown(BytesMut::new()),
            raw: Bytes::new(),
            out: BytesMut::new(),
            total: 0,
            digest,
        }
    }

    /// The next piece of at most [`CHUNK_BYTES`]; `None` after the last one of a whole bill.
    ///
    /// # Errors
    /// A bill that is cut off, corrupt, too large or silent for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Unknown> {
        self.fill(CHUNK_BYTES).await?;
        let length = self.out.len().min(CHUNK_BYTES);
        Ok((0 < length).then(|| self.out.split_to(length).freeze()))
    }

    /// Decompresses until `enough` bytes are there or the bill has ended.
    async fn fill(&mut self, enough: usize) -> Result<(), Unknown> {
        while self.out.len() < enough && !matches!(self.encoding, Encoding::Ended) {
            if self.raw.is_empty() {
                let piece = tokio::time::timeout(SILENCE, self.response.chunk())
                    .await
                    .map_err(|_silent| Unknown::new(Why::Timeout))?
                    .map_err(http::cut_off)?;
                let Some(piece) = piece else {
                    self.end()?;
                    continue;
                };
                if let Some(digest) = &mut self.digest {
                    digest.served(&piece);
                }
                self.raw = piece;
            }
            self.decode(enough)?;
        }
        Ok(())
    }

    /// Moves bytes from `raw` to `out`.
    fn decode(&mut self, enough: usize) -> Result<(), Unknown> {
        if let Encoding::Unknown(head) = &mut self.encoding {
            head.extend_from_slice(&self.raw.split_off(0));
            if head.len() < MAGIC.len() {
                return Ok(());
            }
            self.raw = std::mem::take(head).freeze();
            let gzip = self.raw.starts_with(&MAGIC);
            self.encoding = if gzip { Encoding::Gzip(Box::new(Gunzip::new())) } else { Encoding::Plain };
        }
        let before = self.out.len();
        match &mut self.encoding {
            Encoding::Gzip(gunzip) => {
                gunzip.feed(&mut self.raw, &mut self.out, enough).map_err(|error| corrupt(&error))?;
            }
            Encoding::Plain | Encoding::Unknown(_) | Encoding::Ended => {
                self.out.extend_from_slice(&self.raw.split_to(self.raw.len().min(CHUNK_BYTES)));
            }
        }
        self.count(before)
    }

    /// Takes note that nothing more comes.
    fn end(&mut self) -> Result<(), Unknown> {
        let before = self.out.len();
        match std::mem::replace(&mut self.encoding, Encoding::Ended) {
            Encoding::Gzip(gunzip) => gunzip.finish(&mut self.out).map_err(|error| corrupt(&error))?,
            Encoding::Unknown(head) => self.out.extend_from_slice(&head),
            Encoding::Plain | Encoding::Ended => {}
        }
        self.count(before)?;
        let broken = self.digest.take().is_some_and(|digest| !digest.holds());
        if broken { Err(Unknown::new(Why::WrongDigest)) } else { Ok(()) }
    }

    /// Takes note of what was decompressed since `out` held `before` bytes.
    fn count(&mut self, before: usize) -> Result<(), Unknown> {
        if let Some(digest) = &mut self.digest {
            digest.plain(self.out.get(before..).unwrap_or_default());
        }
        let more = u64::try_from(self.out.len().saturating_sub(before)).unwrap_or(u64::MAX);
        self.total = self.total.saturating_add(more);
        if MAX_BILL_BYTES < self.total { Err(Unknown::new(Why::TooLarge)) } else { Ok(()) }
    }

    /// Whether this is a message rather than a bill. A bill begins with the name of a column.
    fn starts_as_xml(&self) -> bool {
        let text = self.out.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&self.out);
        text.trim_ascii_start().starts_with(b"<")
    }

    /// Reads the message that came in place of a bill.
    async fn failure(mut self) -> NoBill {
        if let Err(unknown) = self.fill(MAX_FAILURE_BYTES).await {
            return NoBill::Unknown(unknown);
        }
        match BillFailure::parse(&self.out) {
            Some(BillFailure::NoBillExist) => NoBill::None,
            Some(BillFailure::Creating) => NoBill::NotReady,
            Some(BillFailure::Busy { return_msg }) => {
                NoBill::Unknown(Unknown::new(Why::SystemError).with_code(return_msg))
            }
            Some(BillFailure::Refused { return_msg, error_code }) => {
                NoBill::Refused(NotDone::new(Kind::Configuration, error_code.unwrap_or_default(), return_msg))
            }
            None => NoBill::Unknown(Unknown::new(Why::NotXml)),
        }
    }
}

/// The digest that came with a file, where one did.
fn digest(response: &Response) -> Result<Option<FileDigest>, Unknown> {
    let Some(header) = response.headers().get("digest") else { return Ok(None) };
    let text = header.to_str().unwrap_or_default();
    FileDigest::promised(text).map_err(|error| Unknown::new(Why::WrongDigest).because(&error))
}

fn corrupt(error: &io::Error) -> Unknown {
    // A gzip stream that ends early is cut off like any other.
    Unknown::new(Why::CutOff).because(error)
}
