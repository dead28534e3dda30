use proto::event::{
    Event, OrderClosed, OrderCreated, OrderPaid, OrderRefunded, PaymentCreated, PaymentPaid, PaymentSurplus,
    RefundAccepted, RefundChanged, RefundCreated, RefundFailed, RepairAnswered,
};
use sqlx::PgConnection;
use svc_kit::bus::Delivery;

use crate::books::{BookError, IssuedPayment, OrderNote, ProviderPayment, ProviderRefund, RefundNote, TakenPayment};
use crate::resolution::Answer;
use crate::store::books;

/// One thing to write into our books.
#[derive(Debug)]
pub(super) enum Note {
    /// Leg O: an order was created or closed.
    Order(OrderNote),
    /// Leg O: a number was given out.
    Issued(IssuedPayment),
    /// Leg O: money was accepted.
    Taken(TakenPayment),
    /// Leg E: the provider told us of a payment.
    Provider(ProviderPayment),
    /// Leg O: something happened to a refund of ours.
    Refund(RefundNote),
    /// Leg E: the provider told us what became of a refund.
    ProviderRefund(ProviderRefund),
    /// order-svc says what came of a repair. Those of a batch are applied together, after everything else.
    Answer(Answer),
    /// A fact that this release does not book, such as a hint that a refund may have changed.
    Other,
}

impl Note {
    /// Reads a message; the error says why it can never be booked.
    pub(super) fn read(delivery: &Delivery) -> Result<Self, String> {
        match delivery.event_type() {
            PaymentPaid::TYPE => decode::<PaymentPaid, _>(delivery).map(Note::Provider),
            OrderCreated::TYPE => decode::<OrderCreated, _>(delivery).map(Note::Order),
            OrderClosed::TYPE => decode::<OrderClosed, _>(delivery).map(Note::Order),
            PaymentCreated::TYPE => decode::<PaymentCreated, _>(delivery).map(Note::Issued),
            OrderPaid::TYPE => decode::<OrderPaid, _>(delivery).map(Note::Taken),
            PaymentSurplus::TYPE => decode::<PaymentSurplus, _>(delivery).map(Note::Taken),
            RefundCreated::TYPE => decode::<RefundCreated, _>(delivery).map(Note::Refund),
            RefundAccepted::TYPE => decode::<RefundAccepted, _>(delivery).map(Note::Refund),
            RefundFailed::TYPE => decode::<RefundFailed, _>(delivery).map(Note::Refund),
            OrderRefunded::TYPE => decode::<OrderRefunded, _>(delivery).map(Note::Refund),
            RefundChanged::TYPE => decode::<RefundChanged, _>(delivery).map(Note::ProviderRefund),
            RepairAnswered::TYPE => decode::<RepairAnswered, _>(delivery).map(Note::Answer),
            // Without a type it is no event of ours; with one that we do not know it is one of a later release.
            "" => Err("the header ce-type is missing".to_owned()),
            _ => Ok(Note::Other),
        }
    }

    /// The word in metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Note::Order(_) => "order",
            Note::Issued(_) => "payment_issued",
            Note::Taken(_) => "payment_taken",
            Note::Provider(_) => "provider_paid",
            Note::Refund(_) => "refund",
            Note::ProviderRefund(_) => "provider_refund",
            Note::Answer(_) => "repair_answered",
            Note::Other => "other",
        }
    }

    /// Writes it, if it belongs into the books.
    pub(super) async fn write(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        match self {
            Note::Order(order) => books::note_order(conn, order).await,
            Note::Issued(issued) => books::note_issued(conn, issued).await,
            Note::Taken(taken) => books::note_taken(conn, taken).await,
            Note::Provider(told) => books::note_provider_payment(conn, told).await,
            Note::Refund(refund) => books::note_refund(conn, refund).await,
            Note::ProviderRefund(told) => books::note_provider_refund(conn, told).await,
            Note::Answer(_) | Note::Other => Ok(()),
        }
    }
}

fn decode<E, N>(delivery: &Delivery) -> Result<N, String>
where
    E: Event,
    N: TryFrom<E, Error = BookError>,
{
    let event = delivery.decode::<E>().map_err(|error| error.to_string())?;
    N::try_from(event).map_err(|error| error.to_string())
}
