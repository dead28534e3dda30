//! What happened when, for whoever looks at a run.

use std::{fmt::Display, fs::OpenOptions, io::Write as _, path::PathBuf};

use tokio::time::Instant;

/// Lines with the time since the beginning, printed and kept in the run's folder.
#[derive(Debug)]
pub(super) struct Timeline {
    began: Instant,
    file: PathBuf,
}

impl Timeline {
    pub(super) fn begin(file: PathBuf) -> Self {
        Self { began: Instant::now(), file }
    }

    /// Something happened now.
    pub(super) fn tell(&self, what: impl Display) {
        let at = self.began.elapsed();
        self.say(format_args!("{:>5}.{} s  {what}", at.as_secs(), at.subsec_millis() / 100));
    }

    /// A line without a time.
    #[expect(clippy::print_stdout, reason = "whoever runs this reads what was seen")]
    pub(super) fn say(&self, line: impl Display) {
        println!("{line}");
        let file = OpenOptions::new().create(true).append(true).open(&self.file);
        // A line that only the terminal has is better than a run that ends for it.
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}
