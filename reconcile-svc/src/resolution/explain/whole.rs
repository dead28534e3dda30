use std::io::{self, BufRead, Read};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::super::audit::hex;

/// A file that is hashed while it is read, so that what is shown of it can be trusted.
pub(super) struct Whole<R> {
    file: R,
    hash: Sha256,
}

impl<R: BufRead> Whole<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, hash: Sha256::new() }
    }

    /// Reads what nobody has read yet, and answers the hash of everything, hex.
    ///
    /// # Errors
    /// The file's, or that there is more of it than can be read until `deadline`.
    pub(super) fn sha256(mut self, deadline: Instant) -> io::Result<String> {
        loop {
            let ahead = self.fill_buf()?.len();
            if ahead == 0 {
                return Ok(hex(&self.hash.finalize()));
            }
            if deadline <= Instant::now() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.consume(ahead);
        }
    }
}

impl<R: BufRead> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Whole<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        // What was lent out is still there: no error, and no other bytes.
        if let Ok(lent) = self.file.fill_buf() {
            self.hash.update(lent.get(..amount).unwrap_or_default());
        }
        self.file.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_read_in_any_way_and_what_was_not_are_hashed() {
        let mut file = Whole::new(io::BufReader::with_capacity(2, b"a\nbc".as_slice()));
        file.read_line(&mut String::new()).expect("a line");
        file.read_exact(&mut [0]).expect("a byte");
        let hash = file.sha256(Instant::now() + Duration::from_mins(1)).expect("the rest");
        assert_eq!(hash, hex(&Sha256::digest(b"a\nbc")));
    }
}
