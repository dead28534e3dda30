use proto::{gateway::v1, time::to_wire};
use wechat_pay::v2::{Answer, Comment, CommentAnswer, CommentQuery, Fields, Unknown as Unproven, action::Api, xml};

use super::super::{Session, http, nonce, verdict};
use crate::{
    outcome::{Failure, Outcome, Unknown, Why},
    providers::CommentPage,
};

impl Session {
    /// Lists what payers wrote. The answer is text and unsigned; nothing but people depends on it.
    pub(crate) async fn list_comments(&self, page: &CommentPage) -> Outcome<v1::Comments> {
        self.ask_for_comments(page).await.into()
    }

    async fn ask_for_comments(&self, page: &CommentPage) -> Result<v1::Comments, Failure> {
        let query = CommentQuery {
            identity: self.identity(&page.app_id),
            begin_time: page.begin_time,
            end_time: page.end_time,
            offset: page.offset,
            limit: page.limit,
        };
        let message = xml::write("xml", &query.signed(&nonce(), &self.account.api_key));
        let client = self.client()?;
        let body = http::post_xml(&client, &self.wechat.urls.tools.comments, &message).await?;
        match CommentAnswer::parse(&body) {
            CommentAnswer::Page(told) => Ok(v1::Comments {
                next_offset: i64::try_from(told.next_offset).map_err(|_| Unknown::new(Why::BadAnswer))?,
                comments: told.comments.into_iter().map(comment).collect(),
            }),
            CommentAnswer::Refused { err_code, words } => Err(verdict::of(Api::CommentQuery, &failed(err_code, words))),
            CommentAnswer::Unreadable => Err(Unknown::new(Why::BadAnswer).into()),
        }
    }
}

fn comment(told: Comment) -> v1::Comment {
    v1::Comment {
        time: Some(to_wire(told.time)),
        transaction_id: told.transaction_id,
        score: told.score,
        text: told.text,
    }
}

/// No failure of this call is signed. One with a code is taken for what it says, because nothing is moved by the call: it asks for
/// patience or for a person.
fn failed(err_code: String, words: String) -> Answer {
    match err_code.as_str() {
        "" => Answer::Unknown(Unproven::NotSigned { return_msg: words, err_code: None }),
        _ => Answer::Refused { err_code, err_code_des: words, fields: Fields::new() },
    }
}
