//! A file cut at line ends, and the cores that work on its pieces.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Sharing;

/// Between two lines.
pub(super) const LINE: &[u8] = b"\n";

/// Between two rows of a bill: a line that begins with a backtick is never the rest of a row with a line break in it. Where other
/// lines are rows, too, pieces are only larger.
pub(super) const ROW: &[u8] = b"\n`";

/// Cuts `file[whole]` behind line ends that are borders into pieces of about the same size.
pub(super) fn cut(file: &[u8], whole: Range<usize>, border: &[u8], sharing: Sharing) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut from = whole.start;
    while from < whole.end {
        let target = from.saturating_add(sharing.piece_bytes.max(1)).min(whole.end);
        let to = memchr::memmem::find(&file[target - 1..whole.end], border).map_or(whole.end, |at| target + at);
        pieces.push(from..to);
        from = to;
    }
    pieces
}

/// Has every job done by some thread, each with a state of its own. `None` as soon as one job has none.
pub(super) fn share<S: Send>(
    sharing: Sharing,
    jobs: usize,
    start: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Option<()> + Sync,
) -> Option<Vec<S>> {
    let next = AtomicUsize::new(0);
    let one_thread = || {
        let mut state = start();
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if jobs <= job {
                return Some(state);
            }
            if work(&mut state, job).is_none() {
                // Nobody needs the rest.
                next.store(jobs, Ordering::Relaxed);
                return None;
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (1..sharing.threads.min(jobs)).map(|_| scope.spawn(one_thread)).collect();
        let own = one_thread();
        let others = threads.into_iter().map(|thread| thread.join().expect("a thread of this file does not panic"));
        std::iter::once(own).chain(others.collect::<Vec<_>>()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_with_lines_and_leave_nothing_out() {
        let file = b"head\none\ntwo\n\nlonger than that\nlast";
        for piece_bytes in 1..file.len() + 2 {
            let pieces = cut(file, 5..file.len(), LINE, Sharing { threads: 2, piece_bytes });
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (5, file.len()));
            for pair in pieces.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!(file[pair[0].end - 1], b'\n');
                assert!(!pair[0].is_empty());
            }
        }
        assert_eq!(cut(file, 5..5, LINE, Sharing { threads: 2, piece_bytes: 3 }), []);
    }

    #[test]
    fn a_piece_of_a_bill_begins_with_a_row() {
        let file = b"head\n`one\n`two\nmore of it\n\n`three\n`four\n";
        for piece_bytes in 1..file.len() + 2 {
            let pieces = cut(file, 5..file.len(), ROW, Sharing { threads: 2, piece_bytes });
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (5, file.len()));
            assert!(pieces.iter().all(|piece| file[piece.start] == b'`'));
            assert!(piece_bytes != 1 || pieces.len() == 4);
        }
    }

    #[test]
    fn every_job_is_done_once_and_one_that_fails_fails_all() {
        let sharing = Sharing { threads: 3, piece_bytes: 1 };
        let take = |done: &mut Vec<usize>, job| {
            done.push(job);
            Some(())
        };
        let mut jobs = share(sharing, 100, Vec::new, take).expect("none fails").concat();
        jobs.sort_unstable();
        assert_eq!(jobs, (0..100).collect::<Vec<_>>());
        assert!(share(sharing, 100, || (), |(), job| (job != 40).then_some(())).is_none());
    }
}
