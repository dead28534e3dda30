//! What reconcile-svc tells and is told, and the work that it hands out.

use super::{
    DiscrepancyOpened, DiscrepancyResolved, Event, ReconcileDay, ReconciliationCompleted, RepairAnswered,
    RepairRequested, id_of, said_by,
};
use crate::bus::subject;

impl Event for ReconciliationCompleted {
    const TYPE: &'static str = "tongbao.event.v1.ReconciliationCompleted";

    fn id(&self) -> String {
        format!("run:{}", id_of(&self.run))
    }

    fn bus_subject(&self) -> String {
        subject::run_completed(&self.merchant)
    }

    fn about(&self) -> String {
        self.run.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for DiscrepancyOpened {
    const TYPE: &'static str = "tongbao.event.v1.DiscrepancyOpened";

    fn id(&self) -> String {
        format!("opened:{}:{}", id_of(&self.discrepancy), said_by(&self.run, self.audit_sequence))
    }

    fn bus_subject(&self) -> String {
        subject::discrepancy("opened", &self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for RepairRequested {
    const TYPE: &'static str = "tongbao.event.v1.RepairRequested";

    fn id(&self) -> String {
        format!("repair:{}", id_of(&self.repair))
    }

    fn bus_subject(&self) -> String {
        subject::repair_requested(&self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.request_time
    }
}

impl Event for RepairAnswered {
    const TYPE: &'static str = "tongbao.event.v1.RepairAnswered";

    fn id(&self) -> String {
        format!("repair-answered:{}", id_of(&self.repair))
    }

    fn bus_subject(&self) -> String {
        subject::repair_answered(&self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.answer_time
    }
}

impl Event for DiscrepancyResolved {
    const TYPE: &'static str = "tongbao.event.v1.DiscrepancyResolved";

    fn id(&self) -> String {
        format!("resolved:{}:{}", id_of(&self.discrepancy), said_by(&self.run, self.audit_sequence))
    }

    fn bus_subject(&self) -> String {
        subject::discrepancy("resolved", &self.merchant)
    }

    fn about(&self) -> String {
        self.discrepancy.clone()
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        None
    }
}

impl Event for ReconcileDay {
    const TYPE: &'static str = "tongbao.event.v1.ReconcileDay";

    fn id(&self) -> String {
        let tick = self.tick_time.as_ref().map_or(0, |time| time.seconds);
        format!("{}:{}:{tick}", self.merchant, self.bill_date)
    }

    fn bus_subject(&self) -> String {
        subject::reconcile_work(&self.merchant)
    }

    fn about(&self) -> String {
        format!("days/{}", self.bill_date)
    }

    fn time(&self) -> Option<pbjson_types::Timestamp> {
        self.tick_time
    }
}
