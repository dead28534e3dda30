//! Which facts the consumers have recorded as applied.

use anyhow::Context as _;
use proto::bus::{DURABLES, DurableSpec};
use sqlx::PgPool;

use super::IDS_AT_ONCE;
use crate::verify::{Fact, Unapplied};

/// Which of these facts of `stream` a durable of `service` should have recorded and has not.
pub(in crate::verify) async fn missing(
    pool: &PgPool,
    service: &str,
    stream: &str,
    facts: &[Fact],
) -> anyhow::Result<Vec<Unapplied>> {
    let mut missing = Vec::new();
    let durables = DURABLES.iter().filter(|durable| durable.owner == service && durable.stream == stream);
    for durable in durables {
        let read: Vec<&Fact> = facts.iter().filter(|fact| reads(durable, &fact.subject)).collect();
        for facts in read.chunks(IDS_AT_ONCE) {
            let ids: Vec<&str> = facts.iter().map(|fact| fact.id.as_str()).collect();
            let places: Vec<i64> = sqlx::query_scalar(
                "SELECT fact.place FROM UNNEST($2::text[]) WITH ORDINALITY AS fact (event_id, place)
                 WHERE NOT EXISTS (SELECT FROM applied_events a WHERE a.durable = $1 AND a.event_id = fact.event_id)",
            )
            .bind(durable.name)
            .bind(ids)
            .fetch_all(pool)
            .await
            .with_context(|| format!("what {service} has applied cannot be read"))?;
            let places = places.into_iter().filter_map(|place| facts.get(usize::try_from(place - 1).ok()?));
            missing.extend(places.map(|fact| Unapplied {
                durable: durable.name,
                id: fact.id.clone(),
                subject: fact.subject.clone(),
                sequence: fact.sequence,
                published: fact.published,
            }));
        }
    }
    Ok(missing)
}

fn reads(durable: &DurableSpec, subject: &str) -> bool {
    durable.filter_subjects.iter().any(|filter| matches(filter, subject))
}

/// Whether a subject is among those that a filter with `*` and `>` names.
fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn filters_take_what_the_server_would_deliver() {
        for (filter, subject, taken) in [
            ("pay.v1.>", "pay.v1.payment.paid.acme", true),
            ("pay.v1.payment.paid.*", "pay.v1.payment.paid.acme", true),
            ("pay.v1.payment.paid.*", "pay.v1.refund.succeeded.acme", false),
            ("pay.v1.payment.paid.*", "pay.v1.payment.paid", false),
            ("pay.v1.payment.paid.*", "pay.v1.payment.paid.acme.x", false),
            ("pay.v1.>", "pay.v1", false),
        ] {
            assert_eq!(matches(filter, subject), taken, "{filter} {subject}");
        }
    }
}
