//! A stand-in for WeChat that can do on the wire what no well-behaved server does.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;
use url::Url;
use wechat_pay::v2::{ApiKey, Fields, SignType, sign, xml};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Request line and headers.
    pub(crate) head: String,
    /// The fields of an XML body.
    pub(crate) fields: Fields,
    /// The certificate that the client showed, in DER.
    pub(crate) certificate: Option<Vec<u8>>,
}

impl Received {
    /// Method, path and query.
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().expect("a request has a first line")
    }
}

/// What comes back.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// The end of the connection at once.
    HangUp,
    /// These bytes, and then silence.
    Stall(Vec<u8>),
    /// Nothing, until the test opens the gate; then the reply inside.
    Hold(watch::Receiver<bool>, Box<Reply>),
}

impl Reply {
    /// A whole answer with HTTP 200.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Reply {
        Reply::status("200 OK", "", body)
    }

    /// A whole answer; `headers` are lines that end in CRLF.
    pub(crate) fn status(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
        let length = body.as_ref().len();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
        Reply::Bytes([head.as_bytes(), body.as_ref()].concat())
    }

    /// The first `bytes` of this reply's body, although its head promises all of them.
    pub(crate) fn cut_after(self, bytes: usize) -> Reply {
        let Reply::Bytes(all) = self else { panic!("only a whole answer can be cut") };
        let head = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        Reply::Bytes(all[..head + bytes].to_vec())
    }

    /// The same, once the gate is open.
    pub(crate) fn held(self, gate: &watch::Sender<bool>) -> Reply {
        Reply::Hold(gate.subscribe(), Box::new(self))
    }
}

/// The fields of an answer, signed.
pub(crate) fn signed(fields: &[(&str, &str)], key: &str, sign_type: SignType) -> Fields {
    let mut fields: Fields = fields.iter().copied().collect();
    let signature = sign::sign(&fields, &ApiKey::parse(key).expect("a key"), sign_type);
    fields.insert("sign", signature);
    fields
}

/// XML with these fields.
pub(crate) fn text(fields: &Fields) -> String {
    xml::write("xml", fields)
}

/// Longest that a test waits for a request.
const GENEROUS: Duration = Duration::from_mins(1);

/// Listens, records what comes, answers what the test says.
pub(crate) struct Fake {
    pub(crate) url: Url,
    received: Arc<Mutex<Vec<Received>>>,
    count: watch::Receiver<usize>,
}

impl Fake {
    pub(crate) async fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Fake {
        Fake::listen(None, answer).await
    }

    /// Answers every request with this, to whom TLS lets through.
    pub(crate) async fn behind(tls: TlsAcceptor, reply: Reply) -> Fake {
        Fake::listen(Some(tls), move |_| reply.clone()).await
    }

    async fn listen(tls: Option<TlsAcceptor>, answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Fake {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("{scheme}://{}", listener.local_addr().expect("an address")).parse().expect("a URL");
        let received = Arc::new(Mutex::new(Vec::new()));
        let (counted, count) = watch::channel(0);
        let (log, answer) = (Arc::clone(&received), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, counted, answer) = (Arc::clone(&log), counted.clone(), Arc::clone(&answer));
                let tls = tls.clone();
                tokio::spawn(async move {
                    let Some(tls) = tls else { return connection(stream, None, &log, &counted, &*answer).await };
                    let stream = tls.accept(stream).await?;
                    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    let certificate = shown.map(|certificate| certificate.to_vec());
                    connection(stream, certificate, &log, &counted, &*answer).await
                });
            }
        });
        Fake { url, received, count }
    }

    /// Answers every request with this.
    pub(crate) async fn always(reply: Reply) -> Fake {
        Fake::start(move |_| reply.clone()).await
    }

    /// Everything that came so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic while it was held").clone()
    }

    /// The only request that came.
    pub(crate) fn only(&self) -> Received {
        let mut all = self.received();
        assert_eq!(all.len(), 1, "one request was expected: {all:?}");
        all.remove(0)
    }

    /// Waits until so many requests have come.
    pub(crate) async fn has_received(&self, count: usize) {
        let mut counted = self.count.clone();
        let waited = tokio::time::timeout(GENEROUS, counted.wait_for(|now| count <= *now)).await;
        waited.expect("the requests come").expect("the fake lives");
    }
}

/// Serves one request.
async fn connection(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    certificate: Option<Vec<u8>>,
    log: &Mutex<Vec<Received>>,
    counted: &watch::Sender<usize>,
    answer: &(dyn Fn(&Received) -> Reply + Send + Sync),
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(&piece[..length]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let announced =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        if bytes.len() >= end + 4 + announced.unwrap_or(0) {
            break (head, bytes[end + 4..].to_vec());
        }
    };
    let received = Received { head, fields: xml::parse("xml", &body).unwrap_or_default(), certificate };
    let mut reply = answer(&received);
    log.lock().expect("no panic while it was held").push(received);
    counted.send_modify(|count| *count += 1);
    loop {
        match reply {
            Reply::HangUp => return Ok(()),
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Reply::Stall(bytes) => {
                stream.write_all(&bytes).await?;
                // The other side gives up first.
                while stream.read(&mut [0; 64]).await? != 0 {}
                return Ok(());
            }
            Reply::Hold(mut gate, inside) => {
                if gate.wait_for(|open| *open).await.is_err() {
                    return Ok(());
                }
                reply = *inside;
            }
        }
    }
}
