//! Connections that a loop keeps between its transactions while it is busy.
//!
//! The pool asks a connection whether it lives when it goes out and when it comes back, which is right for a request now and then.
//! A loop with hundreds of transactions a second would ask more often than it does anything else.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::{Instant, sleep};

/// A connection that was not used for this long goes back to the pool, so that a loop with nothing to do holds none.
const IDLE_TIME: Duration = Duration::from_secs(1);

/// A connection goes back to the pool after this long, which then sees whether it is too old.
const KEEP_TIME: Duration = Duration::from_mins(1);

/// Keeps connections of a pool: as many as its loop has used at one time, and none for longer than two seconds after its last use.
/// What went wrong is never kept.
#[derive(Debug)]
pub struct Kept {
    pool: PgPool,
    stock: Arc<Mutex<Stock>>,
}

#[derive(Debug, Default)]
struct Stock {
    idle: Vec<Idle>,
    /// Whether somebody clears it.
    cleared: bool,
}

#[derive(Debug)]
struct Idle {
    connection: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

impl Idle {
    fn is_fresh(&self, now: Instant) -> bool {
        now < self.used + IDLE_TIME && now < self.since + KEEP_TIME
    }
}

impl Kept {
    /// None yet.
    pub fn of(pool: PgPool) -> Self {
        Self { pool, stock: Arc::default() }
    }

    /// One that was kept, or else one of the pool's.
    ///
    /// # Errors
    /// The pool's.
    pub async fn take(&self) -> sqlx::Result<Taken<'_>> {
        let now = Instant::now();
        let kept = lock(&self.stock).idle.pop();
        match kept.filter(|idle| idle.is_fresh(now)) {
            Some(Idle { connection, since, .. }) => Ok(Taken { kept: self, connection, since }),
            None => Ok(Taken { kept: self, connection: self.pool.acquire().await?, since: now }),
        }
    }
}

/// A connection in use. Dropped, it goes back to the pool, which looks at it.
#[derive(Debug)]
pub struct Taken<'k> {
    kept: &'k Kept,
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Taken<'_> {
    /// All went well and no transaction is open: it stays for the next time.
    pub fn keep(self) {
        let Self { kept, connection, since } = self;
        let mut stock = lock(&kept.stock);
        stock.idle.push(Idle { connection, since, used: Instant::now() });
        if !stock.cleared {
            stock.cleared = true;
            tokio::spawn(clear(Arc::clone(&kept.stock)));
        }
    }

    /// It is in the middle of something: nobody shall get it again.
    pub fn discard(self) {
        drop(self.connection.detach());
    }
}

impl Deref for Taken<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Gives back what is not used any more, until nothing is left.
async fn clear(stock: Arc<Mutex<Stock>>) {
    loop {
        sleep(IDLE_TIME).await;
        let now = Instant::now();
        let mut stock = lock(&stock);
        stock.idle.retain(|idle| idle.is_fresh(now));
        if stock.idle.is_empty() {
            stock.cleared = false;
            return;
        }
    }
}

fn lock(stock: &Mutex<Stock>) -> MutexGuard<'_, Stock> {
    // A list of connections stays whole whatever panics beside it.
    stock.lock().unwrap_or_else(PoisonError::into_inner)
}
