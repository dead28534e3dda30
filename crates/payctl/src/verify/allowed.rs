/// What may be there without being a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Dead letters that somebody knows of. There must be exactly so many: a letter that is gone is as wrong as a new one.
    pub dead_letters: usize,
    /// Money that the provider has and no order of ours knows about, and refunds whose end nobody has learned yet.
    pub unsettled: bool,
    /// Attempts and refunds whose fate nobody knows, because nobody is there to ask or to answer.
    pub unknown: bool,
}
