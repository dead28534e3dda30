use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use serde_json::Value;
use tokio::task::JoinHandle;
use wechat_pay::v2::sign::{ApiKey, SignType, sign, verify};
use wechat_pay::v2::{Fields, xml};

use super::{Answer, KEY, MCH_ID, Nats};

/// The product of these tests.
pub(crate) const PRODUCT: &str = "01981b6e6f3c7a01b2c3d4e5f6a7b8c9";

/// WeChat's question about a scanned code; it can be bent before it is signed, and after.
#[derive(Clone)]
pub(crate) struct Scan(pub(crate) Fields);

impl Scan {
    /// A genuine question about a code of `acme-mini`, not signed yet.
    pub(crate) fn of(product_id: &str) -> Scan {
        Scan(Fields::from_iter([
            ("appid", "wxd930ea5d5a258f4f"),
            ("is_subscribe", "Y"),
            ("mch_id", MCH_ID),
            ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
            ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
            ("product_id", product_id),
        ]))
    }

    /// With another value in one field.
    pub(crate) fn with(mut self, field: &str, value: &str) -> Scan {
        self.0.insert(field, value);
        self
    }

    /// Without one field.
    pub(crate) fn without(mut self, field: &str) -> Scan {
        self.0.remove(field).expect("the field was there");
        self
    }

    /// Signed with a key and sign type.
    pub(crate) fn signed_with(mut self, key: &str, sign_type: SignType) -> Scan {
        let sign = sign(&self.0, &api_key(key), sign_type);
        self.0.insert("sign", sign);
        self
    }

    /// Signed as WeChat signs for `acme-mini`.
    pub(crate) fn signed(self) -> Scan {
        self.signed_with(KEY, SignType::HmacSha256)
    }

    /// As it goes over the wire.
    pub(crate) fn xml(&self) -> String {
        xml::write("xml", &self.0)
    }
}

/// The fields of an answer that is signed with this key and type.
#[track_caller]
pub(crate) fn signed_answer(answer: &Answer, key: &str, sign_type: SignType) -> Fields {
    assert_eq!(answer.status, 200, "{answer:?}");
    let fields = xml::parse("xml", answer.body.as_bytes()).expect("an answer is a message");
    verify(&fields, &api_key(key), sign_type).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    fields
}

/// Asserts that a payer reads a refusal, signed for `acme-mini`, and what it says.
#[track_caller]
pub(crate) fn refused_words(answer: &Answer) -> String {
    let fields = signed_answer(answer, KEY, SignType::HmacSha256);
    assert_eq!((fields.get("return_code"), fields.get("result_code")), (Some("SUCCESS"), Some("FAIL")), "{answer:?}");
    assert_eq!(fields.get("prepay_id"), None, "{answer:?}");
    fields.text("err_code_des").expect("words").to_owned()
}

fn api_key(key: &str) -> ApiKey {
    ApiKey::parse(key).expect("a key of the right length")
}

/// Plays the owner of orders: hears every question, and says the same to all, or nothing.
pub(crate) struct Owner {
    heard: Arc<Mutex<Vec<Heard>>>,
    listening: JoinHandle<()>,
}

/// A question as it came over the bus.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) subject: String,
    pub(crate) body: Value,
    pub(crate) traceparent: Option<String>,
}

impl Owner {
    /// Listens from now on.
    pub(crate) async fn listen(nats: &Nats, answer: Option<&str>) -> Owner {
        let client = async_nats::connect(format!("nats://{}", nats.address())).await.expect("the server answers");
        let mut questions = client.subscribe("ask.v1.native.scanned.*").await.expect("the server answers");
        // Whoever hears himself is heard: the server has taken the subscription.
        client.publish("ask.v1.native.scanned.probe", "".into()).await.expect("the server takes it");
        questions.next().await.expect("the probe comes back");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&heard), answer.map(str::to_owned));
        let listening = tokio::spawn(async move {
            while let Some(question) = questions.next().await {
                let traceparent = question.headers.as_ref().and_then(|headers| headers.get("traceparent"));
                kept.lock().expect("nobody panicked").push(Heard {
                    subject: question.subject.to_string(),
                    body: serde_json::from_slice(&question.payload).expect("questions are JSON"),
                    traceparent: traceparent.map(ToString::to_string),
                });
                if let (Some(answer), Some(reply)) = (&answer, question.reply) {
                    client.publish(reply, answer.clone().into()).await.expect("the server takes it");
                }
            }
        });
        Owner { heard, listening }
    }

    /// Every question so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("nobody panicked").clone()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
