//! The same request id gets the same answer; the same id with other content is refused.

use prost::Message;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use tonic::{Code, Status};
use uuid::Uuid;

use svc_kit::refusal::Violations;

use super::{Api, fields, refuse};
use crate::store::requests::{self, Request};

/// One request of one team.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) app: String,
    pub(super) request_id: Uuid,
    pub(super) rpc: &'static str,
    pub(super) content_sha256: [u8; 32],
}

/// What a request id means to this call.
#[derive(Debug)]
pub(super) enum Taken {
    /// Never used before: it is ours now.
    New,
    /// Used before by the same call with the same content, and not answered: the row is locked.
    Unanswered(Request),
}

/// SHA-256 of what a request asks for: its message without the id.
pub(super) fn content_of(message: &impl Message) -> [u8; 32] {
    Sha256::digest(message.encode_to_vec()).into()
}

impl Named {
    /// What the request is known by.
    pub(super) fn request(&self) -> (&str, Uuid) {
        (&self.app, self.request_id)
    }

    /// Takes the id in the caller's transaction, or says what it is.
    ///
    /// # Errors
    /// The answer that was given before as `Err(Replayed::…)`, or a refusal.
    pub(super) async fn take<R: Message + Default>(
        &self,
        tx: &mut PgConnection,
        lease_s: u32,
    ) -> Result<Result<Taken, R>, Status> {
        let new = requests::take(tx, &self.app, self.request_id, self.rpc, &self.content_sha256, lease_s)
            .await
            .map_err(|error| refuse::database(&error))?;
        if new {
            return Ok(Ok(Taken::New));
        }
        let known = requests::lock(tx, &self.app, self.request_id).await.map_err(|error| refuse::database(&error))?;
        // Forgotten between the two statements: whoever retries finds it free.
        let Some(known) = known else { return Err(refuse::in_progress()) };
        if known.rpc != self.rpc || known.content_sha256 != self.content_sha256 {
            return Err(refuse::request_id_reused(&known.rpc));
        }
        if let Some(response) = &known.response {
            return Ok(Err(R::decode(response.as_slice()).map_err(|_| unreadable())?));
        }
        if let Some(refusal) = &known.refusal {
            return Err(decode_refusal(refusal));
        }
        if known.busy {
            return Err(refuse::in_progress());
        }
        Ok(Ok(Taken::Unanswered(known)))
    }
}

impl Named {
    /// Keeps the answer for ever after, in the caller's transaction. When another was kept before, that one is the answer.
    pub(super) async fn keep<R: Message + Default>(&self, tx: &mut PgConnection, response: R) -> Result<R, Status> {
        let failed = |error: sqlx::Error| refuse::database(&error);
        let bytes = response.encode_to_vec();
        if requests::answer(tx, &self.app, self.request_id, &bytes).await.map_err(failed)? {
            return Ok(response);
        }
        self.first(tx).await
    }

    /// Keeps a definite refusal for ever after, in the caller's transaction, and answers with it. When another answer was kept
    /// before, that one is the answer. The caller commits whatever the answer is.
    pub(super) async fn refuse<R: Message + Default>(
        &self,
        tx: &mut PgConnection,
        refusal: Status,
    ) -> Result<R, Status> {
        let kept = requests::refuse(tx, &self.app, self.request_id, &encode_refusal(&refusal)).await;
        if kept.map_err(|error| refuse::database(&error))? {
            return Err(refusal);
        }
        self.first(tx).await
    }

    /// The answer that was kept before.
    async fn first<R: Message + Default>(&self, tx: &mut PgConnection) -> Result<R, Status> {
        let known = requests::lock(tx, &self.app, self.request_id).await.map_err(|error| refuse::database(&error))?;
        match known {
            Some(Request { response: Some(first), .. }) => R::decode(first.as_slice()).map_err(|_| unreadable()),
            Some(Request { refusal: Some(first), .. }) => Err(decode_refusal(&first)),
            Some(_) | None => Err(refuse::in_progress()),
        }
    }
}

/// The answer that a request got when it was right, or the refusal that it gets now.
pub(super) async fn or_refuse<R: Message + Default>(
    api: &Api,
    app: &str,
    request_id: &str,
    rpc: &'static str,
    content_sha256: [u8; 32],
    refusal: Status,
) -> Result<R, Status> {
    let Some(request_id) = fields::request_id(request_id, &mut Violations::new()) else { return Err(refusal) };
    let mut conn = api.life.pool.acquire().await.map_err(|error| refuse::database(&error))?;
    let known = requests::lock(&mut conn, app, request_id).await.map_err(|error| refuse::database(&error))?;
    let response = known
        .filter(|known| known.rpc == rpc && known.content_sha256 == content_sha256)
        .and_then(|known| known.response)
        .and_then(|response| R::decode(response.as_slice()).ok());
    response.ok_or(refusal)
}

/// A definite refusal as it is kept: code, message and details, so that a replay is equal in every byte.
pub(super) fn encode_refusal(status: &Status) -> Vec<u8> {
    let kept = Kept {
        code: i32::from(status.code()),
        message: status.message().to_owned(),
        details: status.details().to_vec(),
    };
    kept.encode_to_vec()
}

fn decode_refusal(bytes: &[u8]) -> Status {
    match Kept::decode(bytes) {
        Ok(kept) => Status::with_details(Code::from_i32(kept.code), kept.message, kept.details.into()),
        Err(_) => unreadable(),
    }
}

fn unreadable() -> Status {
    refuse::internal("the stored answer cannot be read by this release")
}

#[derive(Clone, PartialEq, Message)]
struct Kept {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(bytes = "vec", tag = "3")]
    details: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use proto::gateway::v1::NotDone;

    use super::{decode_refusal, encode_refusal};
    use crate::api::refuse;

    #[test]
    fn a_refusal_that_is_kept_is_replayed_in_every_byte() {
        let first = refuse::provider_refused(&NotDone { provider_code: "NOTENOUGH".into(), ..NotDone::default() });
        let replayed = decode_refusal(&encode_refusal(&first));
        assert_eq!(
            (replayed.code(), replayed.message(), replayed.details()),
            (first.code(), first.message(), first.details())
        );
    }
}
