use proto::gateway::v1::{self, payment_status::State};
use secrecy::ExposeSecret as _;
use wechat_pay::v2::{
    Answer, Facepay, FieldError, Fields, Identity, Micropay, OpenId, OrderNumber, PayCode, Payer, Sale, action::Api,
    payment_at_counter,
};

use super::super::{Session, nonce, query, verdict};
use crate::{
    outcome::{Failure, Outcome},
    providers::{Charge, Shown},
};

/// What WeChat says while the payer enters a password.
const USER_PAYING: &str = "USERPAYING";

impl Session {
    /// Takes a payment, in one sending: a second one could take the money twice. Only a verified answer decides anything.
    pub(crate) async fn charge(&self, charge: &Charge) -> Outcome<v1::PaymentStatus> {
        self.take(charge).await.into()
    }

    async fn take(&self, charge: &Charge) -> Result<v1::PaymentStatus, Failure> {
        let identity = self.identity(&charge.app_id);
        let (api, answer) = self.send_charge(&identity, charge).await?;
        let number = OrderNumber::OutTradeNo(charge.out_trade_no.clone());
        if let Answer::Success(fields) | Answer::Refused { fields, .. } = &answer {
            number.check(fields).map_err(|error| verdict::incomplete(&error))?;
        }
        match &answer {
            Answer::Success(fields) => {
                Ok(read(fields, &identity, &charge.out_trade_no).map_err(|error| verdict::incomplete(&error))?)
            }
            Answer::Refused { err_code, .. } if err_code == USER_PAYING => {
                Ok(query::status(State::Paying, None, USER_PAYING))
            }
            other => Err(verdict::of(api, other)),
        }
    }

    async fn send_charge(&self, identity: &Identity, charge: &Charge) -> Result<(Api, Answer), Failure> {
        let (account, urls) = (&self.account, &self.wechat.urls.counter);
        let sale = sale(charge);
        match &charge.shown {
            Shown::PayCode(code) => {
                let auth_code = PayCode::new(code.expose_secret());
                let micropay = Micropay { identity: identity.clone(), sale, auth_code };
                let signed = micropay.signed(&nonce(), &account.api_key, account.sign_type);
                Ok((Api::Micropay, self.exchange(&urls.micropay, identity, &signed).await?))
            }
            Shown::Face { code, openid } => {
                let facepay = Facepay {
                    identity: identity.clone(),
                    sale,
                    face_code: PayCode::new(code.expose_secret()),
                    payer: Payer::of(identity, OpenId::new(openid.expose_secret())),
                };
                let signed = facepay.signed(&nonce(), &account.api_key);
                let answer = self.exchange_by(&urls.facepay, identity, &signed, Facepay::SIGN_TYPE).await?;
                Ok((Api::Facepay, answer))
            }
        }
    }
}

fn sale(charge: &Charge) -> Sale {
    Sale {
        out_trade_no: charge.out_trade_no.clone(),
        body: charge.description.clone(),
        total_fee: charge.amount,
        fee_type: None,
        spbill_create_ip: charge.terminal_ip,
        time_start: None,
        time_expire: Some(charge.expire_time),
        particulars: charge.particulars.clone(),
        deposit: false,
    }
}

/// Reads a verified success: everything as WeChat tells it; whoever asked compares it with what should be.
fn read(fields: &Fields, identity: &Identity, out_trade_no: &str) -> Result<v1::PaymentStatus, FieldError> {
    let payment = payment_at_counter(fields, out_trade_no)?;
    Ok(query::status(State::Paid, Some(query::paid(fields, &payment, identity)?), "SUCCESS"))
}
