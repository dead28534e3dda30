//! What reconciliation asks order-svc for, asked by the test in its place.

use proto::event::{RepairAction, RepairAnswered, RepairRequested, repair_answered::Outcome};
use svc_kit::bus::Message;
use uuid::Uuid;

use crate::{
    World, eventually,
    selling::{Cashier, MERCHANT},
};

/// A repair of a payment of the first merchant, in the name of a process: `action` decides which of its numbers matter.
pub fn repair(action: RepairAction, cashier: &Cashier) -> RepairRequested {
    RepairRequested {
        repair: format!("repairs/{}", Uuid::new_v4()),
        discrepancy: format!("discrepancies/{}", Uuid::new_v4()),
        merchant: MERCHANT.to_owned(),
        bill_date: "2026-11-21".to_owned(),
        code: "P1".to_owned(),
        action: action.into(),
        out_trade_no: cashier.out_trade_no().to_owned(),
        requested_by: vec!["reconcile-svc".to_owned()],
        ..RepairRequested::default()
    }
}

impl World {
    /// Asks for a repair.
    ///
    /// # Panics
    /// When the bus does not take it in time.
    pub async fn ask_for_repair(&self, request: &RepairRequested) {
        let message = Message::from_event(request, "reconcile-svc").expect("a request is an event");
        let streams = self.streams().await;
        eventually("the bus takes a repair", async || {
            let (mut headers, jetstream) = (message.headers.clone(), streams.jetstream());
            // The same again is the same message.
            headers.insert(proto::bus::header::MSG_ID, message.id.as_str());
            let sent = jetstream.publish_with_headers(message.subject.clone(), headers, message.payload.clone()).await;
            sent.map_err(|error| error.to_string())?.await.map_err(|error| error.to_string())
        })
        .await;
    }

    /// What came of a repair, as soon as that is told.
    pub async fn answer_of(&self, request: &RepairRequested) -> Option<RepairAnswered> {
        let answers = self.facts("order.v1.repair.answered.>").await;
        answers.iter().map(crate::streams::Fact::event::<RepairAnswered>).find(|answer| answer.repair == request.repair)
    }

    /// Asks for a repair and waits for its answer.
    ///
    /// # Panics
    /// When there is none.
    pub async fn repaired(&self, request: &RepairRequested) -> (Outcome, String) {
        self.ask_for_repair(request).await;
        let answer = eventually("the repair is answered", async || self.answer_of(request).await).await;
        (answer.outcome(), answer.detail)
    }
}
