//! What others are told when no run opened or ended a difference.

use proto::event::{DiscrepancyOpened, DiscrepancyResolved};

use crate::store::subjects::Subject;

pub(super) fn opened(subject: &Subject, audit_sequence: i64) -> DiscrepancyOpened {
    DiscrepancyOpened {
        discrepancy: format!("discrepancies/{}", subject.id),
        merchant: subject.merchant.clone(),
        bill_date: subject.bill_date.to_string(),
        code: subject.code.as_str().to_owned(),
        out_trade_no: subject.out_trade_no.clone(),
        transaction_id: subject.transaction_id.clone(),
        bill_amount_fen: subject.bill_amount.get(),
        book_amount_fen: subject.book_amount.get(),
        run: String::new(),
        out_refund_no: subject.out_refund_no.clone(),
        refund_id: subject.refund_id.clone(),
        risk_fen: subject.risk.get(),
        audit_sequence,
    }
}

pub(super) fn resolved(subject: &Subject, resolution: &str, audit_sequence: i64) -> DiscrepancyResolved {
    DiscrepancyResolved {
        discrepancy: format!("discrepancies/{}", subject.id),
        merchant: subject.merchant.clone(),
        bill_date: subject.bill_date.to_string(),
        code: subject.code.as_str().to_owned(),
        out_trade_no: subject.out_trade_no.clone(),
        run: String::new(),
        resolution: resolution.to_owned(),
        out_refund_no: subject.out_refund_no.clone(),
        audit_sequence,
    }
}
