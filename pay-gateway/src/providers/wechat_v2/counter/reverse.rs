use proto::gateway::v1;
use wechat_pay::v2::{Answer, FacepayReverse, OrderNumber, Reverse, action::Api, asks_again};

use super::super::{Session, nonce, verdict};
use crate::{
    outcome::{Failure, Kind, NotDone, Outcome, Unknown, Why},
    providers::CounterCall,
};

impl Session {
    /// Takes a payment back. Done is WeChat's word; the query after it proves it.
    pub(crate) async fn reverse(&self, call: CounterCall, app_id: &str, out_trade_no: &str) -> Outcome<v1::Reversed> {
        self.take_back(call, app_id, out_trade_no).await.into()
    }

    async fn take_back(&self, call: CounterCall, app_id: &str, out_trade_no: &str) -> Result<v1::Reversed, Failure> {
        // WeChat answers a call without certificate with a page for people.
        if self.account.client_identity.is_none() {
            let words = "this merchant has no client certificate; nothing was sent";
            return Err(NotDone::new(Kind::Configuration, "", words).into());
        }
        let (account, urls) = (&self.account, &self.wechat.urls.counter);
        let identity = self.identity(app_id);
        let order = OrderNumber::OutTradeNo(out_trade_no.to_owned());
        let (url, signed) = match call {
            CounterCall::PayCode => {
                let reverse = Reverse { identity: identity.clone(), order: order.clone() };
                (&urls.reverse, reverse.signed(&nonce(), &account.api_key, account.sign_type))
            }
            CounterCall::Facepay => {
                let reverse = FacepayReverse { identity: identity.clone(), order: order.clone() };
                (&urls.facepay_reverse, reverse.signed(&nonce(), &account.api_key, account.sign_type))
            }
        };
        let answer = self.exchange(url, &identity, &signed).await?;
        if let Answer::Success(fields) | Answer::Refused { fields, .. } = &answer {
            order.check(fields).map_err(|error| verdict::incomplete(&error))?;
            if asks_again(fields) {
                let code = fields.text("err_code").unwrap_or_default();
                return Err(Unknown::new(Why::Recall).with_code(code).into());
            }
        }
        match &answer {
            Answer::Success(_) => Ok(v1::Reversed {}),
            other => Err(verdict::of(Api::Reverse, other)),
        }
    }
}
