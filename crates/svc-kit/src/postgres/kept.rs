//! Connections that a loop keeps between its transactions.
//!
//! The pool asks a connection whether it lives when it goes out and when it comes back, which is right for a request now and then.
//! A loop with hundreds of transactions a second would ask more often than it does anything else.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::Instant;

/// Connections that one loop keeps at most; one more goes back to the pool.
const MOST: usize = 4;

/// A connection that was not used for this long goes back to the pool, which asks it before it gives it out again.
const IDLE_TIME: Duration = Duration::from_secs(1);

/// A connection goes back to the pool after this long, which then sees whether it is too old.
const KEEP_TIME: Duration = Duration::from_mins(1);

/// Keeps connections of a pool. What went wrong is never kept.
#[derive(Debug)]
pub struct Kept {
    pool: PgPool,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    connection: PoolConnection<Postgres>,
    since: Instant,
    used_at: Instant,
}

impl Kept {
    /// None yet.
    pub fn of(pool: PgPool) -> Self {
        Self { pool, idle: Mutex::default() }
    }

    /// One that was kept, or else one of the pool's.
    ///
    /// # Errors
    /// The pool's.
    pub async fn take(&self) -> sqlx::Result<Taken<'_>> {
        let now = Instant::now();
        let kept = self.idle().pop();
        let fresh = |idle: &Idle| now < idle.used_at + IDLE_TIME && now < idle.since + KEEP_TIME;
        match kept.filter(fresh) {
            Some(Idle { connection, since, .. }) => Ok(Taken { kept: self, connection, since }),
            None => Ok(Taken { kept: self, connection: self.pool.acquire().await?, since: now }),
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // A list of connections stays whole whatever panics beside it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut idle = kept.idle();
        if idle.len() < MOST {
            idle.push(Idle { connection, since, used_at: Instant::now() });
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
