use proto::{
    gateway::v1::{self, refund_status::State},
    time::to_wire,
};
use wechat_pay::v2::{
    Answer, FieldError, Fields, RefundList, RefundNumber, RefundQuery, RefundStatus, RefundWithGoods,
    action::{self, Action, Api},
};

use super::{Session, nonce, verdict};
use crate::{
    outcome::{Failure, Outcome, Unknown, Why},
    providers::WhichRefund,
};

impl Session {
    /// Asks what has become of a refund.
    pub(crate) async fn query_refund(&self, app_id: &str, refund: &WhichRefund) -> Outcome<v1::RefundStatus> {
        self.ask_about_refund(app_id, refund).await.into()
    }

    async fn ask_about_refund(&self, app_id: &str, which: &WhichRefund) -> Result<v1::RefundStatus, Failure> {
        let (refund, with_goods) = match which {
            WhichRefund::OutRefundNo { number, with_goods } => (RefundNumber::OutRefundNo(number.clone()), *with_goods),
            WhichRefund::RefundId(number) => (RefundNumber::RefundId(number.clone()), false),
        };
        let query = RefundQuery { identity: self.identity(app_id), refund, offset: None };
        let signed = query.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        let urls = &self.wechat.urls;
        let endpoint = if with_goods { &urls.refund_query_with_goods } else { &urls.refund_query };
        let answer = self.exchange(endpoint, &query.identity, &signed).await?;
        let fields = match &answer {
            Answer::Success(fields) => fields,
            Answer::Refused { err_code, .. } if action::after(Api::RefundQuery, &answer) == Action::NotFound => {
                let provider_state = err_code.clone();
                return Ok(v1::RefundStatus { state: State::NotFound.into(), provider_state, ..Default::default() });
            }
            other => return Err(verdict::of(Api::RefundQuery, other)),
        };
        Ok(read(fields, which).map_err(|error| Unknown::new(Why::BadAnswer).because(&error))?)
    }
}

/// Reads a verified success: everything as WeChat tells it; whoever asked compares it with what should be.
fn read(fields: &Fields, which: &WhichRefund) -> Result<v1::RefundStatus, FieldError> {
    let of_list = |refund, list: RefundList| RefundWithGoods {
        transaction_id: list.transaction_id,
        out_trade_no: list.out_trade_no,
        refund,
    };
    let RefundWithGoods { transaction_id, out_trade_no, refund } = match which {
        WhichRefund::OutRefundNo { number, with_goods: true } => RefundWithGoods::parse(fields, number)?,
        WhichRefund::OutRefundNo { number, with_goods: false } => {
            let list = RefundList::parse(fields)?;
            of_list(list.only(number)?.clone(), list)
        }
        WhichRefund::RefundId(number) => {
            let list = RefundList::parse(fields)?;
            of_list(list.only_with_id(number)?.clone(), list)
        }
    };
    let state = state(&refund.status);
    Ok(v1::RefundStatus {
        state: state.into(),
        provider_state: refund.status.as_str().to_owned(),
        refund_id: refund.refund_id,
        mch_id: fields.required("mch_id")?.to_owned(),
        out_refund_no: refund.out_refund_no,
        transaction_id,
        out_trade_no,
        amount_fen: refund.refund_fee.get(),
        success_time: refund.succeeded_at.filter(|_| state == State::Succeeded).map(to_wire),
    })
}

pub(super) fn state(status: &RefundStatus) -> State {
    match status {
        RefundStatus::Success => State::Succeeded,
        RefundStatus::Processing => State::Processing,
        RefundStatus::Closed => State::Closed,
        RefundStatus::Abnormal => State::Abnormal,
        RefundStatus::Other(_) => State::Other,
    }
}
