use proto::gateway::v1;
use wechat_pay::v2::{
    Answer, CloseOrder,
    action::{self, Action, Api},
};

use super::{Session, nonce, verdict};
use crate::outcome::{Failure, Outcome};

impl Session {
    /// Closes an order; closed already is as good.
    pub(crate) async fn close(&self, app_id: &str, out_trade_no: &str) -> Outcome<v1::Closed> {
        self.ask_to_close(app_id, out_trade_no).await.into()
    }

    async fn ask_to_close(&self, app_id: &str, out_trade_no: &str) -> Result<v1::Closed, Failure> {
        let close = CloseOrder { identity: self.identity(app_id), out_trade_no: out_trade_no.to_owned() };
        let signed = close.signed(&nonce(), &self.account.api_key, self.account.sign_type);
        let answer = self.exchange(&self.wechat.urls.close_order, &close.identity, &signed).await?;
        match action::after(Api::CloseOrder, &answer) {
            Action::TreatAsClosed => Ok(v1::Closed {}),
            _ if matches!(answer, Answer::Success(_)) => Ok(v1::Closed {}),
            _ => Err(verdict::of(Api::CloseOrder, &answer)),
        }
    }
}
