use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use tokio::net::TcpListener;
use wechat_pay::v2::{Fields, xml};

/// A merchant's server. It answers callbacks as scripted, and with success when the script is over.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Answer>>,
    always: Option<Answer>,
    received: Mutex<Vec<Fields>>,
}

/// How a callback is answered.
#[derive(Clone)]
pub(crate) enum Answer {
    With(StatusCode, &'static str),
    /// Not at all.
    Never,
}

pub(crate) const SUCCESS: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>";
pub(crate) const FAIL: &str = "<xml><return_code><![CDATA[FAIL]]></return_code></xml>";

impl Receiver {
    pub(crate) async fn start(script: &[Answer]) -> Receiver {
        Receiver::with(Shared { script: Mutex::new(script.iter().cloned().collect()), ..Shared::default() }).await
    }

    /// Gives every callback the same answer.
    pub(crate) async fn always(answer: Answer) -> Receiver {
        Receiver::with(Shared { always: Some(answer), ..Shared::default() }).await
    }

    async fn with(shared: Shared) -> Receiver {
        let shared = Arc::new(shared);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/notify/wechat-v2/acme-mini/payment", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/notify/wechat-v2/{merchant}/payment", post(receive))
            .route("/notify/wechat-v2/{merchant}/refund", post(receive))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Receiver { url, shared }
    }

    /// Where refunds are told.
    pub(crate) fn refund_url(&self) -> String {
        self.url.replace("/payment", "/refund")
    }

    /// Every message so far, in order of arrival.
    pub(crate) fn received(&self) -> Vec<Fields> {
        self.shared.received.lock().unwrap().clone()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, &'static str) {
    shared.received.lock().unwrap().push(xml::parse("xml", &body).unwrap());
    let scripted = shared.script.lock().unwrap().pop_front().or_else(|| shared.always.clone());
    match scripted {
        None => (StatusCode::OK, SUCCESS),
        Some(Answer::With(status, body)) => (status, body),
        Some(Answer::Never) => std::future::pending().await,
    }
}
