use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{PATH, World, raw, sent, until};

const TRANSACTION: &str = "4200002026081400000000000001";

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_too_large() {
    let world = World::start().await;
    let notice = sent(TRANSACTION);
    let largest = format!("{notice}{}", " ".repeat(MAX_BODY_BYTES - notice.len()));
    assert!(world.notify(&largest).await.is_success());
    let answer = world.notify(&format!("{largest} ")).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, ""));
    assert_eq!(world.service.ended("too_large").await, 1);
}

#[tokio::test]
async fn a_body_that_grows_too_large_in_chunks_is_refused_as_well() {
    let world = World::start().await;
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let answer = raw(world.service.http, format!("{head}{}0\r\n\r\n", chunk.repeat(3)).as_bytes()).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let world = World::start().await;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000000\r\n");
    assert_eq!(raw(world.service.http, format!("{head}\r\n").as_bytes()).await.status, 413);
    let asks_first = format!("{head}expect: 100-continue\r\n\r\n");
    assert_eq!(raw(world.service.http, asks_first.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = World::with(&["--request-time-ms", "300", "--publish-time-ms", "300"]).await;
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n<xml>");
    assert_eq!(raw(world.service.http, head.as_bytes()).await.status, 408);
    assert_eq!(world.service.ended("too_slow").await, 1);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_not_waited_for() {
    let world = World::with(&["--header-time-ms", "300"]).await;
    let mut socket = TcpStream::connect(world.service.http).await.expect("it listens");
    // On a machine that pauses us, the connection may be closed before this is written; that is an end as well.
    let _ = socket.write_all(format!("POST {PATH} HTTP/1.1\r\nhost: x\r\n").as_bytes()).await;
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    let gone = async || (world.service.metric("http_connections").await == 0).then_some(());
    until("the connection is gone although its client holds it", gone).await;
    drop(socket);
}

#[tokio::test]
async fn one_connection_too_many_is_refused_at_once_and_served_when_there_is_room() {
    let world = World::with(&["--max-connections", "2", "--header-time-ms", "18000"]).await;
    let first = TcpStream::connect(world.service.http).await.expect("it listens");
    let _second = TcpStream::connect(world.service.http).await.expect("it listens");
    let full = async || (world.service.metric("http_connections").await == 2).then_some(());
    until("both connections are open", full).await;
    let mut third = TcpStream::connect(world.service.http).await.expect("the kernel accepts");
    let mut answer = String::new();
    third.read_to_string(&mut answer).await.expect("it closes the connection in order");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(world.service.metric("http_connections_refused_total").await, 1);
    drop(first);
    let room = async || (world.service.metric("http_connections").await < 2).then_some(());
    until("one connection is closed", room).await;
    assert!(world.notify(&sent(TRANSACTION)).await.is_success());
}
