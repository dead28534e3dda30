//! What payers write about their payments.

use e2e::{
    Options, World,
    sandbox_client::{Fault, FaultPoint, once},
    selling::{MERCHANT, MINI_PROGRAM, OTHER_MERCHANT},
    story,
    tools::Outcome as _,
};
use proto::{
    gateway::v1::{Comment, ListCommentsRequest, ListCommentsResponse},
    time::to_wire,
};
use tonic::Status;

use super::{about_now, lacks_certificate};
use crate::{
    merchant_file::{self, without_certificate},
    reconcile::sell,
};

async fn list(world: &World, offset: i64, limit: i32) -> Result<ListCommentsResponse, Status> {
    let (begin, end) = about_now(world).await;
    let asked = ListCommentsRequest {
        merchant: MERCHANT.to_owned(),
        app_id: MINI_PROGRAM.to_owned(),
        begin_time: Some(to_wire(begin)),
        end_time: Some(to_wire(end)),
        offset,
        limit,
    };
    Ok(world.tools().list_comments(asked).await?.into_inner())
}

#[test]
fn comments_come_page_by_page_with_every_word_and_of_one_account() {
    story(Options::default(), async |world| {
        let (mine, other) = (sell(world, MERCHANT, &[1, 2, 3]).await, sell(world, OTHER_MERCHANT, &[4]).await);
        let words = ["很好, 下次还来", "", "slow, and `cold`"];
        let mut written = Vec::new();
        for ((cashier, score), words) in mine.iter().zip([5, 3, 1]).zip(words) {
            written.push(world.sandbox.comment(cashier.out_trade_no(), score, words).await);
            world.sandbox.comment(other[0].out_trade_no(), 5, "of another account").await;
        }
        let expected: Vec<Comment> = written
            .iter()
            .map(|comment| Comment {
                time: Some(to_wire(comment.at)),
                transaction_id: comment.transaction_id.clone(),
                score: comment.score.to_string(),
                text: comment.text.clone(),
            })
            .collect();

        let all = list(world, 0, 0).await.expect("an outcome").done();
        assert_eq!(all.comments, expected);
        let mut paged = Vec::new();
        let mut offset = 0;
        loop {
            let page = list(world, offset, 2).await.expect("an outcome").done();
            assert!(page.comments.len() <= 2, "{page:?}");
            if page.comments.is_empty() {
                break;
            }
            paged.extend(page.comments);
            offset = page.next_offset;
        }
        assert_eq!(paged, expected);
    });
}

#[test]
fn without_a_certificate_or_an_answer_there_are_no_comments() {
    story(Options::default(), async |world| {
        world.sandbox.fault(once(FaultPoint::BatchQueryComment, Fault::Lost)).await;
        assert_eq!(list(world, 0, 0).await.expect("an outcome").unknown().why, "transport");
        assert_eq!(list(world, 0, 0).await.expect("an outcome").done().comments, []);
        merchant_file::change(world, without_certificate).await;
        lacks_certificate(list(world, 0, 0).await);
    });
}
