use wechat_pay::v2::Fields;

use super::{
    Refusal, Request,
    micropay::{invalid_code, is_code, refused},
    unified_order::required,
};
use crate::{ids, platform::Platform};

/// Tells whose phone shows a pay code, which from then on only this merchant can charge.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let code = required(&request.fields, "auth_code")?;
    if !is_code(code) {
        return Err(invalid_code());
    }
    let now = platform.clock.now();
    let openid = platform.ledger().codes.ask(code, request.account(), now).map_err(refused)?;
    let under_sub_app = request.fields.text("sub_appid").map(|app| ids::openid_under(&openid, app));
    let mut fields: Fields = [("openid", openid)].into_iter().collect();
    if let Some(openid) = under_sub_app {
        fields.insert("sub_openid", openid);
    }
    Ok(fields)
}
