use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use tokio::net::TcpListener;
use wechat_pay::v2::{Fields, xml};

/// What a shop answers to a scan, from what it was asked.
type Reply = dyn Fn(&Fields) -> String + Send + Sync;

/// A merchant's server that is asked about scanned products.
pub(crate) struct Shop {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    reply: Mutex<Arc<Reply>>,
    asked: Mutex<Vec<(String, Fields)>>,
}

impl Shop {
    pub(crate) async fn start() -> Shop {
        let shared = Arc::new(Shared { reply: Mutex::new(Arc::new(|_| String::new())), asked: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/notify/wechat-v2/{merchant}/native", post(answer)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Shop { url, shared }
    }

    /// Answers every scan in this way from now on.
    pub(crate) fn replies(&self, reply: impl Fn(&Fields) -> String + Send + Sync + 'static) {
        *self.shared.reply.lock().unwrap() = Arc::new(reply);
    }

    /// Every question so far, with the merchant in its path.
    pub(crate) fn asked(&self) -> Vec<(String, Fields)> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    axum::extract::Path(merchant): axum::extract::Path<String>,
    body: Bytes,
) -> String {
    let question = xml::parse("xml", &body).unwrap();
    let reply = Arc::clone(&shared.reply.lock().unwrap());
    let text = reply(&question);
    shared.asked.lock().unwrap().push((merchant, question));
    text
}
