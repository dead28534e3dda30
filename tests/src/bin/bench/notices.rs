//! What WeChat sends, signed before the clock starts.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::Context as _;
use merchants::WechatV2Account;
use wechat_pay::v2::{Fields, sign, xml};

use crate::{orders::AMOUNT_FEN, stage::Stage};

/// No two payments of one run of this program have one number at WeChat.
static TRANSACTION: AtomicU64 = AtomicU64::new(1);

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It was paid.
    Paid,
    /// It was not: verified like every other, and nothing of it goes on the bus.
    NotPaid,
}

impl Stage {
    /// Writes a file of genuine notices about these attempts, for `load post`.
    pub(crate) fn notices(&self, name: &str, says: Says, numbers: &[String]) -> anyhow::Result<PathBuf> {
        let account = self.merchant.wechat_v2().context("it is of API v2")?;
        let mut lines = String::with_capacity(numbers.len() * 1200);
        for number in numbers {
            let body = notice(account, &self.template.app_id, says, number);
            writeln!(lines, "{number}\t{body}").context("texts grow")?;
        }
        let path = self.file(name);
        fs::write(&path, lines).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn notice(account: &WechatV2Account, app_id: &str, says: Says, number: &str) -> String {
    let transaction = TRANSACTION.fetch_add(1, Ordering::Relaxed);
    let mut fields: Fields = [
        ("return_code", "SUCCESS"),
        ("appid", app_id),
        ("mch_id", account.mch_id.as_str()),
        ("nonce_str", "5K8264ILTKCH16CQ2502SI8ZNMTM67VS"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("fee_type", "CNY"),
        ("cash_fee_type", "CNY"),
        ("time_end", "20261130093015"),
        ("out_trade_no", number),
    ]
    .into_iter()
    .collect();
    match says {
        Says::Paid => {
            fields.insert("result_code", "SUCCESS");
        }
        Says::NotPaid => {
            fields.insert("result_code", "FAIL");
            fields.insert("err_code", "SYSTEMERROR");
        }
    }
    fields.insert("total_fee", AMOUNT_FEN.to_string());
    fields.insert("cash_fee", AMOUNT_FEN.to_string());
    fields.insert("transaction_id", format!("42000{transaction:023}"));
    fields.insert("sign", sign::sign(&fields, &account.api_key, account.sign_type));
    xml::write("xml", &fields)
}
