//! What differs between a stream or durable that exists and the table, and what may be done about it.

use std::time::Duration;

use async_nats::jetstream::consumer::{self, AckPolicy, DeliverPolicy};
use async_nats::jetstream::stream::{self, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType};
use proto::bus::DurableSpec;

use super::set;

/// What to do with a stream that exists.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What only a person may change; then nothing is done.
    pub(super) differences: Vec<String>,
    /// The configuration to write, when something changes.
    pub(super) update: Option<stream::Config>,
    /// What changes, for the log.
    pub(super) changes: Vec<String>,
}

/// Compares a stream that exists with the one that is wanted. Limits only grow: an operator may have raised them.
pub(super) fn streams(found: &stream::Config, wanted: &stream::Config) -> Plan {
    let mut plan = Plan { differences: stream_differences(found, wanted), ..Plan::default() };
    let mut new = found.clone();
    let mut change = |what: &str, apply: &mut dyn FnMut(&mut stream::Config)| {
        apply(&mut new);
        plan.changes.push(what.to_owned());
    };

    let known = set(found.subjects.iter().map(String::as_str));
    let missing: Vec<String> =
        wanted.subjects.iter().filter(|subject| !known.contains(subject.as_str())).cloned().collect();
    if !missing.is_empty() {
        change("subjects are added", &mut |new| new.subjects.extend(missing.clone()));
    }
    if found.discard != DiscardPolicy::New || found.discard_new_per_subject {
        change("a full stream refuses instead of forgetting", &mut |new| {
            new.discard = DiscardPolicy::New;
            new.discard_new_per_subject = false;
        });
    }
    if 0 < found.max_bytes && (found.max_bytes < wanted.max_bytes || wanted.max_bytes <= 0) {
        change("max_bytes grows", &mut |new| new.max_bytes = wanted.max_bytes);
    }
    if !found.max_age.is_zero() && (wanted.max_age.is_zero() || found.max_age < wanted.max_age) {
        change("max_age grows", &mut |new| new.max_age = wanted.max_age);
    }
    if 0 < found.max_messages || 0 < found.max_messages_per_subject {
        change("limits by number of messages are lifted", &mut |new| {
            new.max_messages = -1;
            new.max_messages_per_subject = -1;
        });
    }
    if found.duplicate_window < wanted.duplicate_window {
        change("duplicate_window grows", &mut |new| new.duplicate_window = wanted.duplicate_window);
    }
    if found.num_replicas.max(1) < wanted.num_replicas {
        change("replicas are added", &mut |new| new.num_replicas = wanted.num_replicas);
    }
    if !found.deny_delete || !found.deny_purge {
        change("deletes and purges are denied", &mut |new| {
            new.deny_delete = true;
            new.deny_purge = true;
            // A roll-up is a purge by another name, so the server allows only one of the two.
            new.allow_rollup = false;
        });
    }
    if !found.allow_atomic_publish {
        change("atomic batches are allowed", &mut |new| new.allow_atomic_publish = true);
    }
    if !plan.changes.is_empty() {
        plan.update = Some(new);
    }
    plan
}

fn stream_differences(found: &stream::Config, wanted: &stream::Config) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differs = |is: bool, what: &str| {
        if is {
            differences.push(what.to_owned());
        }
    };
    differs(
        found.retention != wanted.retention && wanted.retention == RetentionPolicy::Limits,
        "its retention is not `limits`, so messages vanish when consumed: publish into a new stream and delete this one",
    );
    differs(
        found.retention != wanted.retention && wanted.retention != RetentionPolicy::Limits,
        "its retention is not `workqueue`, so work that is done stays: delete it, then it is made again",
    );
    differs(
        found.storage != StorageType::File,
        "its storage is not `file`, so a restart loses it: copy it into a new stream",
    );
    differs(
        found.persist_mode == Some(PersistenceMode::Async),
        "its persist_mode is `async`, so it acks before the disk has the message: copy it into a new stream",
    );
    differs(found.no_ack, "it has no_ack, so publishers never learn what is stored: edit it");
    differs(found.sealed, "it is sealed, so it takes nothing: copy it into a new stream");
    differs(
        found.mirror.is_some() || found.sources.as_ref().is_some_and(|sources| !sources.is_empty()),
        "it mirrors or sources another stream: remove that",
    );
    differs(
        found.subject_transform.is_some() || found.republish.is_some(),
        "it transforms or republishes subjects: remove that",
    );
    if wanted.num_replicas < found.num_replicas {
        let (found, wanted) = (found.num_replicas, wanted.num_replicas);
        differences.push(format!("it has {found} replicas and NATS_REPLICAS is {wanted}: set it to {found}"));
    }
    differences
}

/// What differs between a durable that exists and the table, and would lose or hide messages.
pub(super) fn durables(found: &consumer::Config, spec: &DurableSpec) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differs = |is: bool, what: &str| {
        if is {
            differences.push(what.to_owned());
        }
    };
    differs(found.deliver_subject.is_some(), "it is a push consumer: delete it, then everything is delivered again");
    differs(
        found.ack_policy != AckPolicy::Explicit,
        "its ack policy is not explicit: delete it, then everything is delivered again",
    );
    differs(
        found.deliver_policy != DeliverPolicy::All,
        "it does not deliver all messages, so older ones were skipped: delete it, then everything is delivered again",
    );
    differs(found.headers_only, "it delivers headers without bodies: edit it");
    differs(found.memory_storage, "its state is in memory: delete it, then everything is delivered again");
    differs(found.pause_until.is_some(), "it is paused: resume it");
    let lost = filters(found).into_iter().find(|filter| !spec.filter_subjects.contains(filter));
    if let Some(lost) = lost {
        differences.push(format!(
            "it also reads {lost}, which this release does not: run the newer release, or remove the filter by hand"
        ));
    }
    differences
}

/// Whether nothing needs to be written.
pub(super) fn is_same_durable(found: &consumer::Config, spec: &DurableSpec) -> bool {
    filters(found) == set(spec.filter_subjects.iter().copied())
        && found.ack_wait == spec.ack_wait
        && found.max_ack_pending == spec.max_ack_pending
        && found.max_deliver <= 0
        && found.backoff.is_empty()
        && found.inactive_threshold == Duration::ZERO
}

fn filters(found: &consumer::Config) -> std::collections::BTreeSet<&str> {
    set(found.filter_subjects.iter().map(String::as_str).chain([found.filter_subject.as_str()]))
}

#[cfg(test)]
mod tests {
    use super::super::{durable_config, stream_config};
    use super::*;
    use async_nats::jetstream::consumer::IntoConsumerConfig as _;
    use proto::bus::{ORDER_SVC_PAY, durable, stream};

    fn wanted() -> stream::Config {
        stream_config(stream("PAY").expect("it is in the table"), 1)
    }

    fn spec() -> &'static DurableSpec {
        durable(ORDER_SVC_PAY).expect("it is in the table")
    }

    #[test]
    fn a_stream_as_wanted_is_left_alone() {
        let plan = streams(&wanted(), &wanted());
        assert!(plan.update.is_none() && plan.differences.is_empty(), "{plan:?}");
    }

    #[test]
    fn limits_that_an_operator_raised_are_left_alone() {
        let raised = stream::Config {
            max_bytes: wanted().max_bytes * 2,
            max_age: Duration::ZERO,
            duplicate_window: wanted().duplicate_window * 2,
            subjects: vec!["pay.v1.>".to_owned(), "pay.v2.>".to_owned()],
            ..wanted()
        };
        let plan = streams(&raised, &wanted());
        assert!(plan.update.is_none() && plan.differences.is_empty(), "{plan:?}");
    }

    #[test]
    fn what_makes_a_stream_safer_is_changed() {
        let weak = stream::Config {
            subjects: vec![],
            discard: DiscardPolicy::Old,
            max_bytes: 1,
            max_age: Duration::from_secs(1),
            max_messages: 10,
            max_messages_per_subject: 1,
            duplicate_window: Duration::from_secs(1),
            deny_delete: false,
            deny_purge: false,
            allow_rollup: true,
            allow_atomic_publish: false,
            ..wanted()
        };
        let plan = streams(&weak, &stream::Config { num_replicas: 3, ..wanted() });
        assert_eq!(plan.update, Some(stream::Config { num_replicas: 3, ..wanted() }));
        assert!(plan.differences.is_empty());
    }

    #[test]
    fn each_difference_that_loses_messages_is_named() {
        let bad = stream::Config {
            retention: RetentionPolicy::WorkQueue,
            storage: StorageType::Memory,
            persist_mode: Some(PersistenceMode::Async),
            no_ack: true,
            sealed: true,
            sources: Some(vec![stream::Source::default()]),
            num_replicas: 3,
            ..wanted()
        };
        assert_eq!(streams(&bad, &wanted()).differences.len(), 7);
    }

    #[test]
    fn a_work_queue_is_left_alone_and_nothing_else_is_one() {
        let work = stream_config(stream("WORK").expect("it is in the table"), 1);
        assert_eq!(work.retention, RetentionPolicy::WorkQueue);
        let plan = streams(&work, &work);
        assert!(plan.update.is_none() && plan.differences.is_empty(), "{plan:?}");
        let kept = stream::Config { retention: RetentionPolicy::Limits, ..work.clone() };
        assert_eq!(streams(&kept, &work).differences.len(), 1);
    }

    #[test]
    fn a_durable_may_gain_a_filter_but_not_lose_one() {
        let same = durable_config(spec()).into_consumer_config();
        assert!(durables(&same, spec()).is_empty() && is_same_durable(&same, spec()));
        let narrow = consumer::Config { filter_subjects: vec![], ..same.clone() };
        assert!(durables(&narrow, spec()).is_empty() && !is_same_durable(&narrow, spec()));
        let wide = consumer::Config { filter_subject: "pay.v1.refund.>".to_owned(), ..same.clone() };
        assert_eq!(durables(&wide, spec()).len(), 1);
        let paused = consumer::Config { ack_policy: AckPolicy::None, headers_only: true, ..same };
        assert_eq!(durables(&paused, spec()).len(), 2);
    }
}
