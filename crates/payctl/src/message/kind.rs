/// What kind of message it is: it decides which fields stand under the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Ours, to WeChat.
    Request,
    /// WeChat's, to a request.
    Answer,
    /// WeChat's, about a payment.
    Notice,
    /// WeChat's, about a refund: encrypted, never signed.
    RefundNotice,
    /// WeChat's, about a scanned Native mode 1 code.
    Scan,
    /// What a page inside WeChat hands to `WeixinJSBridge` or `wx.chooseWXPay`.
    Jsapi,
    /// What a mini program hands to `wx.requestPayment`.
    MiniProgram,
    /// What a mini program hands to `wx.sendBizRedPacket`.
    Redpack,
    /// What a native app hands to WeChat's SDK.
    App,
    /// The text of a Native mode 1 code.
    #[value(name = "native-1")]
    Native1,
    /// Names and values, of whatever.
    Fields,
}

impl Kind {
    /// For a sentence: "a payment notice".
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Kind::Request => "request",
            Kind::Answer => "answer",
            Kind::Notice => "payment notice",
            Kind::RefundNotice => "refund notice",
            Kind::Scan => "scan of a Native mode 1 code",
            Kind::Jsapi => "JSAPI invocation",
            Kind::MiniProgram => "mini program invocation",
            Kind::Redpack => "red packet invocation",
            Kind::App => "app invocation",
            Kind::Native1 => "Native mode 1 URL",
            Kind::Fields => "list of fields",
        }
    }

    /// The name of the field that carries the signature.
    pub(crate) const fn sign_name(self) -> &'static str {
        match self {
            Kind::Jsapi | Kind::MiniProgram | Kind::Redpack => "paySign",
            _ => "sign",
        }
    }

    /// The field that says the sign type; an app's invocation has none.
    pub(crate) const fn sign_type_name(self) -> &'static str {
        match self {
            Kind::Jsapi | Kind::MiniProgram | Kind::Redpack | Kind::App => "signType",
            _ => "sign_type",
        }
    }

    /// Whether the signature is written in lower-case hex: only one of WeChat's is.
    pub(crate) const fn is_lower_hex(self) -> bool {
        matches!(self, Kind::Redpack)
    }

    /// Whether the message leaves out the app under which it was signed.
    pub(crate) const fn lacks_app_id(self) -> bool {
        matches!(self, Kind::MiniProgram | Kind::Redpack)
    }
}
