use tokio_stream::StreamExt as _;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    fake::Fake,
    harness::{Gateway, not_paid},
};

const SERVICES: [&str; 2] = ["tongbao.gateway.v1.PaymentGateway", "tongbao.gateway.v1.WechatTools"];

#[tokio::test]
async fn both_services_tell_their_health() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    let mut health = HealthClient::new(gateway.channel.clone());
    for service in SERVICES {
        let status = health.check(HealthCheckRequest { service: service.into() }).await.expect("it is known");
        assert_eq!(status.into_inner().status(), ServingStatus::Serving, "{service}");
    }
}

#[tokio::test]
async fn both_services_are_listed_by_reflection() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    let mut reflection = ServerReflectionClient::new(gateway.channel.clone());
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers =
        reflection.server_reflection_info(tokio_stream::once(request)).await.expect("an answer").into_inner();
    let answer = answers.next().await.expect("one answer").expect("no error");
    let Some(MessageResponse::ListServicesResponse(listed)) = answer.message_response else {
        panic!("a list was asked for")
    };
    let names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    for service in SERVICES {
        assert!(names.iter().any(|name| name == service), "{service} in {names:?}");
    }
}
