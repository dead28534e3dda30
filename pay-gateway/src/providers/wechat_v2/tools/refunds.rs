use proto::{
    gateway::v1::{self, refund_status::State},
    time::to_wire,
};
use wechat_pay::v2::{
    Answer, FieldError, Fields, OrderNumber, RefundList, RefundNumber, RefundQuery, RefundSummary,
    action::{self, Action, Api},
};

use super::super::{Session, nonce, query_refund, verdict};
use crate::outcome::{Failure, Kind, NotDone, Outcome};

impl Session {
    /// Lists the refunds of a payment, those that were made in the merchant platform too.
    pub(crate) async fn list_refunds(
        &self,
        app_id: &str,
        transaction_id: &str,
        offset: u32,
    ) -> Outcome<v1::ProviderRefunds> {
        self.ask_for_refunds(app_id, transaction_id, offset).await.into()
    }

    async fn ask_for_refunds(
        &self,
        app_id: &str,
        transaction_id: &str,
        offset: u32,
    ) -> Result<v1::ProviderRefunds, Failure> {
        let order = OrderNumber::TransactionId(transaction_id.to_owned());
        let query = RefundQuery {
            identity: self.identity(app_id),
            refund: RefundNumber::OfOrder(order.clone()),
            offset: Some(offset).filter(|offset| 0 < *offset),
        };
        let signed = query.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        let answer = self.exchange(&self.wechat.urls.refund_query, &query.identity, &signed).await?;
        match &answer {
            Answer::Success(fields) => Ok(read(fields, &order, offset).map_err(|error| verdict::incomplete(&error))?),
            Answer::Refused { .. } if action::after(Api::RefundQuery, &answer) == Action::NotFound => {
                Ok(v1::ProviderRefunds::default())
            }
            // So WeChat says that there are not as many as were to be skipped.
            Answer::Refused { err_code, err_code_des, .. } if 0 < offset && err_code == "PARAM_ERROR" => {
                Err(NotDone::new(Kind::Refused, err_code, err_code_des).into())
            }
            other => Err(verdict::of(Api::RefundQuery, other)),
        }
    }
}

/// Reads one page: everything as WeChat tells it.
fn read(fields: &Fields, order: &OrderNumber, offset: u32) -> Result<v1::ProviderRefunds, FieldError> {
    order.check(fields)?;
    let list = RefundList::parse(fields)?;
    let mch_id = fields.required("mch_id")?;
    let refunds: Vec<_> = list.refunds.iter().map(|told| refund(&list, told, mch_id)).collect();
    let so_far = offset.saturating_add(u32::try_from(refunds.len()).unwrap_or(u32::MAX));
    let total = list.total_refund_count.unwrap_or(so_far);
    Ok(v1::ProviderRefunds { refunds, total: i32::try_from(total).unwrap_or(i32::MAX) })
}

fn refund(list: &RefundList, told: &RefundSummary, mch_id: &str) -> v1::RefundStatus {
    let state = query_refund::state(&told.status);
    v1::RefundStatus {
        state: state.into(),
        provider_state: told.status.as_str().to_owned(),
        refund_id: told.refund_id.clone(),
        mch_id: mch_id.to_owned(),
        out_refund_no: told.out_refund_no.clone(),
        transaction_id: list.transaction_id.clone(),
        out_trade_no: list.out_trade_no.clone(),
        amount_fen: told.refund_fee.get(),
        success_time: told.succeeded_at.filter(|_| state == State::Succeeded).map(to_wire),
    }
}
