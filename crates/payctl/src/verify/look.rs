//! Gathering, in the direction in which things happen, so that whatever one witness says had time to reach the next.

use std::collections::HashSet;

use proto::bus::{DURABLES, DurableSpec, Retention, stream};
use sandbox::control::Ledger;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    Evidence, Limits, Progress, Sources, Waiting, Window,
    fact::number_id,
    witnesses::{applied, bus, facts::Facts, orders, reconcile, strangers},
};

/// Looks once at everything of a window.
///
/// The order matters. The provider's attempts come first: whatever they published is then seen as a backlog; when that is gone,
/// it is in the database; when the outbox is empty, it is on the stream; and so on to the books. Nothing is read before its
/// cause.
///
/// # Errors
/// When a witness cannot be asked, or when there is more than the limits allow.
pub async fn look(
    sources: &Sources,
    window: &Window,
    limits: &Limits,
    progress: &Progress,
) -> anyhow::Result<Evidence> {
    let mut ledger = match &sources.ledger {
        Some(source) => Some(source.read().await?),
        None => None,
    };
    let mut waiting = Vec::new();
    if sources.order_svc_runs {
        behind(sources, "order-svc", &mut waiting).await?;
    }
    progress.tell(|| "reading order-svc's database".to_owned());
    let read = orders::read(&sources.orders, window, limits).await?;
    if sources.order_svc_runs {
        waiting.extend(read.outbox);
    }
    let reconcile = sources.reconcile.as_ref().filter(|_| sources.reconcile_svc_runs);
    let mut books = None;
    if let Some(pool) = reconcile {
        behind(sources, "reconcile-svc", &mut waiting).await?;
        progress.tell(|| "reading reconcile-svc's database".to_owned());
        let (read, outbox) = reconcile::read(pool, window, limits).await?;
        waiting.extend(outbox);
        books = Some(read);
    }
    let payments: HashSet<Uuid> = read.payments.iter().map(|payment| payment.payment_id).collect();
    if let Some(ledger) = &mut ledger {
        leave_others_out(ledger, &sources.orders, &payments).await?;
    }
    let refunds = read.refunds.as_ref().map(|refunds| refunds.iter().map(|refund| refund.refund_id).collect());
    let (jetstream, orders) = (&sources.jetstream, &sources.orders);
    let facts = Facts { jetstream, orders, window, limits, progress, payments, refunds };
    let (pay, order, dead) = (facts.read("PAY").await?, facts.read("ORDER").await?, facts.dead().await?);
    let mut unapplied = Vec::new();
    let services = [("order-svc", sources.order_svc_runs.then_some(&sources.orders)), ("reconcile-svc", reconcile)];
    for (service, pool) in services {
        let Some(pool) = pool else { continue };
        progress.tell(|| format!("reading what {service} has applied"));
        unapplied.extend(applied::missing(pool, service, "PAY", &pay).await?);
        unapplied.extend(applied::missing(pool, service, "ORDER", &order).await?);
    }
    Ok(Evidence {
        ledger,
        orders: read.orders,
        payments: read.payments,
        refunds: read.refunds,
        journal: read.journal,
        repairs: read.repairs,
        requests: read.requests,
        pay,
        order,
        dead,
        unapplied,
        books,
        waiting,
        applied: sources.order_svc_runs,
        looked_at: read.now,
    })
}

async fn behind(sources: &Sources, service: &str, waiting: &mut Vec<Waiting>) -> anyhow::Result<()> {
    // What waits in a work queue is no fact that anybody's books lack.
    let reads_facts =
        |durable: &&DurableSpec| stream(durable.stream).is_some_and(|of| of.retention == Retention::Limits);
    for DurableSpec { name, .. } in DURABLES.iter().filter(|durable| durable.owner == service).filter(reads_facts) {
        waiting.extend(bus::behind(&sources.jetstream, name).await?);
    }
    Ok(())
}

/// Takes what belongs to orders outside the window out of the ledger. What is nobody's stays.
async fn leave_others_out(ledger: &mut Ledger, orders: &PgPool, payments: &HashSet<Uuid>) -> anyhow::Result<()> {
    let numbers = ledger.orders.iter().filter_map(|order| number_id(&order.out_trade_no));
    let unsure: Vec<Uuid> = numbers.filter(|id| !payments.contains(id)).collect();
    let others = strangers::given_out(orders, strangers::Kind::Payment, &unsure).await?;
    let stays = |number: &str| number_id(number).is_none_or(|id| !others.contains(&id));
    ledger.orders.retain(|order| stays(&order.out_trade_no));
    ledger.callbacks.retain(|callback| stays(&callback.out_trade_no));
    Ok(())
}
