//! A day's bill: downloaded whole into a file of its own, hashed, then read through its controls. Nothing of it is used
//! before the last control has passed.

mod download;
mod read;

pub use download::{Bill, DownloadError, TOO_LARGE, download};
pub use read::{BillRefused, read};
