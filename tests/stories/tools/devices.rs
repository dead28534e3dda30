//! What a face device starts with.

use e2e::{
    Options, World,
    sandbox_client::{Fault, FaultPoint, once},
    selling::{MERCHANT, MINI_PROGRAM, OTHER_MERCHANT},
    story,
    tools::Outcome as _,
};
use proto::gateway::v1::{GetFaceCredentialRequest, GetFaceCredentialResponse, not_done::Kind};

use super::OTHER_MINI_PROGRAM;

async fn credential(world: &World, merchant: &str, app_id: &str) -> GetFaceCredentialResponse {
    let asked = GetFaceCredentialRequest {
        merchant: merchant.to_owned(),
        app_id: app_id.to_owned(),
        store_id: "S-1".to_owned(),
        store_name: "一号店".to_owned(),
        device_id: "D-7".to_owned(),
        rawdata: "UmF3ZGF0YSBvZiBhIGRldmljZQ==".to_owned(),
    };
    world.tools().get_face_credential(asked).await.expect("an outcome").into_inner()
}

#[test]
fn a_face_device_gets_what_it_starts_with_for_accounts_of_both_types() {
    story(Options::default(), async |world| {
        for (merchant, app_id) in [(MERCHANT, MINI_PROGRAM), (OTHER_MERCHANT, OTHER_MINI_PROGRAM)] {
            let first = credential(world, merchant, app_id).await.done();
            assert_eq!((first.authinfo.is_empty(), first.expires_in_s), (false, 3600));
            // Each start is one of its own.
            assert_ne!(credential(world, merchant, app_id).await.done().authinfo, first.authinfo);
        }
    });
}

#[test]
fn a_credential_that_is_refused_or_not_proven_is_not_given() {
    story(Options::default(), async |world| {
        let fails = async |fault| {
            world.sandbox.fault(once(FaultPoint::FaceAuthInfo, fault)).await;
            credential(world, MERCHANT, MINI_PROGRAM).await
        };
        assert_eq!(fails(Fault::BadSignature).await.unknown().why, "bad_signature");
        assert_eq!(fails(Fault::Garbage).await.unknown().why, "not_xml");
        let code = |code: &str| Fault::ErrorCode { code: code.to_owned(), executed: false };
        assert_eq!(fails(code("SYSTEMERROR")).await.unknown().why, "system_error");
        assert_eq!(fails(code("NOAUTH")).await.no().kind(), Kind::Configuration);
        assert!(world.sandbox.faults().await.iter().all(|fault| fault.hits == 1));
    });
}
