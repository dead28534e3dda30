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
    /// The future may be dropped when it takes longer than [`super::Options::handler_time`]. With several
    /// [`super::Options::batches`] it is called for one batch while it works on another.
    fn handle(&self, batch: &[Delivery]) -> impl Future<Output = Result<Verdicts, Failure>> + Send;

    /// Applies those about which [`Self::handle`] said [`Verdict::InTurn`], in the order of the stream: every batch before has
    /// ended, whatever became of it.
    fn handle_in_turn(&self, batch: &[Delivery]) -> impl Future<Output = Result<Verdicts, Failure>> + Send {
        self.handle(batch)
    }
}

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is applied and committed, now or earlier.
    Applied,
    /// It cannot be applied yet; deliver it again after this time. It never becomes a dead letter by this; a handler that
    /// has seen enough looks at [`Delivery::attempts`] and says `Dead`.
    Retry(Duration),
    /// It needs the order of the stream: [`Handler::handle_in_turn`] is asked about it when every batch before has ended.
    InTurn,
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

/// Why a handler could not say what became of the messages. `?` on an error of sqlx, or on one of anyhow that holds one, tells
/// them apart by what Postgres says.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What the handler needs is away or broken, such as the database or its schema. The same batch is handed over again
    /// soon, and this costs no attempt, however long it lasts.
    #[error("what the handler needs is unavailable")]
    Unavailable(#[source] Cause),
    /// It took too long: the database is slow, or something in these messages is. They are handed over again a few times,
    /// then tried one by one, then counted as failed, so that one slow message does not stop all others for ever.
    #[error("the handler was too slow")]
    Slow(#[source] Cause),
    /// The handler failed on these messages. They are tried one by one, then rest, then become dead letters.
    #[error("the handler failed")]
    Failed(#[source] Cause),
}

impl Failure {
    /// What the handler needs is away or broken.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// It took too long.
    pub fn slow(cause: impl Into<Cause>) -> Self {
        Self::Slow(cause.into())
    }

    /// The handler failed on these messages.
    pub fn failed(cause: impl Into<Cause>) -> Self {
        Self::Failed(cause.into())
    }

    fn blaming(culprit: Culprit, cause: impl Into<Cause>) -> Self {
        match culprit {
            Culprit::Database => Self::unavailable(cause),
            Culprit::Time => Self::slow(cause),
            Culprit::Message => Self::failed(cause),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::blaming(Culprit::of(&error), error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let culprits = error.chain().filter_map(|cause| cause.downcast_ref::<sqlx::Error>()).map(Culprit::of);
        Self::blaming(culprits.min().unwrap_or(Culprit::Message), error)
    }
}

/// What an error of the database speaks against; of several, the first of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Culprit {
    /// The database or its schema, whatever the message was.
    Database,
    /// Too little time, which may be the database's fault or the message's.
    Time,
    /// The message, or the handler's treatment of it.
    Message,
}

impl Culprit {
    fn of(error: &sqlx::Error) -> Self {
        match error {
            // A limit of the handler's own, or the network's.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Self::Time,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
            // The schema is not the one that this release was built for.
            | sqlx::Error::TypeNotFound { .. }
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::Database,
            sqlx::Error::Database(error) => error.code().map_or(Self::Message, |code| Self::of_code(&code)),
            _ => Self::Message,
        }
    }

    /// Source: the Postgres manual, appendix A.
    fn of_code(code: &str) -> Self {
        match code {
            // query_canceled (a statement's time is over), lock_not_available.
            "57014" | "55P03" => Self::Time,
            // read_only_sql_transaction (a failover), idle and whole transactions that took too long. Not all of class 25: a
            // transaction that had failed before may have failed by the message.
            "25006" | "25P03" | "25P04" => Self::Database,
            _ if NEVER_A_MESSAGES_FAULT.iter().any(|class| code.starts_with(class)) => Self::Database,
            _ => Self::Message,
        }
    }
}

/// Classes of errors that no content of a message can cause.
const NEVER_A_MESSAGES_FAULT: [&str; 14] = [
    "08", // connection
    "0A", // feature not supported, such as a cached plan whose table has changed
    "26", // a prepared statement is gone
    "28", // authorization
    "3D", // no such database
    "3F", // no such schema
    "40", // transaction rollback: serialization, deadlock
    "42", // syntax or access rule: a missing table or column, a missing permission
    "53", // insufficient resources
    "55", // object not in the prerequisite state
    "57", // operator intervention
    "58", // system error
    "F0", // configuration file
    "XX", // internal error, corruption
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_costs_no_attempt() {
        assert!(matches!(Failure::from(sqlx::Error::PoolTimedOut), Failure::Unavailable(_)));
        let wrapped = anyhow::Error::new(sqlx::Error::PoolClosed).context("cannot apply");
        assert!(matches!(Failure::from(wrapped), Failure::Unavailable(_)));
        for code in ["08006", "40001", "40P01", "53300", "57P01", "25006", "25P03"] {
            assert_eq!(Culprit::of_code(code), Culprit::Database, "{code}");
        }
    }

    #[test]
    fn a_missing_table_column_or_permission_is_no_messages_fault() {
        let missing = sqlx::Error::ColumnNotFound("amount_fen".to_owned());
        assert!(matches!(Failure::from(missing), Failure::Unavailable(_)));
        for code in ["42P01", "42703", "42501", "42883", "3F000", "28P01", "0A000", "XX000"] {
            assert_eq!(Culprit::of_code(code), Culprit::Database, "{code}");
        }
    }

    #[test]
    fn too_little_time_is_not_taken_for_an_outage() {
        let elapsed = std::io::Error::new(std::io::ErrorKind::TimedOut, "10 s");
        assert!(matches!(Failure::from(sqlx::Error::Io(elapsed)), Failure::Slow(_)));
        for code in ["57014", "55P03"] {
            assert_eq!(Culprit::of_code(code), Culprit::Time, "{code}");
        }
    }

    #[test]
    fn a_broken_rule_of_the_database_is_the_messages_fault() {
        assert!(matches!(Failure::from(sqlx::Error::RowNotFound), Failure::Failed(_)));
        assert!(matches!(Failure::from(anyhow::anyhow!("a bug")), Failure::Failed(_)));
        for code in ["23505", "23514", "22P02", "25P02", "P0001"] {
            assert_eq!(Culprit::of_code(code), Culprit::Message, "{code}");
        }
    }
}
