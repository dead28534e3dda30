//! Red packets: money for users, under one number however often it is sent.

use std::time::Duration;

use e2e::{
    Options, World,
    sandbox_client::{Fault, FaultPoint, RedPacketStatus, once},
    selling::{MERCHANT, MINI_PROGRAM},
    story,
    tools::Outcome as _,
};
use proto::{
    gateway::v1::{
        GetRedPacketRequest, GetRedPacketResponse, RedPacketSent, SendRedPacketRequest, SendRedPacketResponse,
        not_done::Kind, send_red_packet_request::Kind as Packet,
    },
    time::to_wire,
};
use tonic::Status;
use wechat_pay::v2::{Fields, SignType, sign};

use super::{api_key, lacks_certificate};
use crate::{
    merchant_file::{self, with_its_certificate, without_certificate},
    refused::wrong_fields,
};

/// WeChat takes the same number again after a second.
const AGAIN: Duration = Duration::from_secs(2);

fn packet(mch_billno: &str, kind: Packet) -> SendRedPacketRequest {
    SendRedPacketRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        mch_billno: mch_billno.to_owned(),
        kind: kind.into(),
        send_name: "通宝小店".to_owned(),
        openid: "oLuckyUser00000000000000001".to_owned(),
        total_fen: 300,
        total_num: if kind == Packet::Group { 3 } else { 1 },
        wishing: "恭喜发财".to_owned(),
        activity_name: "新年".to_owned(),
        remark: "谢谢惠顾".to_owned(),
        client_ip: "203.0.113.9".to_owned(),
        scene_id: String::new(),
    }
}

async fn send(world: &World, packet: &SendRedPacketRequest) -> Result<SendRedPacketResponse, Status> {
    Ok(world.tools().send_red_packet(packet.clone()).await?.into_inner())
}

async fn sent(world: &World, packet: &SendRedPacketRequest) -> RedPacketSent {
    send(world, packet).await.expect("an outcome").done()
}

async fn look(world: &World, mch_billno: &str) -> GetRedPacketResponse {
    let asked = GetRedPacketRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        mch_billno: mch_billno.to_owned(),
    };
    world.tools().get_red_packet(asked).await.expect("an outcome").into_inner()
}

/// How often WeChat was asked for each packet, oldest first.
async fn requests(world: &World) -> Vec<u32> {
    world.sandbox.red_packets().await.iter().map(|packet| packet.requests).collect()
}

#[test]
fn a_packet_that_is_sent_again_with_its_number_is_one_packet() {
    story(Options::default(), async |world| {
        let packet = packet("HB1", Packet::Normal);
        let first = sent(world, &packet).await;
        assert_eq!((first.send_listid.is_empty(), first.package.as_str(), first.pay_sign.as_str()), (false, "", ""));
        world.pass(AGAIN).await;
        assert_eq!(sent(world, &packet).await, first);
        assert_eq!(requests(world).await, [2]);

        // The number stands for its content.
        world.pass(AGAIN).await;
        let dearer = SendRedPacketRequest { total_fen: 301, ..packet };
        let no = send(world, &dearer).await.expect("an outcome").no();
        assert_eq!((no.kind(), no.provider_code.as_str()), (Kind::Configuration, "PARAM_ERROR"));
        let there = look(world, "HB1").await.done();
        assert_eq!((there.detail_id.as_str(), there.total_fen), (first.send_listid.as_str(), 300));
    });
}

#[test]
fn a_packet_without_an_answer_is_unknown_and_found_or_sent_by_its_number() {
    story(Options::default(), async |world| {
        for (count, (fault, arrived)) in (1..).zip([
            (Fault::Lost, true),
            (Fault::Garbage, true),
            (Fault::Status { status: 502, executed: true }, true),
            (Fault::NotExecuted, false),
            (Fault::ErrorCode { code: "SYSTEMERROR".to_owned(), executed: true }, true),
            (Fault::ErrorCode { code: "SYSTEMERROR".to_owned(), executed: false }, false),
        ]) {
            let packet = packet(&format!("HB{count}"), Packet::Normal);
            let struck = world.sandbox.fault(once(FaultPoint::SendRedpack, fault.clone())).await;
            send(world, &packet).await.expect("an outcome").unknown();
            assert_eq!(world.sandbox.hits(&struck).await, 1);
            let looked = look(world, &packet.mch_billno).await;
            if arrived {
                let found = looked.done();
                assert_eq!((found.status.as_str(), found.total_fen), ("SENT", 300), "{fault:?}");
            } else {
                // An unsigned "not found" decides nothing; the number does.
                assert_eq!(looked.unknown().provider_code, "NOT_FOUND", "{fault:?}");
            }
            world.pass(AGAIN).await;
            let there = sent(world, &packet).await;
            assert_eq!(look(world, &packet.mch_billno).await.done().detail_id, there.send_listid);
            assert_eq!(requests(world).await.len(), count, "{fault:?}: one packet for one number");
        }
    });
}

#[test]
fn each_kind_of_packet_is_sent_and_a_mini_program_can_open_its_own() {
    story(Options::default(), async |world| {
        for (mch_billno, kind, parts) in
            [("HBN", Packet::Normal, 1), ("HBG", Packet::Group, 3), ("HBM", Packet::MiniProgram, 1)]
        {
            let sent = sent(world, &packet(mch_billno, kind)).await;
            let there = look(world, mch_billno).await.done();
            assert_eq!((there.status.as_str(), there.total_fen, there.total_num), ("SENT", 300, parts));
            assert_eq!((&there.detail_id, there.mch_billno.as_str()), (&sent.send_listid, mch_billno));
            assert_eq!(sent.pay_sign.is_empty(), kind != Packet::MiniProgram);
            if kind == Packet::MiniProgram {
                let client = Fields::from_iter([
                    ("appId", MINI_PROGRAM),
                    ("timeStamp", &sent.time_stamp),
                    ("nonceStr", &sent.nonce_str),
                    ("package", &sent.package),
                ]);
                let signature = sign::sign(&client, &api_key(MERCHANT), SignType::Md5);
                assert_eq!((sent.sign_type.as_str(), sent.pay_sign), ("MD5", signature.to_lowercase()));
            }
        }
        assert_eq!(requests(world).await, [1, 1, 1]);
    });
}

#[test]
fn what_became_of_a_packet_is_told() {
    story(Options::default(), async |world| {
        for mch_billno in ["HB1", "HB2", "HB3"] {
            sent(world, &packet(mch_billno, Packet::Normal)).await;
        }
        world.sandbox.settle_red_packet("HB1", RedPacketStatus::Received).await;
        world.sandbox.settle_red_packet("HB2", RedPacketStatus::Failed).await;
        let received = look(world, "HB1").await.done();
        assert_eq!((received.status.as_str(), received.refund_fen), ("RECEIVED", 0));
        let failed = look(world, "HB2").await.done();
        assert_eq!((failed.status.as_str(), failed.reason.is_empty()), ("FAILED", false));

        // What nobody opens is back after a day.
        world.pass(Duration::from_hours(25)).await;
        let back = look(world, "HB3").await.done();
        assert_eq!((back.status.as_str(), back.refund_fen), ("REFUND", 300));
        let packets = world.sandbox.red_packets().await;
        assert_eq!(back.send_time, Some(to_wire(packets[2].sent_at)));
        assert_eq!(back.refund_time, Some(to_wire(packets[2].sent_at + jiff::SignedDuration::from_hours(24))));
    });
}

#[test]
fn a_packet_that_cannot_be_sent_is_refused_and_nothing_is_sent() {
    story(Options::default(), async |world| {
        let good = packet("HB1", Packet::Normal);
        wrong_fields(send(world, &SendRedPacketRequest { total_num: 2, ..good.clone() }).await, &["total_num"]);
        wrong_fields(send(world, &SendRedPacketRequest { total_fen: 99, ..good.clone() }).await, &["scene_id"]);
        merchant_file::change(world, without_certificate).await;
        lacks_certificate(send(world, &good).await);
        assert_eq!(requests(world).await, [0; 0]);
        merchant_file::change(world, with_its_certificate).await;
        sent(world, &SendRedPacketRequest { total_fen: 99, scene_id: "PRODUCT_1".to_owned(), ..good }).await;
        assert_eq!(requests(world).await, [1]);
    });
}
