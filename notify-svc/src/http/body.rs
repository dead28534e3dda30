use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes};

use super::limits::{MAX_BODY_BYTES, MAX_DISCARDED_BYTES};

/// Why there is no whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than [`MAX_BODY_BYTES`].
    TooLarge,
    /// The client went away, or its framing is broken.
    Broken,
}

/// Reads a whole body of at most [`MAX_BODY_BYTES`].
pub(crate) async fn read<B>(body: &mut B) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let cap = u64::try_from(MAX_BODY_BYTES).expect("the cap is small");
    if body.size_hint().lower() > cap {
        return Err(BodyError::TooLarge);
    }
    // Mostly everything comes in one frame, which is handed on as it is.
    let (mut first, mut whole) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        if MAX_BODY_BYTES.saturating_sub(first.len() + whole.len()) < data.len() {
            return Err(BodyError::TooLarge);
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut first));
        whole.extend_from_slice(&data);
    }
    Ok(if whole.is_empty() { first } else { Bytes::from(whole) })
}

/// Reads what is left of a body and throws it away, up to a limit. Closing a socket with unread bytes resets it, and the
/// client would lose the answer that we are about to give.
pub(crate) async fn discard<B>(body: &mut B)
where
    B: Body<Data = Bytes> + Unpin,
{
    let limit = u64::try_from(MAX_DISCARDED_BYTES).expect("the limit is small");
    if body.size_hint().lower() > limit {
        return;
    }
    let mut left = MAX_DISCARDED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let Some(rest) = left.checked_sub(data.len()) else { return };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    #[tokio::test]
    async fn a_body_of_exactly_the_cap_is_read_and_one_byte_more_is_not() {
        let mut fits = Full::new(Bytes::from(vec![b'x'; MAX_BODY_BYTES]));
        assert_eq!(read(&mut fits).await.expect("it fits").len(), MAX_BODY_BYTES);
        let mut over = Full::new(Bytes::from(vec![b'x'; MAX_BODY_BYTES + 1]));
        assert_eq!(read(&mut over).await, Err(BodyError::TooLarge));
    }

    #[tokio::test]
    async fn a_body_without_a_declared_length_is_counted_as_it_comes() {
        let chunk = Bytes::from(vec![b'x'; 40 * 1024]);
        let frames = [chunk.clone(), chunk].map(|data| Ok::<_, Infallible>(Frame::data(data)));
        let mut body = StreamBody::new(futures::stream::iter(frames));
        assert_eq!(read(&mut body).await, Err(BodyError::TooLarge));
    }
}
