//! `/billcommentsp/batchquerycomment`: what payers wrote about their payments. Needs the merchant's client certificate. The answer
//! is text and unsigned.

use std::fmt;

use jiff::Timestamp;

use super::request::Request;
use super::{ApiKey, Fields, Identity, SignType, xml};
use crate::time;

/// Asks for one page of comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentQuery {
    /// For whom.
    pub identity: Identity,
    /// From this instant, within three months.
    pub begin_time: Timestamp,
    /// To this instant.
    pub end_time: Timestamp,
    /// 0 first, then what the previous answer said: an index of WeChat's, not a count.
    pub offset: u64,
    /// At most this many, 1 to [`CommentQuery::MOST`].
    pub limit: u32,
}

impl CommentQuery {
    /// Path below WeChat's host.
    pub const PATH: &str = "/billcommentsp/batchquerycomment";

    /// Most comments of one page.
    pub const MOST: u32 = 200;

    /// The only type that this call takes, whatever the merchant's.
    pub const SIGN_TYPE: SignType = SignType::HmacSha256;

    /// The signed request. `nonce` is at most 32 letters and digits, new for every attempt.
    pub fn signed(&self, nonce: &str, key: &ApiKey) -> Fields {
        Request::new(&self.identity, nonce)
            .with("begin_time", time::print_14(self.begin_time))
            .with("end_time", time::print_14(self.end_time))
            .with("offset", self.offset.to_string())
            // WeChat was reported to answer with a signature error when it is left out.
            .with("limit", self.limit.to_string())
            .signed(key, CommentQuery::SIGN_TYPE)
    }
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentAnswer {
    /// One page.
    Page(CommentPage),
    /// WeChat says no, or that it failed.
    Refused {
        /// WeChat's code, empty when there is none.
        err_code: String,
        /// WeChat's words.
        words: String,
    },
    /// Neither.
    Unreadable,
}

/// One page of comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentPage {
    /// Where the next page begins.
    pub next_offset: u64,
    /// The comments, in WeChat's order.
    pub comments: Vec<Comment>,
}

/// What one payer wrote. `Debug` leaves the words out.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// When.
    pub time: Timestamp,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// Stars, as they are told.
    pub score: String,
    /// The words.
    pub text: String,
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comment { time, transaction_id, score, text: _ } = self;
        f.debug_struct("Comment")
            .field("time", time)
            .field("transaction_id", transaction_id)
            .field("score", score)
            .finish_non_exhaustive()
    }
}

impl CommentAnswer {
    /// Reads an answer: the next offset in a line of its own, then `time,transaction_id,score,comment` lines. A value may begin with
    /// a backtick, a comment may hold commas and line breaks. A failure is XML.
    pub fn parse(body: &[u8]) -> CommentAnswer {
        let Ok(text) = std::str::from_utf8(body) else { return CommentAnswer::Unreadable };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.trim_start().starts_with('<') {
            return refused(body);
        }
        page(text).map_or(CommentAnswer::Unreadable, CommentAnswer::Page)
    }
}

fn refused(body: &[u8]) -> CommentAnswer {
    let Ok(fields) = xml::parse("xml", body) else { return CommentAnswer::Unreadable };
    if fields.text("return_code").is_none() {
        return CommentAnswer::Unreadable;
    }
    let told = |one, other| fields.text(one).or_else(|| fields.text(other)).unwrap_or_default().to_owned();
    CommentAnswer::Refused { err_code: told("err_code", "error_code"), words: told("err_code_des", "return_msg") }
}

fn page(text: &str) -> Option<CommentPage> {
    let mut lines = text.lines();
    let offset = value(lines.next()?.trim());
    if offset.is_empty() || !offset.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let next_offset = offset.parse().ok()?;
    let mut comments: Vec<Comment> = Vec::new();
    for line in lines {
        match (comment(line), comments.last_mut()) {
            (Some(comment), _) => comments.push(comment),
            (None, None) if line.trim().is_empty() => {}
            (None, None) => return None,
            // Whatever does not begin like a comment goes on with the one before.
            (None, Some(before)) => {
                before.text.push('\n');
                before.text.push_str(line);
            }
        }
    }
    if let Some(last) = comments.last_mut() {
        last.text.truncate(last.text.trim_end_matches('\n').len());
    }
    Some(CommentPage { next_offset, comments })
}

fn comment(line: &str) -> Option<Comment> {
    let mut values = line.splitn(4, ',');
    let time = time::parse_spaced(value(values.next()?)).ok()?;
    let transaction_id = value(values.next()?);
    if transaction_id.is_empty() || !transaction_id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let score = value(values.next()?);
    let text = value(values.next().unwrap_or_default());
    Some(Comment { time, transaction_id: transaction_id.to_owned(), score: score.to_owned(), text: text.to_owned() })
}

/// A value without the backtick that it may begin with.
fn value(text: &str) -> &str {
    text.strip_prefix('`').unwrap_or(text)
}
