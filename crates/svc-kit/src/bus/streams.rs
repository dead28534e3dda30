//! Streams and durables, created from the table in `proto::bus` by the processes that own them.
//!
//! Creating again changes nothing. What only makes a stream safer or larger is changed, with a log line; what could lose
//! messages, or hide them from a consumer, is refused with a line that says what a person has to decide.

mod compare;

use std::collections::BTreeSet;
use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::context::{ConsumerInfoErrorKind, GetStreamErrorKind};
use async_nats::jetstream::{ErrorCode, stream};
use proto::bus::{DurableSpec, Retention, StreamSpec};
use tokio_util::sync::CancellationToken;

use super::Bus;
use super::metrics::Outcome;
use crate::schedule::jittered;

/// How often creating is tried before the start gives up: a cluster may be electing a leader.
const ATTEMPTS: u32 = 10;

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// After a check that failed, before the next one: somebody may have repaired what we cannot.
const CHECK_PAUSE: Duration = Duration::from_secs(30);

/// Why the streams are not as the table says.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// One exists and differs in a way that we do not change by ourselves.
    #[error("the {kind} {name} differs from what this release needs: {}", differences.join("; "))]
    Different {
        /// `stream` or `durable`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Each difference, with what to do.
        differences: Vec<String>,
    },
    /// The server did not do it, or did not answer.
    #[error("cannot {action}")]
    Server {
        /// What was asked for.
        action: String,
        /// Why not.
        #[source]
        source: async_nats::Error,
    },
}

/// Creates what the table gives to `process`: its streams, then its durables. Waits for a cluster that has no leader yet,
/// at most about a minute.
///
/// # Errors
/// See [`StreamsError`].
pub async fn ensure(bus: &Bus, process: &str) -> Result<(), StreamsError> {
    let mut attempt = 1;
    loop {
        match ensure_once(bus, process).await {
            Err(StreamsError::Server { action, source }) if attempt < ATTEMPTS => {
                tracing::info!(attempt, "cannot {action} yet: {source}");
                attempt += 1;
                tokio::time::sleep(jittered(PAUSE)).await;
            }
            done => return done,
        }
    }
}

async fn ensure_once(bus: &Bus, process: &str) -> Result<(), StreamsError> {
    for spec in proto::bus::streams_of(process) {
        ensure_stream(bus, spec).await?;
    }
    for spec in proto::bus::durables_of(process) {
        ensure_durable(bus, spec).await?;
    }
    Ok(())
}

/// Creates them at once and after each reconnect, because the server that came back may have lost its disk; and asks its
/// monitor again whether it syncs always, because it may have lost its settings, too. Ends when `stop` fires. A failure is
/// logged, and the check is repeated every 30 s until it ends well.
///
/// # Errors
/// None: the result is what [`crate::process::Tasks::spawn`] wants.
pub async fn keep(bus: Bus, process: &'static str, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        // Taken before the check, so that a reconnect in its middle is followed by another check.
        let mut generation = bus.generation();
        let checked = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            checked = check(&bus, process) => checked,
        };
        let outcome = if checked { "ok" } else { "failed" };
        bus.metrics.stream_checks.get_or_create(&Outcome { outcome }).inc();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = generation.renewed() => {}
            () = tokio::time::sleep(jittered(CHECK_PAUSE)), if !checked => {}
        }
    }
}

async fn check(bus: &Bus, process: &str) -> bool {
    let ensured = ensure(bus, process).await;
    if let Err(error) = &ensured {
        tracing::error!(error = error as &dyn std::error::Error, "streams could not be checked after a connect");
    }
    let Some(monitor) = &bus.monitor else { return ensured.is_ok() };
    let synced = monitor.check().await;
    if let Err(error) = &synced {
        tracing::error!("checked again after a connect: {error:#}");
    }
    ensured.is_ok() && synced.is_ok()
}

/// Creates one stream, or brings it to what `spec` says.
///
/// # Errors
/// See [`StreamsError`].
pub async fn ensure_stream(bus: &Bus, spec: &StreamSpec) -> Result<(), StreamsError> {
    let name = spec.name;
    let wanted = stream_config(spec, bus.replicas);
    let failed = |verb: &str, source: async_nats::Error| StreamsError::Server {
        action: format!("{verb} the stream {name}"),
        source,
    };
    let found = match bus.jetstream.get_stream(name).await {
        Ok(stream) => stream.cached_info().config.clone(),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(refusal) if refusal.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                // Another process may create it at this moment; with the same configuration that is no error.
                bus.jetstream.create_stream(wanted).await.map_err(|error| failed("create", error.into()))?;
                tracing::info!("created the stream {name}");
                return Ok(());
            }
            _ => return Err(failed("look at", error.into())),
        },
    };
    let plan = compare::streams(&found, &wanted);
    if !plan.differences.is_empty() {
        return Err(StreamsError::Different { kind: "stream", name: name.to_owned(), differences: plan.differences });
    }
    if let Some(update) = plan.update {
        bus.jetstream.update_stream(&update).await.map_err(|error| failed("update", error.into()))?;
        tracing::info!(changes = plan.changes.join("; "), "updated the stream {name}");
    }
    Ok(())
}

/// Creates one durable, or brings it to what `spec` says. Its stream must exist.
///
/// # Errors
/// See [`StreamsError`].
pub async fn ensure_durable(bus: &Bus, spec: &DurableSpec) -> Result<(), StreamsError> {
    let name = spec.name;
    let failed = |verb: &str, source: async_nats::Error| StreamsError::Server {
        action: format!("{verb} the durable {name}"),
        source,
    };
    let stream = bus.jetstream.get_stream_no_info(spec.stream).await.map_err(|error| failed("name", error.into()))?;
    match stream.consumer_info(name).await {
        Ok(info) => {
            let differences = compare::durables(&info.config, spec);
            if !differences.is_empty() {
                return Err(StreamsError::Different { kind: "durable", name: name.to_owned(), differences });
            }
            if compare::is_same_durable(&info.config, spec) {
                return Ok(());
            }
        }
        Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => {}
        Err(error) => return Err(failed("look at", error.into())),
    }
    stream.create_consumer(durable_config(spec)).await.map_err(|error| failed("create", error.into()))?;
    tracing::info!("created or updated the durable {name}");
    Ok(())
}

fn stream_config(spec: &StreamSpec, replicas: usize) -> stream::Config {
    stream::Config {
        name: spec.name.to_owned(),
        subjects: spec.subjects.iter().map(ToString::to_string).collect(),
        retention: match spec.retention {
            Retention::Limits => stream::RetentionPolicy::Limits,
            Retention::WorkQueue => stream::RetentionPolicy::WorkQueue,
        },
        storage: stream::StorageType::File,
        discard: stream::DiscardPolicy::New,
        max_bytes: spec.max_bytes,
        max_age: spec.max_age.unwrap_or_default(),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        num_replicas: replicas,
        duplicate_window: spec.duplicate_window,
        deny_delete: true,
        deny_purge: true,
        allow_atomic_publish: true,
        ..stream::Config::default()
    }
}

fn durable_config(spec: &DurableSpec) -> pull::Config {
    pull::Config {
        durable_name: Some(spec.name.to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: spec.ack_wait,
        // Without limit: we count attempts ourselves, and end them with a dead letter instead of silence.
        max_deliver: -1,
        filter_subjects: spec.filter_subjects.iter().map(ToString::to_string).collect(),
        replay_policy: ReplayPolicy::Instant,
        max_ack_pending: spec.max_ack_pending,
        ..pull::Config::default()
    }
}

/// Subjects as a set, because the server may tell them in another order.
fn set<'s>(subjects: impl IntoIterator<Item = &'s str>) -> BTreeSet<&'s str> {
    subjects.into_iter().filter(|subject| !subject.is_empty()).collect()
}
