use std::time::Duration;

/// What a stranger may cost us.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at one time; one more is refused at once.
    pub(crate) connections: usize,
    /// From the first moment we wait for a request on a connection to the end of its headers. A connection that is kept
    /// alive may be idle as long.
    pub(crate) header_time: Duration,
    /// From the end of the headers to the answer.
    pub(crate) request_time: Duration,
}

/// Most bytes of one body. A notice has about one kilobyte; `promotion_detail` may add six.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Most bytes that are read only to be thrown away, so that a client that is still sending gets to read our refusal.
pub(super) const MAX_DISCARDED_BYTES: usize = 1024 * 1024;

/// Most bytes of a request's head: providers send a few hundred.
pub(super) const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Most headers of one request: providers send about ten and proxies add a few.
pub(super) const MAX_HEADERS: usize = 64;

/// A connection is asked to end after this long. It bounds what a client can hold that never reads our answers.
pub(super) const MAX_CONNECTION_AGE: Duration = Duration::from_mins(10);

/// After it was asked to end, a connection is cut this much later than a request may take.
pub(super) const CLOSING_TIME: Duration = Duration::from_secs(5);

/// A connection is cut this long after it was asked to end at the latest: a stop leaves the process 20 s altogether, and
/// what was taken before the cut still has to end.
pub(super) const MOST_CLOSING_TIME: Duration = Duration::from_secs(19);
