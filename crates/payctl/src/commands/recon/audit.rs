//! `payctl recon audit`.

use proto::reconcile::v1::{VerifyAuditLogRequest, VerifyAuditLogResponse};

use super::{Connection, Done};
use crate::output;

/// What `payctl recon audit verify` can be told.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 every row fits the one before it, 1 one does not, 2 bad use, or it could not be found out."
)]
pub(super) struct VerifyArgs {}

pub(super) async fn verify(connection: &mut Connection, VerifyArgs {}: &VerifyArgs) -> anyhow::Result<Done> {
    let told = connection.runs.verify_audit_log(VerifyAuditLogRequest {}).await?.into_inner();
    let code = if told.broken_at == 0 { output::GOOD } else { output::no() };
    Ok(Done::of(&told, text(&told))?.ending_with(code))
}

fn text(told: &VerifyAuditLogResponse) -> String {
    let VerifyAuditLogResponse { rows, head_hash, broken_at, problem } = told;
    if *broken_at == 0 {
        let rows = output::counted(rows, "row", "rows");
        format!("{rows}, each fits the one before it; the last one's hash is {head_hash}\n")
    } else {
        format!("row {broken_at} does not fit: {problem}\n")
    }
}

#[cfg(test)]
mod tests {
    use proto::reconcile::v1::VerifyAuditLogResponse;

    use super::text;

    #[test]
    fn a_log_that_was_touched_says_where() {
        let good = VerifyAuditLogResponse { rows: 3, head_hash: "ab".into(), ..VerifyAuditLogResponse::default() };
        assert_eq!(text(&good), "3 rows, each fits the one before it; the last one's hash is ab\n");
        let broken = VerifyAuditLogResponse { broken_at: 2, problem: "its hash is another".into(), ..good };
        assert_eq!(text(&broken), "row 2 does not fit: its hash is another\n");
    }
}
