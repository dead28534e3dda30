use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// What the server said to one request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Head in lower case, as sent otherwise.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// Whether WeChat would not come again.
    pub(crate) fn is_success(&self) -> bool {
        self.status == 200 && self.return_code() == "SUCCESS"
    }

    /// Asserts that it is a refusal in WeChat's form, for this reason.
    #[track_caller]
    pub(crate) fn refuses(&self, reason: &str) {
        let xml = format!(
            "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{reason}]]></return_msg></xml>"
        );
        assert_eq!((self.status, self.body.as_str()), (200, xml.as_str()));
    }

    /// `return_code` of the answer's XML, or nothing when it has none.
    pub(crate) fn return_code(&self) -> &str {
        let value = self.body.split_once("<return_code><![CDATA[").and_then(|(_, rest)| rest.split_once("]]>"));
        value.map_or("", |(value, _)| value)
    }

    fn parse(bytes: Vec<u8>) -> Answer {
        let text = String::from_utf8(bytes).expect("answers are text");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no whole answer: {text:?}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }
}

/// Posts a body on a connection of its own.
pub(crate) async fn post(server: SocketAddr, path: &str, body: &[u8]) -> Answer {
    request(server, "POST", path, body).await
}

/// Sends a request on a connection of its own. Nothing tidies the path: it goes over the wire as it is written.
pub(crate) async fn request(server: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: pay.example.com\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
    );
    raw(server, &[head.as_bytes(), body].concat()).await
}

/// Sends these bytes and reads until the server closes the connection.
pub(crate) async fn raw(server: SocketAddr, bytes: &[u8]) -> Answer {
    let exchange = async {
        let mut socket = TcpStream::connect(server).await.expect("the server listens");
        socket.write_all(bytes).await.expect("the server reads");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("the server closes the connection in order");
        answer
    };
    Answer::parse(timeout(PATIENCE, exchange).await.expect("an answer in time"))
}
