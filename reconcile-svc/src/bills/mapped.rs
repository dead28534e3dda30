use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// A whole file as bytes, read from the disk where and when they are looked at.
#[derive(Debug)]
pub struct Mapped(Mmap);

impl Mapped {
    /// Maps a file that has no name and is not written any more.
    #[expect(unsafe_code, reason = "mapping a file is unsafe where somebody else may cut it off")]
    pub(super) fn of(unnamed: &File) -> io::Result<Self> {
        // SAFETY: the file has no name and its descriptor never leaves this process, so nobody else can write or truncate it, and
        // whoever holds it here has finished writing.
        let map = unsafe { Mmap::map(unnamed)? };
        // Every file is read from its beginning to its end, and more than once.
        #[cfg(unix)]
        map.advise(memmap2::Advice::Sequential)?;
        Ok(Self(map))
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_mapped_whole_and_an_empty_one_is_no_bytes() {
        let mut file = tempfile::tempfile().expect("a file");
        assert_eq!(Mapped::of(&file).expect("mapped").len(), 0);
        file.write_all(b"bill").expect("written");
        assert_eq!(&*Mapped::of(&file).expect("mapped"), b"bill");
    }
}
