//! A real server on a real socket, with one method whose behaviour the request chooses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tonic_reflection::pb::{v1, v1alpha};

use super::*;
use crate::admin::Readiness;
use crate::metrics::Metrics;
use crate::refusal::reason_of;
use crate::telemetry::tests::traced as with_trace_ids;
use crate::trace;

const GENEROUS: Duration = Duration::from_mins(1);

/// What the handler of the test server can be told.
#[derive(Clone, Default)]
struct Gate {
    entered: Arc<Notify>,
    open: Arc<Notify>,
}

impl Gate {
    async fn handle(self, request: Request<String>) -> Result<Response<String>, Status> {
        match request.get_ref().as_str() {
            "trace" => Ok(Response::new(trace::current_trace_id().unwrap_or_default())),
            "wait" => {
                self.entered.notify_one();
                self.open.notified().await;
                Ok(Response::new("waited".to_owned()))
            }
            "hang" => std::future::pending().await,
            "panic" => panic!("as asked"),
            said => Ok(Response::new(format!("{} bytes", said.len()))),
        }
    }

    fn routes(self) -> Routes {
        let say = move |request: http::Request<axum::body::Body>| async move {
            let handler = tower::service_fn(move |request| self.clone().handle(request));
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<String, String>::default());
            grpc.unary(handler, request.map(Body::new)).await
        };
        let mut routes = Routes::default();
        *routes.axum_router_mut() =
            std::mem::take(routes.axum_router_mut()).route("/test.v1.Echo/Say", axum::routing::post(say));
        routes
    }
}

struct TestServer {
    address: SocketAddr,
    gate: Gate,
    readiness: Readiness,
    metrics: Metrics,
    stop: CancellationToken,
    served: JoinHandle<anyhow::Result<()>>,
}

impl TestServer {
    async fn start(limits: Limits) -> Self {
        // Every test that reaches the server's span installs the subscriber first; see `with_trace_ids`.
        with_trace_ids();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (gate, readiness, metrics) = (Gate::default(), Readiness::new(), Metrics::new());
        let api = Api {
            routes: gate.clone().routes(),
            services: &["test.v1.Echo"],
            descriptors: tonic_health::pb::FILE_DESCRIPTOR_SET,
            readiness: readiness.clone(),
            metrics: metrics.clone(),
            limits,
        };
        let stop = CancellationToken::new();
        let served = tokio::spawn(serve(listener, api, stop.clone()));
        Self { address, gate, readiness, metrics, stop, served }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls the method with a text.
    async fn say(&self, text: &str) -> Result<String, Status> {
        say(self.url(), text.to_owned()).await
    }

    /// Calls the method beside what the test does.
    fn say_meanwhile(&self, text: &str) -> JoinHandle<Result<String, Status>> {
        tokio::spawn(say(self.url(), text.to_owned()))
    }

    async fn health(&self, service: &str) -> ServingStatus {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = HealthClient::new(channel(&self.url()).expect("a channel")).check(request).await;
        answer.expect("an answer").get_ref().status()
    }

    async fn ends_well(self) {
        self.stop.cancel();
        let served = tokio::time::timeout(GENEROUS, self.served).await;
        served.expect("the drain ends").expect("no panic").expect("a clean end");
    }
}

async fn say(url: String, text: String) -> Result<String, Status> {
    let mut grpc = tonic::client::Grpc::new(traced(&url).expect("a channel"));
    grpc.ready().await.expect("a lazy channel is ready");
    let path = PathAndQuery::from_static("/test.v1.Echo/Say");
    let answer = grpc.unary(Request::new(text), path, ProstCodec::<String, String>::default()).await?;
    Ok(answer.into_inner())
}

#[tokio::test]
async fn health_follows_readiness_for_the_server_and_each_service() {
    let server = TestServer::start(Limits::default()).await;
    assert_eq!(server.health("").await, ServingStatus::Serving);
    server.readiness.part("postgres").not_ready("disconnected");
    for service in ["", "test.v1.Echo"] {
        let until_told = async {
            while server.health(service).await != ServingStatus::NotServing {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(GENEROUS, until_told).await.expect("health follows readiness");
    }
    server.ends_well().await;
}

#[tokio::test]
async fn reflection_lists_our_services_in_both_versions() {
    let server = TestServer::start(Limits::default()).await;
    let channel = channel(&server.url()).expect("a channel");

    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let list = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1::ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.expect("a stream").into_inner();
    let answer = answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
    let Some(v1::server_reflection_response::MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("not a list: {answer:?}");
    };
    let mut names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    names.sort();
    assert_eq!(names, ["grpc.health.v1.Health", "test.v1.Echo"]);

    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let symbol = "grpc.health.v1.Health".to_owned();
    let find = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(symbol);
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(find) };
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.expect("a stream").into_inner();
    let answer = answers.message().await.expect("an answer").and_then(|answer| answer.message_response);
    let found = matches!(
        answer,
        Some(v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(file))
            if !file.file_descriptor_proto.is_empty()
    );
    assert!(found, "v1alpha finds the file of a service");
    server.ends_well().await;
}

#[tokio::test]
async fn an_accepted_request_is_finished_after_the_stop() {
    let server = TestServer::start(Limits::default()).await;
    let accepted = server.say_meanwhile("wait");
    server.gate.entered.notified().await;
    server.stop.cancel();
    server.gate.open.notify_one();
    let answer = accepted.await.expect("no panic");
    assert_eq!(answer.expect("the accepted request is answered"), "waited");
    server.ends_well().await;
}

#[tokio::test]
async fn a_client_that_watches_our_health_does_not_hold_up_the_drain() {
    let server = TestServer::start(Limits::default()).await;
    let mut client = HealthClient::new(channel(&server.url()).expect("a channel"));
    let mut watched = client.watch(HealthCheckRequest::default()).await.expect("a stream").into_inner();
    let first = watched.message().await.expect("an answer").expect("a first status");
    assert_eq!(first.status(), ServingStatus::Serving);
    server.ends_well().await;
}

#[tokio::test]
async fn one_request_more_than_the_limit_is_refused_at_once() {
    let server = TestServer::start(Limits { requests_in_flight: 1, ..Limits::default() }).await;
    let accepted = server.say_meanwhile("wait");
    server.gate.entered.notified().await;
    let refused = server.say("hello").await.expect_err("the only place is taken");
    assert_eq!((refused.code(), reason_of(&refused).as_deref()), (Code::ResourceExhausted, Some(OVERLOADED)));
    assert_eq!(server.health("").await, ServingStatus::Serving, "health is answered even now");
    server.gate.open.notify_one();
    assert_eq!(accepted.await.expect("no panic").expect("an answer"), "waited");
    server.ends_well().await;
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended_with_an_unknown_outcome() {
    let server = TestServer::start(Limits { request_time: Duration::from_millis(10), ..Limits::default() }).await;
    let late = server.say("hang").await.expect_err("nobody answers");
    assert_eq!((late.code(), reason_of(&late).as_deref()), (Code::DeadlineExceeded, Some(DEADLINE_EXCEEDED)));
    server.ends_well().await;
}

#[tokio::test]
async fn a_request_whose_caller_goes_away_is_measured_and_no_longer_in_flight() {
    let server = TestServer::start(Limits::default()).await;
    let called = server.say_meanwhile("wait");
    server.gate.entered.notified().await;
    assert!(server.metrics.encode().contains("grpc_requests_in_flight 1\n"));
    called.abort();
    let cancelled = r#"grpc_request_duration_seconds_count{method="test.v1.Echo/Say",code="CANCELLED"} 1"#;
    let until_told = async {
        loop {
            let text = server.metrics.encode();
            if text.contains(cancelled) && text.contains("grpc_requests_in_flight 0\n") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(GENEROUS, until_told).await.expect("it is counted as cancelled");
    server.ends_well().await;
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused() {
    let server = TestServer::start(Limits { request_bytes: 1000, ..Limits::default() }).await;
    assert_eq!(server.say(&"x".repeat(900)).await.expect("short enough"), "900 bytes");
    let refused = server.say(&"x".repeat(5000)).await.expect_err("too long");
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.message(), "the request is longer than 1000 bytes");
    server.ends_well().await;
}

#[tokio::test]
async fn a_panic_costs_one_request_and_not_the_server() {
    let server = TestServer::start(Limits::default()).await;
    let broken = server.say("panic").await.expect_err("the handler panics");
    assert_eq!((broken.code(), reason_of(&broken).as_deref()), (Code::Internal, Some(INTERNAL)));
    assert_eq!(server.say("hello").await.expect("the server goes on"), "5 bytes");
    server.ends_well().await;
}

#[tokio::test]
async fn the_callers_trace_goes_on_in_the_handler() {
    let server = TestServer::start(Limits::default()).await;
    let span = tracing::info_span!("caller");
    let ours = trace::trace_id(&span).expect("the span has a trace");
    let told = tracing::Instrument::instrument(server.say("trace"), span).await.expect("an answer");
    assert_eq!(told, ours);
    server.ends_well().await;
}

#[tokio::test]
async fn requests_are_measured_by_method_and_code_and_strangers_paths_are_not_labels() {
    let server = TestServer::start(Limits::default()).await;
    server.say("hello").await.expect("an answer");
    let mut grpc = tonic::client::Grpc::new(traced(&server.url()).expect("a channel"));
    grpc.ready().await.expect("a lazy channel is ready");
    let path = PathAndQuery::from_static("/stranger/Path");
    let codec = ProstCodec::<String, String>::default();
    let refused = grpc.unary(Request::new(String::new()), path, codec).await.expect_err("nobody serves it");
    assert_eq!(refused.code(), Code::Unimplemented);
    let text = server.metrics.encode();
    assert!(text.contains(r#"grpc_request_duration_seconds_count{method="test.v1.Echo/Say",code="OK"} 1"#), "{text}");
    assert!(text.contains(r#"grpc_request_duration_seconds_count{method="unknown",code="UNIMPLEMENTED"} 1"#), "{text}");
    assert!(!text.contains("stranger"), "{text}");
    server.ends_well().await;
}
