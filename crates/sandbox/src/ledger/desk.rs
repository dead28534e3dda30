//! What WeChat keeps beside the money: reports of merchants, comments of payers, short URLs.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

use crate::{
    control::{Comment, Report},
    ids,
};

/// Reports kept; the oldest is forgotten first.
const MAX_REPORTS: usize = 1_000;

/// Comments kept; further ones are refused.
const MAX_COMMENTS: usize = 10_000;

/// Short URLs kept; further ones are refused.
const MAX_SHORT_URLS: usize = 10_000;

/// The desk of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    reports: VecDeque<Report>,
    /// With the number of whose money it is about.
    comments: Vec<(String, Comment)>,
    /// Long ones by their short ones.
    long_urls: HashMap<String, String>,
    /// Short ones by their long ones.
    short_urls: HashMap<String, String>,
}

/// There is no room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox keeps no more of these")]
pub(crate) struct NoRoom;

impl Desk {
    /// Keeps a report.
    pub(crate) fn report(&mut self, report: Report) {
        if self.reports.len() == MAX_REPORTS {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
    }

    /// Every report kept, oldest first.
    pub(crate) fn reports(&self) -> impl Iterator<Item = &Report> {
        self.reports.iter()
    }

    /// Keeps a comment.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(crate) fn comment(&mut self, account: &str, comment: Comment) -> Result<(), NoRoom> {
        if self.comments.len() == MAX_COMMENTS {
            return Err(NoRoom);
        }
        self.comments.push((account.to_owned(), comment));
        Ok(())
    }

    /// At most `limit` comments of a merchant between two instants, from an opaque place on; and the place after them.
    pub(crate) fn comments(
        &self,
        account: &str,
        (from, to): (Timestamp, Timestamp),
        offset: usize,
        limit: usize,
    ) -> (usize, Vec<&Comment>) {
        // Places count the comments of all merchants, so that nobody can take them for a count of their own.
        let mut next = offset;
        let mut page = Vec::new();
        for (at, (whose, comment)) in self.comments.iter().enumerate().skip(offset) {
            if page.len() == limit {
                break;
            }
            next = at + 1;
            if whose == account && from <= comment.at && comment.at <= to {
                page.push(comment);
            }
        }
        (next, page)
    }

    /// A short URL for a long one; the same one again for the same.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub(crate) fn shorten(&mut self, long_url: &str) -> Result<String, NoRoom> {
        if let Some(known) = self.short_urls.get(long_url) {
            return Ok(known.clone());
        }
        if self.short_urls.len() == MAX_SHORT_URLS {
            return Err(NoRoom);
        }
        let short_url = format!("weixin://wxpay/s/{}", ids::token());
        self.short_urls.insert(long_url.to_owned(), short_url.clone());
        self.long_urls.insert(short_url.clone(), long_url.to_owned());
        Ok(short_url)
    }

    /// What a short URL stands for.
    pub(crate) fn long_url(&self, short_url: &str) -> Option<&str> {
        self.long_urls.get(short_url).map(String::as_str)
    }
}
