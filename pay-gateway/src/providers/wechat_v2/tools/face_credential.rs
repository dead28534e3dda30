use proto::gateway::v1;
use wechat_pay::v2::{Answer, FaceCredential, FaceCredentialRequest, action::Api, answer, xml};

use super::super::{Session, http, nonce, verdict};
use crate::outcome::{Failure, Outcome};

impl Session {
    /// Gives a face device what its SDK starts with.
    pub(crate) async fn face_credential(&self, asked: v1::GetFaceCredentialRequest) -> Outcome<v1::FaceCredential> {
        self.ask_for_credential(asked).await.into()
    }

    async fn ask_for_credential(&self, asked: v1::GetFaceCredentialRequest) -> Result<v1::FaceCredential, Failure> {
        let v1::GetFaceCredentialRequest { merchant: _, app_id, store_id, store_name, device_id, rawdata } = asked;
        let (identity, sign_type) = (self.identity(&app_id), self.account.sign_type);
        let request = FaceCredentialRequest { identity, store_id, store_name, device_id, rawdata, attach: None };
        let signed = request.signed(&nonce(), self.wechat.clock.now(), &self.account.api_key, sign_type);
        // The face host knows nothing of merchants' certificates, so none is shown to it.
        let client = self.wechat.http.without_identity();
        let body = http::post_xml(client, &self.wechat.urls.tools.face_credential, &xml::write("xml", &signed)).await?;
        let answer =
            self.with_either_key(|key| answer::judge_credential(200, &body, &request.identity, key, sign_type));
        match &answer {
            Answer::Success(fields) => {
                let FaceCredential { authinfo, expires_in } =
                    FaceCredential::parse(fields).map_err(|error| verdict::incomplete(&error))?;
                Ok(v1::FaceCredential { authinfo, expires_in_s: expires_in.into() })
            }
            other => Err(verdict::of(Api::FaceCredential, other)),
        }
    }
}
