//! Decompression of a stream in constant memory.

use std::io::{self, Write as _};

use bytes::{Bytes, BytesMut};
use flate2::write::MultiGzDecoder;

/// Compressed bytes taken at once. One byte of deflate becomes at most 1032, so a hostile stream cannot make more than
/// about 1 MiB before its size is looked at.
const STEP_BYTES: usize = 1024;

/// The first bytes of every gzip stream.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A gzip stream being read.
pub(super) struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
}

impl Gunzip {
    pub(super) fn new() -> Gunzip {
        Gunzip { decoder: MultiGzDecoder::new(Vec::new()) }
    }

    /// Moves bytes from `compressed` to `out`, until `out` holds `enough` or nothing is left.
    ///
    /// # Errors
    /// Bytes that are not gzip.
    pub(super) fn feed(&mut self, compressed: &mut Bytes, out: &mut BytesMut, enough: usize) -> io::Result<()> {
        while !compressed.is_empty() && out.len() < enough {
            let step = compressed.split_to(compressed.len().min(STEP_BYTES));
            self.decoder.write_all(&step)?;
            let text = self.decoder.get_mut();
            out.extend_from_slice(text);
            text.clear();
        }
        Ok(())
    }

    /// Ends the stream and moves what was left inside to `out`.
    ///
    /// # Errors
    /// A stream that was cut off, or whose checksum is wrong.
    pub(super) fn finish(self, out: &mut BytesMut) -> io::Result<()> {
        out.extend_from_slice(&self.decoder.finish()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write as _};

    use bytes::{Bytes, BytesMut};
    use flate2::{Compression, write::GzEncoder};

    use super::Gunzip;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    /// Gunzips `compressed`, which arrives in pieces of `piece` bytes; also answers the most that was held at once.
    fn gunzip(compressed: &[u8], piece: usize) -> io::Result<(Vec<u8>, usize)> {
        let (mut gunzip, mut out, mut text, mut most) = (Gunzip::new(), BytesMut::new(), Vec::new(), 0);
        for piece in compressed.chunks(piece) {
            let mut piece = Bytes::copy_from_slice(piece);
            while !piece.is_empty() {
                gunzip.feed(&mut piece, &mut out, 1024)?;
                most = most.max(out.len());
                text.extend_from_slice(&out);
                out.clear();
            }
        }
        gunzip.finish(&mut out)?;
        text.extend_from_slice(&out);
        Ok((text, most))
    }

    #[test]
    fn what_was_compressed_comes_back_however_it_is_cut() {
        let text: Vec<u8> = (0_u32..50_000).flat_map(|n| (n % 251).to_be_bytes()).collect();
        let compressed = gzip(&text);
        for piece in [1, 7, 1024, compressed.len()] {
            assert_eq!(gunzip(&compressed, piece).expect("whole").0, text, "in pieces of {piece}");
        }
    }

    #[test]
    fn two_members_are_one_text() {
        let both = [gzip(b"first,"), gzip(b"second")].concat();
        assert_eq!(gunzip(&both, 5).expect("whole").0, b"first,second");
    }

    #[test]
    fn a_bomb_is_seen_before_it_fills_the_memory() {
        let compressed = gzip(&vec![0; 16 * 1024 * 1024]);
        let (text, most) = gunzip(&compressed, compressed.len()).expect("whole");
        assert_eq!(text.len(), 16 * 1024 * 1024);
        assert!(most <= 2 * 1024 * 1024, "{most} bytes at once");
    }

    #[test]
    fn a_cut_off_stream_is_refused_wherever_it_is_cut() {
        let compressed = gzip(b"row,row,row,summary");
        for length in 1..compressed.len() {
            let cut = compressed.get(..length).expect("inside");
            assert!(gunzip(cut, length).is_err(), "cut after {length} bytes");
        }
    }

    #[test]
    fn a_wrong_checksum_is_refused() {
        let mut compressed = gzip(b"row,row,row,summary");
        let at = compressed.len() - 6;
        if let Some(byte) = compressed.get_mut(at) {
            *byte ^= 1;
        }
        assert!(gunzip(&compressed, 100).is_err());
    }
}
