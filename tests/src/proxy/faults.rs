//! What is wrong with a link now, and what really came of it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

/// What can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A chunk was late.
    Delay,
    /// A new connection was reset.
    Refuse,
    /// An open connection was reset.
    Cut,
    /// A connection or a chunk went into the black hole.
    BlackHole,
    /// A chunk went to a server that is not there any more.
    HalfOpen,
    /// A connection was cut after so many bytes.
    CutAfter,
    /// The ack of a publish was swallowed.
    LoseAck,
    /// A connection was cut between a commit and its answer.
    LoseCommit,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Requests.
    ToServer,
    /// Answers.
    ToClient,
}

/// What is done to all bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Pass,
    Delay(Duration),
    Refuse,
    BlackHole,
}

/// What becomes of one open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Lives,
    Cut,
    HalfOpen,
}

/// What strikes once, when its time comes.
#[derive(Debug, Default)]
struct Armed {
    /// Bytes that still pass, in each direction.
    cuts: [Option<u64>; 2],
    acks: u32,
    commits: Vec<String>,
}

/// Commands on one side, connections on the other.
#[derive(Debug, Default)]
pub(super) struct Faults {
    mode: watch::Sender<Mode>,
    armed: Mutex<Armed>,
    struck: Mutex<BTreeMap<Fault, u64>>,
    open: Mutex<BTreeMap<u64, watch::Sender<Fate>>>,
}

impl Faults {
    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub(super) fn disarm(&self) {
        *lock(&self.armed) = Armed::default();
    }

    pub(super) fn arm_cut(&self, direction: Direction, bytes: u64) {
        lock(&self.armed).cuts[direction as usize] = Some(bytes);
    }

    pub(super) fn arm_acks(&self, count: u32) {
        lock(&self.armed).acks = count;
    }

    pub(super) fn arm_commit(&self, statement: &str) {
        lock(&self.armed).commits.push(statement.to_owned());
    }

    pub(super) fn cut(&self) -> usize {
        let cut = self.end_all(Fate::Cut);
        for _ in 0..cut {
            self.strike(Fault::Cut);
        }
        cut
    }

    pub(super) fn half_open(&self) -> usize {
        self.end_all(Fate::HalfOpen)
    }

    pub(super) fn observed(&self, fault: Fault) -> u64 {
        lock(&self.struck).get(&fault).copied().unwrap_or(0)
    }

    pub(super) fn open_connections(&self) -> usize {
        lock(&self.open).len()
    }

    pub(super) fn strike(&self, fault: Fault) {
        *lock(&self.struck).entry(fault).or_default() += 1;
    }

    /// A new connection, with a number and a fate of its own.
    pub(super) fn enter(&self) -> (u64, watch::Receiver<Fate>) {
        let mut open = lock(&self.open);
        let id = open.last_key_value().map_or(0, |(last, _)| last + 1);
        let (fate, told) = watch::channel(Fate::Lives);
        open.insert(id, fate);
        (id, told)
    }

    pub(super) fn leave(&self, id: u64) {
        lock(&self.open).remove(&id);
    }

    /// Whether a new connection is let in; waits while there is a black hole.
    pub(super) async fn lets_in(&self) -> bool {
        self.out_of_the_black_hole().await;
        let refused = *self.mode.borrow() == Mode::Refuse;
        if refused {
            self.strike(Fault::Refuse);
        }
        !refused
    }

    /// Waits as long as a chunk has to.
    pub(super) async fn hold(&self) {
        self.out_of_the_black_hole().await;
        let mode = *self.mode.borrow();
        if let Mode::Delay(by) = mode {
            tokio::time::sleep(by).await;
            self.strike(Fault::Delay);
        }
    }

    /// How many of `bytes` bytes pass, and whether the connection is cut after them.
    pub(super) fn passes(&self, direction: Direction, bytes: usize) -> (usize, bool) {
        let mut armed = lock(&self.armed);
        let Some(left) = &mut armed.cuts[direction as usize] else { return (bytes, false) };
        match usize::try_from(*left) {
            Ok(passes) if passes <= bytes => {
                armed.cuts[direction as usize] = None;
                drop(armed);
                self.strike(Fault::CutAfter);
                (passes, true)
            }
            _ => {
                *left -= bytes as u64;
                (bytes, false)
            }
        }
    }

    /// Whether this ack is swallowed.
    pub(super) fn takes_ack(&self) -> bool {
        let mut armed = lock(&self.armed);
        let taken = 0 < armed.acks;
        if taken {
            armed.acks -= 1;
            drop(armed);
            self.strike(Fault::LoseAck);
        }
        taken
    }

    /// Which armed fault a transaction of these statements meets at its commit. It is not armed any more.
    pub(super) fn takes_commit(&self, statements: &[String]) -> Option<String> {
        let mut armed = lock(&self.armed);
        let met = |armed: &String| statements.iter().any(|statement| statement.contains(armed.as_str()));
        let index = armed.commits.iter().position(met)?;
        Some(armed.commits.remove(index))
    }

    async fn out_of_the_black_hole(&self) {
        let mut mode = self.mode.subscribe();
        if *mode.borrow() != Mode::BlackHole {
            return;
        }
        self.strike(Fault::BlackHole);
        // It can only fail when there are no commands any more, and then the connections end, too.
        let _ = mode.wait_for(|mode| *mode != Mode::BlackHole).await;
    }

    fn end_all(&self, fate: Fate) -> usize {
        let open = lock(&self.open);
        let living: Vec<_> = open.values().filter(|told| *told.borrow() == Fate::Lives).collect();
        for told in &living {
            told.send_replace(fate);
        }
        living.len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
