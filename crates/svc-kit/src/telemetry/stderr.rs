//! Where lines go: one write for each, and no lock of ours around it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd as _;
use std::sync::{PoisonError, RwLock};

use tracing_subscriber::fmt::MakeWriter;

/// A pipe takes this much whole, whoever else writes (`PIPE_BUF` on Linux); a file takes any line whole.
const WHOLE_BYTES: usize = 4096;

/// Standard error. [`std::io::Stderr`] lets one thread write at a time, and the others sleep meanwhile.
#[derive(Debug)]
pub(super) struct Stderr {
    file: File,
    /// Short lines share it, a longer one has it for itself.
    turn: RwLock<()>,
}

impl Stderr {
    pub(super) fn open() -> io::Result<Self> {
        Ok(Self::of(File::from(io::stderr().as_fd().try_clone_to_owned()?)))
    }

    fn of(file: File) -> Self {
        Self { file, turn: RwLock::new(()) }
    }
}

impl<'w> MakeWriter<'w> for Stderr {
    type Writer = &'w Self;

    fn make_writer(&'w self) -> Self::Writer {
        self
    }
}

impl Write for &Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&self.file).write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if line.len() <= WHOLE_BYTES {
            let _shared = self.turn.read().unwrap_or_else(PoisonError::into_inner);
            (&self.file).write_all(line)
        } else {
            let _alone = self.turn.write().unwrap_or_else(PoisonError::into_inner);
            (&self.file).write_all(line)
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::thread;

    use super::*;

    #[test]
    fn lines_of_many_threads_come_whole_through_a_pipe() {
        const LINES: usize = 200;
        let lengths = [1, 100, WHOLE_BYTES - 1, WHOLE_BYTES, 20 * WHOLE_BYTES];
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let stderr = Stderr::of(File::from(std::os::fd::OwnedFd::from(writer)));
        let text = thread::scope(|threads| {
            threads.spawn(move || {
                thread::scope(|threads| {
                    for (letter, length) in (b'a'..).zip(lengths) {
                        let line = [vec![letter; length], vec![b'\n']].concat();
                        let mut writer = &stderr;
                        threads.spawn(move || (0..LINES).for_each(|_| writer.write_all(&line).expect("it is read")));
                    }
                });
                drop(stderr);
            });
            let mut text = String::new();
            reader.read_to_string(&mut text).expect("text");
            text
        });
        for (letter, length) in ('a'..).zip(lengths) {
            let whole = letter.to_string().repeat(length);
            assert_eq!(text.lines().filter(|line| *line == whole).count(), LINES, "lines of {length} bytes");
        }
        assert_eq!(text.lines().count(), LINES * lengths.len());
    }
}
