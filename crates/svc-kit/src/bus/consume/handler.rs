//! What a service writes: the handler of a batch, and what it says about it.

use std::time::Duration;

use super::Delivery;

/// Any cause of a failure.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Applies messages. One transaction per call: record the ids with [`crate::inbox::record`], apply, commit, and only then
/// return.
///
/// ```
/// use svc_kit::bus::{Delivery, Failure, Handler, Verdict, Verdicts};
///
/// struct Payments { pool: sqlx::PgPool }
///
/// impl Handler for Payments {
///     async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
///         let mut tx = self.pool.begin().await?;
///         let ids: Vec<&str> = batch.iter().map(|delivery| delivery.id.as_str()).collect();
///         let new = svc_kit::inbox::record(&mut tx, "order-svc-pay", &ids).await?;
///         let mut verdicts = Vec::new();
///         for delivery in batch {
///             verdicts.push(match delivery.decode::<proto::event::PaymentPaid>() {
///                 Err(error) => Verdict::Dead(error.to_string()),
///                 Ok(_) if !new.contains(&delivery.id) => Verdict::Applied, // applied before
///                 Ok(_paid) => Verdict::Applied, // apply it here, in `tx`
///             });
///         }
///         tx.commit().await?;
///         Ok(Verdicts::Each(verdicts))
///     }
/// }
/// ```
pub trait Handler: Send + Sync {
    /// Applies a batch in the order of the stream; it is never empty. What is returned is final: `Applied` is acked.
    ///
    /// The future may be dropped when it takes longer than [`super::Options::handler_time`].
    fn handle(&self, batch: &[Delivery]) -> impl Future<Output = Result<Verdicts, Failure>> + Send;
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is applied and committed, now or earlier.
    Applied,
    /// It cannot be applied yet; deliver it again after this time. It never becomes a dead letter by this; a handler that
    /// has seen enough looks at [`Delivery::attempts`] and says `Dead`.
    Retry(Duration),
    /// It can never be applied, for this reason (no secrets: people read it). It goes to `dead.v1.<durable>`.
    Dead(String),
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdicts {
    /// The same for every message.
    All(Verdict),
    /// One for each message, in their order.
    Each(Vec<Verdict>),
}

/// Why a handler could not say what became of the messages.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What the handler needs is away, such as the database. The same batch is handed over again soon, and this costs no
    /// attempt, however long it lasts.
    #[error("what the handler needs is unavailable")]
    Unavailable(#[source] Cause),
    /// The handler failed on these messages. They are tried one by one, then rest, then become dead letters.
    #[error("the handler failed")]
    Failed(#[source] Cause),
}

impl Failure {
    /// What the handler needs is away.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The handler failed on these messages.
    pub fn failed(cause: impl Into<Cause>) -> Self {
        Self::Failed(cause.into())
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) { Self::unavailable(error) } else { Self::failed(error) }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let unavailable = error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).any(is_unavailable);
        if unavailable { Self::unavailable(error) } else { Self::failed(error) }
    }
}

/// Whether the database is away, or told us to try the same again.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| is_unavailable_code(&code)),
        _ => false,
    }
}

/// Source: the Postgres manual, appendix A.
fn is_unavailable_code(code: &str) -> bool {
    // Connection, transaction rollback (serialization, deadlock), resources, operator intervention, system.
    ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class))
        // A read-only server during failover; a lock that was not had in time.
        || ["25006", "55P03"].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_costs_no_attempt() {
        assert!(matches!(Failure::from(sqlx::Error::PoolTimedOut), Failure::Unavailable(_)));
        let wrapped = anyhow::Error::new(sqlx::Error::PoolClosed).context("cannot apply");
        assert!(matches!(Failure::from(wrapped), Failure::Unavailable(_)));
        for code in ["08006", "40001", "40P01", "53300", "57P01", "57014", "25006"] {
            assert!(is_unavailable_code(code), "{code}");
        }
    }

    #[test]
    fn a_broken_rule_of_the_database_is_the_messages_fault() {
        assert!(matches!(Failure::from(sqlx::Error::RowNotFound), Failure::Failed(_)));
        assert!(matches!(Failure::from(anyhow::anyhow!("a bug")), Failure::Failed(_)));
        for code in ["23505", "23514", "22P02", "42703"] {
            assert!(!is_unavailable_code(code), "{code}");
        }
    }
}
