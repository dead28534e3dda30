use proto::{
    gateway::v1::{self, payment_status::State},
    time::to_wire,
};
use wechat_pay::v2::{
    Answer, FacepayQuery, FieldError, Fields, Identity, LocalState, OrderNumber, OrderQuery, OrderStatus, Payment,
    TradeState,
    action::{self, Action, Api},
};

use super::{Session, hosts::Endpoint, nonce, verdict};
use crate::outcome::{Failure, Outcome, Unknown, Why};

impl Session {
    /// Asks what has become of an order.
    pub(crate) async fn query(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::PaymentStatus> {
        let order = OrderNumber::OutTradeNo(out_trade_no.to_owned());
        let query = OrderQuery { identity: self.identity(app_id), order };
        let signed = query.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        self.ask(&self.wechat.urls.order_query, &query.identity, &query.order, &signed).await.into()
    }

    /// Asks what has become of a payment that the older face call took.
    pub(crate) async fn query_facepay(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::PaymentStatus> {
        let order = OrderNumber::OutTradeNo(out_trade_no.to_owned());
        let query = FacepayQuery { identity: self.identity(app_id), order };
        let signed = query.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        self.ask(&self.wechat.urls.counter.facepay_query, &query.identity, &query.order, &signed).await.into()
    }

    async fn ask(
        &self,
        endpoint: &Endpoint,
        asked: &Identity,
        order: &OrderNumber,
        signed: &Fields,
    ) -> Result<v1::PaymentStatus, Failure> {
        let answer = self.exchange(endpoint, asked, signed).await?;
        let fields = match &answer {
            Answer::Success(fields) => fields,
            Answer::Refused { err_code, .. } if action::after(Api::OrderQuery, &answer) == Action::NotFound => {
                return Ok(status(State::NotFound, None, err_code));
            }
            other => return Err(verdict::of(Api::OrderQuery, other)),
        };
        Ok(read(fields, order, asked).map_err(|error| Unknown::new(Why::BadAnswer).because(&error))?)
    }
}

/// Reads a verified success.
fn read(fields: &Fields, order: &OrderNumber, asked: &Identity) -> Result<v1::PaymentStatus, FieldError> {
    let told = OrderStatus::parse(fields, order)?;
    let paid = told.payment.as_ref().map(|payment| paid(fields, payment, asked)).transpose()?;
    Ok(status(state(&told.trade_state), paid, told.trade_state.as_str()))
}

fn state(trade_state: &TradeState) -> State {
    match trade_state.local() {
        LocalState::Paid | LocalState::PaidWithRefund => State::Paid,
        LocalState::Pending if *trade_state == TradeState::NotPay => State::NotPaid,
        LocalState::Pending => State::Paying,
        LocalState::Closed => State::Closed,
        LocalState::Reversed => State::Reversed,
        LocalState::Failed => State::Failed,
        LocalState::Unknown => State::Other,
    }
}

pub(super) fn status(state: State, paid: Option<v1::PaidStatus>, provider_state: &str) -> v1::PaymentStatus {
    v1::PaymentStatus { state: state.into(), paid, provider_state: provider_state.to_owned() }
}

/// Everything as WeChat tells it; whoever asked compares it with what should be. A payment that names no sub-merchant proves
/// nothing to one.
pub(super) fn paid(fields: &Fields, payment: &Payment, asked: &Identity) -> Result<v1::PaidStatus, FieldError> {
    let sub_mch_id = match asked.sub_mch_id {
        Some(_) => fields.required("sub_mch_id")?,
        None => fields.text("sub_mch_id").unwrap_or_default(),
    };
    let service_provider_app_id = match asked.sub_mch_id {
        Some(_) => fields.required("appid")?,
        None => "",
    };
    Ok(v1::PaidStatus {
        transaction_id: payment.transaction_id.clone(),
        amount_fen: payment.total_fee.get(),
        payer_amount_fen: payment.payer_amount().get(),
        currency: payment.fee_type.clone(),
        mch_id: fields.required("mch_id")?.to_owned(),
        app_id: fields.text("sub_appid").map_or_else(|| fields.required("appid"), Ok)?.to_owned(),
        out_trade_no: payment.out_trade_no.clone(),
        paid_time: Some(to_wire(payment.time_end)),
        trade_type: payment.trade_type.clone().unwrap_or_default(),
        bank_type: payment.bank_type.clone().unwrap_or_default(),
        sub_mch_id: sub_mch_id.to_owned(),
        service_provider_app_id: service_provider_app_id.to_owned(),
    })
}
