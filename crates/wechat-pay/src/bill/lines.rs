//! Lines of a bill, plain or gzipped, each of bounded length.

use std::io::{self, BufRead, BufReader, Read as _};

use flate2::bufread::MultiGzDecoder;

use super::BillError;

/// Longest line. A row has 27 values, of which the longest are 128 characters.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// First bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// First bytes of a UTF-8 text that wants to be recognised.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The plain text of a downloaded body, which is gzipped or not.
///
/// # Errors
/// When the first bytes cannot be read; what is wrong further on shows while reading.
pub fn plain<'a, R: BufRead + Send + 'a>(mut body: R) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    if body.fill_buf()?.starts_with(&GZIP) {
        Ok(Box::new(BufReader::new(MultiGzDecoder::new(body))))
    } else {
        Ok(Box::new(body))
    }
}

/// Reads lines into one buffer.
pub(super) struct Lines<R> {
    input: R,
    /// The whole line as read.
    buffer: Vec<u8>,
    /// Its text without what surrounds it.
    text: String,
    /// The line after it, when that was looked at and did not belong to it.
    ahead: Option<Line>,
    number: u64,
    /// How long all lines up to the one read last are, with their ends.
    bytes: usize,
}

struct Line {
    text: String,
    /// How long it is with everything that surrounds it.
    bytes: usize,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines::behind(input, 0)
    }

    /// Of an input whose first line is the one after line `number` of its file.
    pub(super) fn behind(input: R, number: u64) -> Lines<R> {
        Lines { input, buffer: Vec::new(), text: String::new(), ahead: None, number, bytes: 0 }
    }

    /// Number of the line read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// How long all lines up to the one read last are together, with their ends and whatever surrounds them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next line without its end, without a byte-order mark, and without the spaces some files put before it.
    pub(super) fn next(&mut self) -> Result<Option<&str>, BillError> {
        let next = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.read()?,
        };
        let Some(next) = next else { return Ok(None) };
        self.number += 1;
        self.bytes += next.bytes;
        self.text = next.text;
        Ok(Some(&self.text))
    }

    /// Appends the next line to the one read last, behind a line break, when it `continues` it. Says whether it did.
    pub(super) fn join(&mut self, continues: impl Fn(&str) -> bool) -> Result<bool, BillError> {
        if self.ahead.is_none() {
            self.ahead = self.read()?;
        }
        let Some(next) = self.ahead.take_if(|next| continues(&next.text)) else { return Ok(false) };
        self.number += 1;
        self.bytes += next.bytes;
        self.text.push('\n');
        self.text.push_str(&next.text);
        if MAX_LINE_BYTES < self.text.len() as u64 {
            return Err(BillError::Format { line: self.number, what: "line too long" });
        }
        Ok(true)
    }

    /// Reads the line after the one read last.
    fn read(&mut self) -> Result<Option<Line>, BillError> {
        self.buffer.clear();
        if self.input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        let line = self.number + 1;
        if !self.buffer.ends_with(b"\n") && MAX_LINE_BYTES <= self.buffer.len() as u64 {
            return Err(BillError::Format { line, what: "line too long" });
        }
        let text = text(&self.buffer, line)?.to_owned();
        Ok(Some(Line { text, bytes: self.buffer.len() }))
    }

    /// The text of the line read last.
    pub(super) fn current(&self) -> &str {
        &self.text
    }

    /// Everything that is left, up to `max` bytes, with the line read last put back in front.
    pub(super) fn rest(&mut self, max: u64) -> Result<Vec<u8>, BillError> {
        let mut rest = std::mem::take(&mut self.buffer);
        self.input.by_ref().take(max).read_to_end(&mut rest)?;
        Ok(rest)
    }
}

/// A line's text without its end, without a byte-order mark before the first line, and without the spaces some files put
/// before it.
pub(super) fn text(line: &[u8], number: u64) -> Result<&str, BillError> {
    let bytes = if number == 1 { line.strip_prefix(BOM).unwrap_or(line) } else { line };
    let bytes = bytes.strip_suffix(b"\n").map_or(bytes, |bytes| bytes.strip_suffix(b"\r").unwrap_or(bytes));
    let text = std::str::from_utf8(bytes).map_err(|_| BillError::Format { line: number, what: "not UTF-8" })?;
    Ok(text.trim_start_matches(' '))
}
