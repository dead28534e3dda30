//! Each fault with plain TCP, between a client and a server that says everything twice.

use std::{io::ErrorKind, net::Ipv4Addr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::*;

/// Long enough to see that nothing comes.
const SILENCE: Duration = Duration::from_millis(100);

/// A server that answers "ab" with "aabb".
struct Echo {
    proxy: Proxy,
    _serving: JoinHandle<()>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let target = listener.local_addr().expect("a bound socket has an address").to_string();
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut byte = [0];
                    while let Ok(1) = stream.read(&mut byte).await {
                        if stream.write_all(&[byte[0], byte[0]]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { proxy: Proxy::start(target, Protocol::Bytes).await, _serving: serving }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.proxy.port().address()).await.expect("the proxy listens")
    }
}

async fn say(client: &mut TcpStream, words: &str) {
    client.write_all(words.as_bytes()).await.expect("the connection is open");
}

async fn hears(client: &mut TcpStream, words: &str) {
    let mut heard = vec![0; words.len()];
    client.read_exact(&mut heard).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&heard), words);
}

async fn hears_nothing(client: &mut TcpStream) {
    timeout(SILENCE, client.read_u8()).await.expect_err("silence");
}

/// The kind of the error that ends a connection; `UnexpectedEof` for a close.
async fn ends(client: &mut TcpStream) -> ErrorKind {
    client.read_u8().await.expect_err("an end").kind()
}

#[tokio::test]
async fn without_a_fault_everything_passes_and_closing_closes() {
    let echo = Echo::start().await;
    let mut client = echo.client().await;
    say(&mut client, "abc").await;
    hears(&mut client, "aabbcc").await;
    assert_eq!(echo.proxy.open_connections(), 1);
    drop(client);
    eventually("the connection is over", async || echo.proxy.open_connections() == 0).await;
}

#[tokio::test]
async fn a_delay_makes_every_chunk_late_in_both_directions() {
    let echo = Echo::start().await;
    let mut client = echo.client().await;
    echo.proxy.delay(SILENCE);
    let began = Instant::now();
    say(&mut client, "a").await;
    hears(&mut client, "aa").await;
    assert!(2 * SILENCE <= began.elapsed(), "{:?}", began.elapsed());
    assert_eq!(echo.proxy.observed(Fault::Delay), 2);
}

#[tokio::test]
async fn a_refusal_resets_new_connections_and_spares_the_old_ones() {
    let echo = Echo::start().await;
    let mut old = echo.client().await;
    say(&mut old, "a").await;
    hears(&mut old, "aa").await;
    echo.proxy.refuse();
    assert_eq!(ends(&mut echo.client().await).await, ErrorKind::ConnectionReset);
    say(&mut old, "b").await;
    hears(&mut old, "bb").await;
    assert_eq!(echo.proxy.observed(Fault::Refuse), 1);
    echo.proxy.pass();
    let mut new = echo.client().await;
    say(&mut new, "c").await;
    hears(&mut new, "cc").await;
}

#[tokio::test]
async fn a_cut_resets_everything_that_is_open_and_nothing_that_comes_later() {
    let echo = Echo::start().await;
    let mut clients = [echo.client().await, echo.client().await];
    for client in &mut clients {
        say(client, "a").await;
        hears(client, "aa").await;
    }
    assert_eq!(echo.proxy.cut(), 2);
    for client in &mut clients {
        assert_eq!(ends(client).await, ErrorKind::ConnectionReset);
    }
    assert_eq!(echo.proxy.observed(Fault::Cut), 2);
    let mut later = echo.client().await;
    say(&mut later, "b").await;
    hears(&mut later, "bb").await;
}

#[tokio::test]
async fn a_black_hole_says_nothing_and_gives_everything_back_when_it_heals() {
    let echo = Echo::start().await;
    let mut old = echo.client().await;
    say(&mut old, "a").await;
    hears(&mut old, "aa").await;
    echo.proxy.black_hole();
    let mut new = echo.client().await;
    say(&mut old, "b").await;
    say(&mut new, "c").await;
    hears_nothing(&mut old).await;
    hears_nothing(&mut new).await;
    assert_eq!(echo.proxy.observed(Fault::BlackHole), 2);
    echo.proxy.pass();
    hears(&mut old, "bb").await;
    hears(&mut new, "cc").await;
}

#[tokio::test]
async fn a_half_open_connection_takes_everything_and_answers_nothing_for_ever() {
    let echo = Echo::start().await;
    let mut old = echo.client().await;
    say(&mut old, "a").await;
    hears(&mut old, "aa").await;
    assert_eq!(echo.proxy.half_open(), 1);
    assert_eq!(echo.proxy.observed(Fault::HalfOpen), 0, "nobody has spoken yet");
    say(&mut old, "b").await;
    echo.proxy.strikes(Fault::HalfOpen, 1).await;
    echo.proxy.pass();
    hears_nothing(&mut old).await;
    let mut new = echo.client().await;
    say(&mut new, "c").await;
    hears(&mut new, "cc").await;
}

#[tokio::test]
async fn a_cut_after_some_bytes_lets_exactly_those_through() {
    for bytes in 0..4_u64 {
        let echo = Echo::start().await;
        let mut client = echo.client().await;
        echo.proxy.cut_after(Direction::ToClient, bytes);
        say(&mut client, "ab").await;
        let mut heard = Vec::new();
        let read = client.read_to_end(&mut heard).await;
        assert_eq!(heard, b"aabb"[..usize::try_from(bytes).expect("small")], "{read:?}");
        assert_eq!(echo.proxy.observed(Fault::CutAfter), 1);
        // It strikes once.
        let mut later = echo.client().await;
        say(&mut later, "c").await;
        hears(&mut later, "cc").await;
    }
}

#[tokio::test]
async fn a_cut_on_the_way_to_the_server_keeps_the_rest_from_it() {
    let echo = Echo::start().await;
    let mut client = echo.client().await;
    echo.proxy.cut_after(Direction::ToServer, 1);
    say(&mut client, "ab").await;
    let mut heard = Vec::new();
    let _ = client.read_to_end(&mut heard).await;
    assert!(b"aa".starts_with(&heard), "{heard:?}");
    assert_eq!(echo.proxy.observed(Fault::CutAfter), 1);
}

#[tokio::test]
async fn what_was_armed_and_has_not_struck_is_forgotten_when_everything_is_well() {
    let echo = Echo::start().await;
    echo.proxy.cut_after(Direction::ToClient, 1);
    echo.proxy.pass();
    let mut client = echo.client().await;
    say(&mut client, "a").await;
    hears(&mut client, "aa").await;
    assert_eq!(echo.proxy.observed(Fault::CutAfter), 0);
}
