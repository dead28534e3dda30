//! Every text of the pages, in both languages: a page can show nothing that one of them lacks.

use super::language::Language;

/// Declares the texts: name, English, Chinese. `{0}`, `{1}` stand for values, `{0|day|days}` for a word that goes by the number
/// of one; see `View::fill`.
macro_rules! texts {
    ($($(#[$section:meta])* $name:ident: $english:literal, $chinese:literal;)*) => {
        /// A text of the pages.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Text { $($(#[$section])* $name,)* }

        impl Text {
            /// Every text.
            #[cfg(test)]
            const ALL: &'static [Text] = &[$(Text::$name,)*];

            /// The text in one language.
            pub(super) const fn told_in(self, language: Language) -> &'static str {
                match language {
                    Language::En => match self { $(Text::$name => $english,)* },
                    Language::Zh => match self { $(Text::$name => $chinese,)* },
                }
            }
        }
    };
}

texts! {
    /// The frame.
    Reconciliation: "Reconciliation", "对账";
    ThisLanguage: "English", "中文";
    AllMerchants: "All merchants", "全部商户";
    AsOf: "As of", "生成时间";
    BeijingTime: "Beijing time", "北京时间";
    Colon: ": ", "：";
    UnderAMinute: "under 1 min", "不到 1 分钟";
    Minutes: "{0} min", "{0} 分钟";
    Hours: "{0} h", "{0} 小时";
    Days: "{0} d", "{0} 天";
    Ago: "({0} ago)", "（{0}前）";
    Since: "for {0} now", "已进行 {0}";
    NoSuchPage: "Not found", "没有这一页";
    NoSuchRun: "No such run", "没有这次对账";
    NoSuchDifference: "No such difference", "没有这笔差异";
    NotAsked: "This cannot be asked for", "无法按此查询";
    NotThere: "Not available", "暂不可用";
    TryAgain: "The database does not answer; try again", "数据库没有应答，请稍后再试";
    Busy: "Too many files are being made at this moment; try again", "正在生成的文件过多，请稍后再试";

    /// Verdicts.
    Balanced: "Balanced", "已平";
    Waiting: "Waiting", "待下期账单";
    Differences: "Differences", "有差异";
    ControlFailed: "Bill refused", "账单校验失败";
    BillInvalid: "Bill unreadable", "账单无法读取";
    Running: "Running", "对账中";
    NotRun: "Not run", "未对账";
    UnderWay: "the bill is being fetched and compared.", "正在取账单并比对。";
    PaymentsAgree: "{0} {0|payment|payments}, {1} yuan, {0|agrees|agree} to the fen.", "{0} 笔支付共 {1} 元，逐分一致。";
    NoPayments: "no payments on either side.", "双方均无支付。";
    RefundsAgree: "{0} {0|refund|refunds}, {1} yuan, {0|agrees|agree} too.", "{0} 笔退款共 {1} 元，亦一致。";
    StillWaiting: "{0} more, {1} yuan, may still come with a later bill.", "另有 {0} 笔共 {1} 元，可能出现在后续账单中。";
    Found: "{0} {0|difference|differences}, {1} yuan at risk.", "{0} 笔差异，涉及 {1} 元。";
    StillOpen: "Of this day {0} {0|is|are} open now, {1} yuan.", "该日目前未结 {0} 笔，{1} 元。";
    NoneOpen: "None is open any more.", "目前均已处理。";
    NothingUsed: "nothing of it was used: {0}", "账单内容均未采用：{0}";
    MoneyNotLookedAt: "Whether the money moved is not proved: a fund flow was not fetched.", "资金是否到账未经证实：未取到资金账单。";
    RefundsNotCompared: "Refunds are not compared yet: {0}, {1} yuan.", "退款暂不比对：{0} 笔，{1} 元。";
    ReversalsCounted: "Reversals are counted and not compared: {0}, {1} yuan. One of a payment that our books keep as paid is P8.", "撤销仅计数、不比对：{0} 笔，{1} 元。账簿仍为已付的，列为 P8。";
    LaterVersion: "A later version exists; this one is kept as it was.", "已有新版本；此版本原样保留。";
    Where: "Where", "位置";
    What: "What", "事项";
    StillCounts: "What still counts", "仍然有效的版本";
    NoVersionCounts: "no version of this day was compared yet", "该日尚无已比对的版本";
    WhatNext: "What comes next", "后续处理";
    FetchedAgain: "The bill is fetched again every 30 minutes from 10:00 Beijing time. When it is refused again with the same words, ask the provider for a correct one.", "每日北京时间 10:00 起每 30 分钟重新取账单；若仍以同样原因失败，请联系微信支付提供正确账单。";

    /// Figures of a run.
    NothingLost: "No fen is lost: each side is what agrees plus what differs", "分文不差：各方金额 = 一致 + 差异";
    Whole: "On this side (yuan)", "该方合计（元）";
    Agree: "Agrees (yuan)", "一致（元）";
    AgreeLeg: "Both agree", "双方一致";
    DifferOrWait: "Differs or waits (yuan)", "差异或待定（元）";
    OfWhich: "By code", "按代码";
    NothingDiffers: "nothing differs", "无差异";
    DoesNotAddUp: "does not add up", "合计不符";
    AddsUp: "opening and movements give closing", "期初 + 变动 = 期末";
    BillPayments: "Payments in the bill", "账单支付";
    BookPayments: "Payments in our books", "账簿支付";
    BillRefunds: "Refunds in the bill", "账单退款";
    BookRefunds: "Refunds in our books", "账簿退款";
    PaymentsThatAgree: "Payments that agree", "一致的支付";
    RefundsThatAgree: "Refunds that agree", "一致的退款";
    Pieces: "× {0}", "{0} 笔";
    CountsAndSums: "Counts and sums", "笔数与金额";
    LegBooks: "Our books (O, E)", "账簿（O、E）";
    LegBill: "Trade bill (T)", "交易账单（T）";
    LegOrders: "Our orders", "我方订单";
    LegProvider: "What the provider told", "微信通知与查询";
    LegFunds: "Fund flow", "资金账单";
    Count: "Count", "笔数";
    Yuan: "Yuan", "金额（元）";
    Payments: "Payments", "支付";
    Refunds: "Refunds", "退款";
    Reversals: "Reversals (counted in the bill only)", "撤销（仅账单计数）";
    Net: "Net of refunds", "净额";
    Fees: "Provider's fees", "手续费";
    AfterFees: "Net after fees", "扣费后净额";
    MoneyThatMoved: "Money that moved (F), yuan", "资金变动（F，元）";
    AccountBasic: "Basic account", "基本账户";
    AccountOperation: "Operation account", "运营账户";
    AccountFees: "Fees account", "手续费账户";
    NothingMoved: "Nothing moved on this day.", "当日无变动。";
    NotFetched: "Not fetched: no client certificate.", "未取：缺少商户证书。";
    NotKnown: "not known", "未知";
    Opening: "Opening", "期初余额";
    Closing: "Closing", "期末余额";
    WithoutTrade: "needs no trade", "无需对应交易";

    /// Charts.
    DifferencesByCode: "Differences by code", "差异分类";
    LastDays: "The last {0} {0|day|days}", "最近 {0} 天";
    DaysTitle: "Differences and open amount per day", "每日差异与未结金额";
    DaysTold: "In {0} {0|day|days} {1} {1|difference was|differences were} found; {2} yuan are open now.", "{0} 天内发现差异 {1} 笔；目前未结 {2} 元。";
    DaysLegend: "✓ balanced, … waiting, ✕ bill refused, ▸ running, – not run. ▲ is the day of this page.", "✓ 已平，… 待下期账单，✕ 账单校验失败，▸ 对账中，– 未对账；▲ 为本页账单日。";
    DayTold: "{0}: {1}; differences: {2}, open: {3} yuan", "{0}：{1}；差异 {2} 笔，未结 {3} 元";
    OpenYuan: "Open (yuan)", "未结（元）";

    /// Lists of differences.
    DifferencesHead: "Differences", "差异（笔）";
    AndWaiting: ", and {0} waiting", "，另有待定 {0}";
    TheDifferences: "What was found", "差异明细";
    Code: "Code", "代码";
    Numbers: "Numbers", "单号";
    Number: "Number", "单号";
    WholeNumber: "whole number, either side's", "完整单号";
    InBill: "Bill (yuan)", "账单（元）";
    InBooks: "Books (yuan)", "账簿（元）";
    AtRisk: "At risk (yuan)", "涉及金额（元）";
    State: "State", "状态";
    Age: "Age", "账龄";
    Why: "Why", "说明";
    With: "with", "负责人";
    UntilDay: "until {0}", "至 {0}";
    LookToday: "look today", "今日必查";
    All: "all", "全部";
    UnfinishedOnly: "unfinished only", "仅未结";
    Show: "Show", "筛选";
    ShowAll: "Show all", "清除筛选";
    NoneLikeThis: "None is like this.", "没有符合条件的差异。";
    NoneListed: "None on this page.", "本页没有差异。";
    FirstPage: "First page", "首页";
    NextPage: "Next page", "下一页";
    OnThisPage: "{0} shown, largest amount at risk first", "本页 {0} 笔，按涉及金额由大到小";
    MoreOf: "The largest {0} of {1}.", "仅列出金额最大的 {0} 笔，共 {1} 笔。";
    WhatWaits: "What waits", "待定";
    WaitsTold: "{0} {0|item|items}, {1} yuan, may still come with a later bill; each becomes a difference on the day named.", "{0} 笔共 {1} 元可能出现在后续账单中；到所列日期仍未出现即成为差异。";
    AllThatWait: "All that waits", "全部待定";
    OurNumber: "our number (out_trade_no)", "我方单号（out_trade_no）";
    ProvidersNumber: "provider's number (transaction_id)", "微信支付单号（transaction_id）";
    OurRefundNumber: "our refund number (out_refund_no)", "我方退款单号（out_refund_no）";
    ProvidersRefundNumber: "provider's refund number (refund_id)", "微信退款单号（refund_id）";
    MovementNumber: "number of the movement", "资金流水单号";
    Account: "account", "账户";
    StateOpen: "open", "未结";
    StateResolving: "provider is asked", "查询中";
    StateProposed: "proposed", "待复核";
    StateApproved: "approved", "已批准";
    StateApplied: "done", "已处理";
    StateWaived: "accepted for a while", "暂予豁免";
    StateResolved: "resolved", "已结";
    StateHeld: "waiting", "待定";
    StateUnknown: "unknown", "未知";

    /// Provenance.
    AsFile: "As a file", "下载";
    AsXlsx: "Workbook (XLSX)", "工作簿（XLSX）";
    AsCsv: "Differences (CSV)", "差异（CSV）";
    AsJson: "Everything (JSON)", "全部（JSON）";
    MadeFrom: "Made from", "依据";
    InputTrade: "Trade bill", "交易账单";
    InputFundBasic: "Fund flow, basic account", "资金账单（基本账户）";
    InputFundOperation: "Fund flow, operation account", "资金账单（运营账户）";
    InputFundFees: "Fund flow, fees account", "资金账单（手续费账户）";
    OtherDays: "What our books have on other days", "账簿其他日期的记录";
    NoBill: "the provider says that there is none", "微信告知当日无账单";
    NotCompared: "not compared", "未比对";
    Bytes: "{0} {0|byte|bytes}", "{0} 字节";
    Rules: "Rules", "规则";
    EngineVersion: "version {0}", "版本 {0}";
    MadeOn: "Made on", "对账日";
    Begun: "Begun", "开始";
    Finished: "Finished", "完成";
    Result: "Result", "结果";
    Versions: "Versions of this day", "该日各版本";
    Version: "version {0}", "第 {0} 版";
    Versions2: "version {0} → {1}", "第 {0} 版 → 第 {1} 版";
    VersionHead: "Version", "版本";
    Verdict: "Verdict", "结论";
    WhatChanged: "What changed", "变化";
    ThisPage: "(this page)", "（本页）";
    Counts: "counts", "有效";
    Superseded: "superseded", "已被取代";

    /// The start page.
    NoRunYet: "No run yet. Each day is reconciled from 10:00 Beijing time on the day after it.", "尚无对账。每日账单于次日北京时间 10:00 起对账。";
    RunNow: "To compare a day at once:", "如需立即对账：";
    OpenAmount: "Open (yuan)", "未结金额（元）";
    OpenOnes: "{0} open, {1} to look at today", "{0} 笔，其中今日必查 {1} 笔";
    OldestOpen: "Oldest open", "最早未结";
    RefusedDays: "Bills refused", "账单校验失败";
    InLastDays: "in the last {0} {0|day|days}", "最近 {0} 天";
    DayAgrees: "Agree for {0}", "{0} 一致";
    OfCompared: "of {0} {0|merchant|merchants} compared", "共比对 {0} 个商户";
    NeedsAPerson: "Needs a person today", "今日待办";
    NothingToDo: "nothing: whatever is open settles itself or has somebody's answer.", "无：未结事项会自行了结，或已有人处理。";
    BillRefused: "Bill refused", "账单未采用";
    MoreRefused: "{0} more refused {0|bill is|bills are} in the table below.", "另有 {0} 份账单校验失败，见下表。";
    FirstOfNeeded: "The first {0}; all others are on the pages of their days.", "仅列出前 {0} 笔，其余见各日页面。";
    MerchantsByDay: "Merchants by day, the last {0} {0|day|days}", "各商户最近 {0} 天";
    Merchant: "Merchant", "商户";
    BillDay: "Bill day", "账单日";
    Oldest: "Oldest", "最早";
    LastCompleted: "Last compared", "最近完成";
    MoreMerchants: "More merchants", "更多商户";
    CellOpen: "{0} {0|difference|differences}, {1} open", "差异 {0} 笔，未结 {1} 笔";
    CellSettled: "{0} {0|difference|differences}, none open", "差异 {0} 笔，均已处理";
    CellWaits: "balanced, {0} waiting", "已平，待定 {0} 笔";
    LegendOpen: "differences, some open", "差异笔数，有未结";
    LegendSettled: "differences, none open", "差异笔数，均已处理";
    LegendRefused: "bill refused or unreadable", "账单校验失败或无法读取";
    NewestRuns: "Newest runs", "最近对账";

    /// One difference.
    FourLegs: "The four legs", "四方对照";
    NothingHere: "Nothing is known here.", "此方无记录。";
    Differs: "differs", "不一致";
    RowOfFile: "row {0}", "第 {0} 行";
    FieldLine: "line of the file", "文件行号";
    FieldOrderNo: "team's number (order_no)", "业务订单号（order_no）";
    FieldApp: "team (app)", "应用（app）";
    FieldMchId: "merchant number (mch_id)", "商户号（mch_id）";
    FieldFile: "file", "文件";
    FieldOpening: "opening balance (yuan)", "期初余额（元）";
    FieldClosing: "closing balance (yuan)", "期末余额（元）";
    FieldClosedBefore: "closing balance of the day before (yuan)", "前一日期末余额（元）";
    ValuePaid: "paid", "已付";
    ValueSurplusClosed: "surplus: the order was closed", "多收：订单已关闭";
    ValueSurplusPaid: "surplus: the order was paid already", "多收：订单此前已付";
    ValuePaidByOther: "not paid; its order was paid by another payment", "未付；订单已由另一笔支付付清";
    ValueNotPaidClosed: "not paid; its order is closed", "未付；订单已关闭";
    ValueNotPaidOpen: "not paid; its order is open", "未付；订单未完成";
    ValueCallback: "the provider's callback", "微信通知";
    ValueQuery: "a question of ours", "我方查询";
    ValueBillQuery: "a question because of the bill", "因账单而查询";
    ValueNoFile: "the provider says that there is none", "微信告知当日无账单";
    ValueNotFetched: "not fetched: it needs the merchant's client certificate", "未取：需要商户证书";
    ValueNoLongerKept: "no longer kept: its time is over", "已过保存期限";
    FieldPayment: "payment", "支付";
    FieldRefund: "refund", "退款";
    FieldAmount: "amount (yuan)", "金额（元）";
    FieldAskedFor: "asked for (yuan)", "应收金额（元）";
    FieldAccepted: "accepted (yuan)", "入账金额（元）";
    FieldGivenBack: "given back (yuan)", "已退金额（元）";
    FieldPayersAmount: "payer's amount (yuan)", "用户实付（元）";
    FieldRefundAmount: "refund amount (yuan)", "退款金额（元）";
    FieldOfPayment: "of payment", "原支付单号";
    FieldCause: "cause", "原因";
    FieldMethod: "method", "支付方式";
    FieldCurrency: "currency", "币种";
    FieldToldBy: "told by", "来源";
    FieldGivenOut: "number given out", "下单时间";
    FieldOrderClosed: "order closed", "订单关闭时间";
    FieldPaid: "paid", "支付时间";
    FieldProviderAccepted: "accepted by the provider", "微信受理时间";
    FieldMoneyBack: "money back", "退款到账时间";
    Order: "Order", "订单";
    LastAnswer: "Last answer", "最近答复";
    HowItEnded: "How it ended", "了结方式";
    EndedByRerun: "a later run no longer found it", "后续对账已无此差异";
    EndedApplied: "what was approved was done", "已按批准执行";
    EndedWaived: "accepted as it is", "已豁免";
    TheRun: "the run", "对账";
    FirstSeen: "First seen", "首次发现";
    GoneSince: "Gone since", "消除时间";
    WhatCanBeDone: "What can be done next", "可执行的操作";
    NothingToDoHere: "Nothing: it has ended, or another step is under way.", "无：已了结，或正在处理。";
    StepsNeedAName: "Each step is taken from a terminal, under one's own name and token; these pages ask nobody who they are.", "各操作须在终端以本人身份及令牌执行；本页不识别访问者。";
    StepRetry: "Ask the provider again", "再次查询";
    StepRetryWhat: "order-svc asks about it and takes the answer on its normal road.", "order-svc 再次查询，并按正常流程入账。";
    StepPropose: "Propose", "提议";
    StepProposeWhat: "Say what to do; another person has to agree before anything is done.", "提出处理方式；须由另一人批准后方可执行。";
    StepApprove: "Approve", "批准";
    StepApproveWhat: "Agree with what another person proposed; order-svc then does it.", "批准他人的提议；随后由 order-svc 执行。";
    StepReject: "Reject", "驳回";
    StepRejectWhat: "Do not do what was proposed; it is open again.", "驳回提议；差异恢复为未结。";
    StepWaive: "Accept for a while", "暂予豁免";
    StepWaiveWhat: "Live with it until a day, at most 180 days away; then it opens again.", "豁免至指定日期（最长 180 天），到期重新打开。";
    StepNote: "Note", "备注";
    StepNoteWhat: "Write something down; nothing else changes.", "仅留下备注，不改变状态。";
    StepAssign: "Assign", "指派";
    StepAssignWhat: "Say who looks after it.", "指定负责人。";
    History: "History", "处理记录";
    OlderEntries: "{0} older {0|entry is|entries are} not shown.", "另有 {0} 条较早记录未显示。";
    When: "When", "时间";
    Who: "Who", "操作人";
    Detail: "Detail", "内容";
    AuditRow: "Row of the audit log", "审计记录";
    ActionOpened: "opened", "发现";
    ActionHeld: "waits", "待定";
    ActionRepairRequested: "order-svc was asked", "请求处理";
    ActionRepairAnswered: "order-svc answered", "收到答复";
    ActionProposed: "proposed", "提议";
    ActionApproved: "approved", "批准";
    ActionRejected: "rejected", "驳回";
    ActionWaived: "accepted for a while", "豁免";
    ActionWaiverEnded: "opens again", "豁免到期";
    ActionNoted: "note", "备注";
    ActionAssigned: "assigned", "指派";
    ActionResolved: "resolved", "已结";
    ActionReopened: "found again", "再次出现";

    /// Two versions.
    SameDifferences: "Both versions found the same differences.", "两个版本的差异相同。";
    DifferencesFound: "Differences", "差异";
    Change: "Change (yuan)", "变化（元）";
    DiffTold: "{0} appeared, {1} vanished, {2} changed.", "新增 {0} 笔，消除 {1} 笔，变化 {2} 笔。";
    ChangedInputs: "Inputs that are not the same", "不同的依据";
    Appeared: "Appeared", "新增";
    Vanished: "Vanished", "消除";
    Changed: "Changed (as the later one has them)", "变化（以后一版本为准）";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn is_han(c: char) -> bool {
        ('\u{4e00}'..='\u{9fff}').contains(&c)
    }

    #[test]
    fn no_text_is_missing_in_either_language() {
        for text in Text::ALL {
            let (english, chinese) = (text.told_in(Language::En), text.told_in(Language::Zh));
            assert!(!english.trim().is_empty() && !english.contains(is_han), "{text:?}: {english}");
            assert!(*text == Text::Colon || chinese.contains(is_han), "{text:?}: {chinese}");
        }
        for code in reconciliation::Code::ALL {
            assert!(!code.meaning().is_empty() && code.meaning_in_chinese().contains(is_han), "{code}");
        }
    }

    /// What stands between braces.
    fn places(text: &str) -> impl Iterator<Item = &str> {
        text.split('{').skip(1).map(|place| place.split_once('}').expect("a place ends").0)
    }

    #[test]
    fn both_languages_tell_the_same_values() {
        for text in Text::ALL {
            let values =
                |language| places(text.told_in(language)).map(|place| place.split('|').next()).collect::<BTreeSet<_>>();
            assert_eq!(values(Language::En), values(Language::Zh), "{text:?}");
        }
    }

    #[test]
    fn every_word_that_is_counted_in_english_has_a_form_for_one() {
        for text in Text::ALL {
            let english = text.told_in(Language::En);
            for place in places(english).filter(|place| place.contains('|')) {
                assert_eq!(place.split('|').count(), 3, "{text:?}: {{{place}}}");
            }
            // "{0} payments", "{0} older entries": a plural within two words of a number is one that cannot be one.
            for behind in english.split('}').skip(1) {
                let words = behind.split('{').next().unwrap_or_default().split_whitespace().take(2);
                let plural =
                    words.take_while(|word| word.chars().all(char::is_alphabetic)).find(|word| word.ends_with('s'));
                assert_eq!(plural, None, "{text:?}: {english}");
            }
        }
    }
}
