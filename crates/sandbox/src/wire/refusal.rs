use axum::response::Response;
use wechat_pay::v2::{Fields, xml};

use super::exchange::text;

/// A refusal by code, signed like every answer to a request that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// WeChat's word, such as `ORDERPAID`.
    pub(super) err_code: String,
    /// WeChat's sentence for people.
    pub(super) err_code_des: String,
    /// What the call answers beside it.
    pub(super) more: Fields,
}

impl Refusal {
    /// With WeChat's usual sentence for the code.
    pub(super) fn named(err_code: &str) -> Refusal {
        Refusal::new(err_code, usual_sentence(err_code))
    }

    /// With a sentence of its own.
    pub(super) fn new(err_code: &str, err_code_des: impl Into<String>) -> Refusal {
        Refusal { err_code: err_code.to_owned(), err_code_des: err_code_des.into(), more: Fields::new() }
    }

    /// With another field in the answer.
    pub(super) fn with(mut self, name: &str, value: &str) -> Refusal {
        self.more.insert(name, value);
        self
    }

    /// A field that must be there is not.
    pub(super) fn lacks(field: &str) -> Refusal {
        Refusal::new("LACK_PARAMS", format!("缺少参数{field}"))
    }

    /// A field has a value that the interface does not take.
    pub(super) fn param(field: &str, problem: &str) -> Refusal {
        Refusal::new("PARAM_ERROR", format!("{field}{problem}"))
    }
}

/// The answer to a request that was not understood or is not authentic: nothing signed, no code.
pub(super) fn unsigned(return_msg: &str) -> Response {
    let all = [("return_code", "FAIL"), ("return_msg", return_msg)];
    // Some calls do not even say why.
    let fields: Fields = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    text(xml::write("xml", &fields))
}

/// WeChat's sentences, from the error tables of its documentation.
fn usual_sentence(err_code: &str) -> &'static str {
    match err_code {
        "NOAUTH" => "商户无此接口权限",
        "NOTENOUGH" => "余额不足",
        "ORDERPAID" => "商户订单已支付",
        "ORDERCLOSED" => "订单已关闭",
        "ORDERNOTEXIST" => "此交易订单号不存在",
        "REFUNDNOTEXIST" => "退款订单查询失败",
        "SYSTEMERROR" => "系统错误",
        "APPID_NOT_EXIST" => "APPID不存在",
        "MCHID_NOT_EXIST" => "MCHID不存在",
        "APPID_MCHID_NOT_MATCH" => "appid和mch_id不匹配",
        "ORDERREVERSED" => "订单已撤销",
        "USERPAYING" => "用户支付中，需要输入密码",
        "BANKERROR" => "银行系统异常",
        "NOTSUPORTCARD" => "不支持卡类型",
        "BUYER_MISMATCH" => "支付帐号错误",
        "TRADE_ERROR" => "交易错误",
        "AUTHCODEEXPIRE" => "二维码已过期，请用户在微信上刷新后再试",
        "AUTH_CODE_ERROR" => "每个二维码仅限使用一次，请刷新再试",
        "AUTH_CODE_INVALID" => "请扫描微信支付被扫条码/二维码",
        "REVERSE_EXPIRE" => "订单无法撤销",
        "INVALID_REQ_TOO_MUCH" => "无效请求过多",
        "AMOUNT_LIMIT" => "红包金额超过限制",
        "FREQ_LIMIT" => "超过频率限制，请稍后再试",
        "NO_BILL_EXIST" => "账单不存在",
        "BILL_CREATING" => "账单未生成",
        "OUT_TRADE_NO_USED" => "商户订单号重复",
        "FREQUENCY_LIMITED" => "频率限制",
        _ => "业务错误",
    }
}
