use std::fmt;

/// One thing that is wrong in the merchants directory. Never contains a value from a file, because a value in the wrong
/// place may be a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// File name inside the directory, or the directory's own path.
    pub file: String,
    /// Field as written in the file, such as `apps[1].kind`; empty when the whole file is meant.
    pub field: String,
    /// What is wrong.
    pub problem: String,
    /// What to write or do instead.
    pub fix: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { file, field, problem, fix } = self;
        if field.is_empty() {
            write!(f, "{file}: {problem}: {fix}")
        } else {
            write!(f, "{file}: {field} {problem}: {fix}")
        }
    }
}

/// The merchants directory cannot be used. Lists every mistake, sorted by file and field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct LoadError {
    mistakes: Vec<Mistake>,
}

impl LoadError {
    pub(crate) fn new(mut mistakes: Vec<Mistake>) -> LoadError {
        mistakes.sort();
        LoadError { mistakes }
    }

    /// Every mistake, at least one.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        write!(f, "{count} {} in the merchants directory", if count == 1 { "mistake" } else { "mistakes" })?;
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}
