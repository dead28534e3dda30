use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{PATH, World, post, request, sent};

const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn only_the_exact_path_of_a_configured_merchant_is_served() {
    let world = World::start().await;
    let body = sent(TRANSACTION);
    for path in [
        "/",
        "/livez",
        "/metrics",
        "/notify/wechat-v2/acme-mini",
        "/notify/wechat-v2/acme-mini/payment/",
        "/notify/wechat-v2/acme-mini/payment?",
        "/notify/wechat-v2/acme-mini/payment?merchant=other-shop",
        "/notify/wechat-v2/acme-mini/refund/",
        "/notify/wechat-v2/nobody/refund",
        "/notify/wechat-v3/acme-mini/payment",
        "/notify/wechat-v2/nobody/payment",
        "/notify/wechat-v2/ACME-MINI/payment",
        "/Notify/wechat-v2/acme-mini/payment",
        "//notify/wechat-v2/acme-mini/payment",
        "/notify/wechat-v2//acme-mini/payment",
        "/notify/wechat-v2/acme%2dmini/payment",
        "/notify/wechat-v2/%2e/acme-mini/payment",
        "/notify/wechat-v2/other-shop/../acme-mini/payment",
        "/notify/wechat-v2/other-shop/%2e%2e/acme-mini/payment",
    ] {
        let answer = post(world.service.http, path, body.as_bytes()).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{path}");
        assert_eq!(request(world.service.http, "GET", path, b"").await.status, 404, "{path}");
    }
    assert!(world.nats.stored().await.is_empty());
    let metrics = world.service.metrics().await;
    assert!(metrics.contains("http_refused_total{reason=\"not_found\"} 38"), "{metrics}");
    assert!(!metrics.contains("nobody"), "a stranger must not make labels: {metrics}");
}

#[tokio::test]
async fn another_method_is_told_what_is_allowed() {
    let world = World::start().await;
    for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "post"] {
        let answer = request(world.service.http, method, PATH, sent(TRANSACTION).as_bytes()).await;
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("\r\nallow: post\r\n"), "{method}: {}", answer.head);
    }
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn one_connection_carries_many_callbacks() {
    let world = World::start().await;
    let body = sent(TRANSACTION);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut socket = TcpStream::connect(world.service.http).await.expect("it listens");
    for _ in 0..3 {
        socket.write_all(format!("{head}{body}").as_bytes()).await.expect("the connection is kept");
        let mut answer = String::new();
        while !answer.ends_with("</xml>") {
            answer.push(char::from(socket.read_u8().await.expect("the connection is kept")));
        }
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("SUCCESS"), "{answer}");
    }
    assert_eq!(world.service.ended("recorded").await, 3);
}
