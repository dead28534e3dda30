//! Days as finance meets them.

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use money::Fen;
use proto::reconcile::v1::discrepancy::State as DiscrepancyState;
use proto::reconcile::v1::run::State;
use proto::reconcile::v1::{
    Account, AuditEntry, CodeCount, Discrepancy, ExplainDiscrepancyResponse, Input, Leg, LegField,
    ListDiscrepanciesResponse, Movements, Run,
};
use proto::time::to_wire;
use reconcile_svc::report::{DayFigures, Filter, OrderOf, RunPage};
use reconciliation::Code;
use uuid::Uuid;

use crate::now;

pub(crate) const DAY: Date = date(2026, 11, 21);

/// A name that never changes.
pub(crate) fn id(number: u128) -> Uuid {
    Uuid::from_u128(0x019a_a5f0_0000_7000_8000_0000_0000_0000 + number)
}

/// A balanced day: 1,204 payments, 37 refunds, the money moved.
pub(crate) fn balanced() -> Run {
    let ended = now() - 33.minutes();
    Run {
        name: format!("runs/{}", id(1)),
        merchant: "acme-mini".into(),
        bill_date: DAY.to_string(),
        version: 1,
        state: State::Balanced.into(),
        bill_count: 1_204,
        bill_sum_fen: 12_345_678,
        bill_refund_count: 37,
        bill_refund_sum_fen: 98_765,
        bill_revoked_count: 2,
        bill_revoked_sum_fen: 1_980,
        bill_fee_yuan: "734.81480".into(),
        book_count: 1_204,
        book_sum_fen: 12_345_678,
        matched_count: 1_204,
        matched_sum_fen: 12_345_678,
        book_refund_count: 37,
        book_refund_sum_fen: 98_765,
        matched_refund_count: 37,
        matched_refund_sum_fen: 98_765,
        bill_sha256: "8a".repeat(32),
        books_sha256: "3c".repeat(32),
        start_time: Some(to_wire(ended - 4.seconds())),
        end_time: Some(to_wire(ended)),
        current: true,
        accounts: accounts(),
        inputs: inputs(),
        as_of: "2026-11-22".into(),
        engine_version: 4,
        result_sha256: "d1".repeat(32),
        ..Run::default()
    }
}

fn accounts() -> Vec<Account> {
    let moved = |kind: &str, count, sum_fen, of_trades| Movements { kind: kind.into(), count, sum_fen, of_trades };
    vec![
        Account {
            account: "BASIC".into(),
            state: "READ".into(),
            opening_fen: Some(50_000_000),
            closing_fen: Some(50_000_000 + 12_345_678 - 98_765 - 73_482 + 592 - 40_000_000),
            movements: vec![
                moved("交易", 1_204, 12_345_678, true),
                moved("退款", 37, -98_765, true),
                moved("扣除交易手续费", 1_204, -73_482, true),
                moved("返还交易手续费", 37, 592, true),
                moved("提现", 1, -40_000_000, false),
            ],
        },
        Account {
            account: "OPERATION".into(),
            state: "NONE".into(),
            opening_fen: Some(100_000),
            closing_fen: Some(100_000),
            movements: Vec::new(),
        },
        Account { account: "FEES".into(), state: "NOT_FETCHED".into(), ..Account::default() },
    ]
}

fn inputs() -> Vec<Input> {
    let input = |input: &str, state: &str, byte: &str, bytes| Input {
        input: input.into(),
        state: state.into(),
        sha256: byte.repeat(32),
        bytes,
    };
    vec![
        input("TRADE", "READ", "8a", 412_334),
        input("FUND_BASIC", "READ", "77", 388_210),
        input("FUND_OPERATION", "NONE", "", 0),
        input("FUND_FEES", "NOT_FETCHED", "", 0),
        input("BOOK_PAYMENTS", "READ", "3c", 98_112),
        input("BOOK_REFUNDS", "READ", "e0", 4_096),
    ]
}

/// A day on which everything went wrong that has a name, and something waits besides.
pub(crate) fn broken() -> Run {
    let counts = [3, 1, 2, 1, 4, 1, 2, 1, 1, 1, 2, 1, 1, 3, 812, 2, 1, 1];
    let sums = [
        45_000, 9_900, 88_888, 19_900, 400_000, 100, 2_000, 19_900, 5_000, 100, 120_000, 9_900, 50, 1_230_000, 812,
        8_800, 500_000, 12_345_678,
    ];
    let differences = Code::ALL.into_iter().zip(counts).zip(sums).map(|((code, count), sum_fen)| CodeCount {
        code: code.as_str().into(),
        count,
        sum_fen,
    });
    Run {
        name: format!("runs/{}", id(2)),
        version: 3,
        state: State::Differences.into(),
        matched_count: 1_192,
        matched_sum_fen: 12_345_678 - 190_688,
        book_count: 1_199,
        book_sum_fen: 12_345_678 - 190_688 + 427_000,
        matched_refund_count: 34,
        matched_refund_sum_fen: 98_765 - 20_050,
        book_refund_count: 36,
        book_refund_sum_fen: 98_765 - 20_050 + 9_950,
        waiting_count: 25,
        waiting_sum_fen: 123_450,
        differences: differences.collect(),
        ..balanced()
    }
}

/// A bill that a control refused.
pub(crate) fn refused() -> Run {
    Run {
        name: format!("runs/{}", id(3)),
        merchant: "acme-mini".into(),
        bill_date: DAY.to_string(),
        version: 4,
        state: State::ControlFailed.into(),
        problem: "trade bill, line 1206, column 手续费总金额: the summary says 734.81480, the rows add up to 734.80880"
            .into(),
        bill_fee_yuan: "0.00000".into(),
        start_time: balanced().start_time,
        end_time: balanced().end_time,
        engine_version: 4,
        as_of: "2026-11-22".into(),
        ..Run::default()
    }
}

/// A difference of each code; `of` makes many of them distinct.
pub(crate) fn difference(code: Code, of: u128) -> Discrepancy {
    let states = [
        DiscrepancyState::Open,
        DiscrepancyState::Resolving,
        DiscrepancyState::Proposed,
        DiscrepancyState::Approved,
        DiscrepancyState::Applied,
        DiscrepancyState::Waived,
        DiscrepancyState::Resolved,
        DiscrepancyState::Held,
    ];
    let place = Code::ALL.iter().position(|known| *known == code).expect("a code");
    let state = states[(place + usize::try_from(of).expect("small")) % states.len()];
    let is_refund = code.is_of_a_refund();
    let fen = 990 * i64::try_from(place + 1).expect("small") * 37;
    let seen = now() - (i64::try_from(place).expect("small") * 7).hours();
    Discrepancy {
        name: format!("discrepancies/{}", id(1_000 + of * 32 + place as u128)),
        merchant: "acme-mini".into(),
        bill_date: DAY.to_string(),
        code: code.as_str().into(),
        out_trade_no: format!("{:032x}", 0xfeed_0000_u128 + of * 32 + place as u128),
        transaction_id: format!("42000{:023}", of * 32 + place as u128),
        bill_amount_fen: if matches!(code, Code::P5 | Code::P10 | Code::R2) { 0 } else { fen },
        book_amount_fen: if matches!(code, Code::P3 | Code::R1 | Code::F3) { 0 } else { fen },
        state: state.into(),
        open_time: Some(to_wire(seen)),
        opened_by: format!("runs/{}", id(2)),
        resolve_time: (state == DiscrepancyState::Resolved).then(|| to_wire(now())),
        resolved_by: if state == DiscrepancyState::Resolved { format!("runs/{}", id(2)) } else { String::new() },
        explanation: format!("The bill has {} yuan and our books do not hold it: {}.", Fen::new(fen), code.meaning()),
        out_refund_no: if is_refund { format!("R{of:031x}") } else { String::new() },
        refund_id: if is_refund { format!("50000{of:023}") } else { String::new() },
        movement: if code == Code::F3 { format!("20261121{of:016}") } else { String::new() },
        account: if matches!(code, Code::F3 | Code::F4) { "BASIC".into() } else { String::new() },
        risk_fen: fen,
        due_date: if state == DiscrepancyState::Held { "2026-11-23".into() } else { String::new() },
        waived_until: if state == DiscrepancyState::Waived { "2027-01-31".into() } else { String::new() },
        assignee: if place % 5 == 0 { "王小明".into() } else { String::new() },
        critical: matches!(code, Code::P3 | Code::F4),
        ..Discrepancy::default()
    }
}

/// A run's page with the differences of every code.
pub(crate) fn page(run: Run) -> RunPage {
    let compared = !matches!(run.state(), State::ControlFailed | State::BillInvalid | State::Running);
    let discrepancies: Vec<Discrepancy> = if run.differences.is_empty() {
        Vec::new()
    } else {
        Code::ALL.into_iter().map(|code| difference(code, 0)).collect()
    };
    let orders = discrepancies.iter().step_by(2).map(|found| {
        (found.out_trade_no.clone(), OrderOf { app: "shop".into(), order_no: Some("SO-2026-11-21-000123".into()) })
    });
    let orders: HashMap<String, OrderOf> = orders.collect();
    let held = |code| Discrepancy {
        state: DiscrepancyState::Held.into(),
        due_date: "2026-11-23".into(),
        ..difference(code, 7)
    };
    let waiting =
        if run.waiting_count == 0 { Vec::new() } else { vec![held(Code::P5), held(Code::F2), held(Code::R4)] };
    let first = Run { version: 1, name: format!("runs/{}", id(11)), current: false, ..broken() };
    let second = Run { version: 2, name: format!("runs/{}", id(12)), current: !compared, ..balanced() };
    let versions = if run.version == 1 { vec![run.clone()] } else { vec![run.clone(), second, first] };
    RunPage {
        found: ListDiscrepanciesResponse { discrepancies, next_page_token: String::new() },
        filter: Filter::default(),
        waiting,
        orders,
        versions,
        days: days(),
        run,
    }
}

/// Thirty days of which the last is the fixtures' day.
pub(crate) fn days() -> Vec<DayFigures> {
    let differences = [0, 0, 3, 1, 0, 0, 0, 12, 2, 0, 0, 0, 0, 1, 0, 0, 40, 0, 0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 2, 840];
    let figures = differences.into_iter().zip(1_i64..).map(|(found, place)| {
        let state = match place {
            5 => State::Unspecified,
            12 => State::ControlFailed,
            24 => State::Waiting,
            _ if 0 < found => State::Differences,
            _ => State::Balanced,
        };
        let open = if place < 20 { 0 } else { found * 5 / 6 };
        DayFigures {
            date: DAY.saturating_sub((30 - place).days()),
            state,
            differences: found,
            open,
            open_risk: Fen::new(open * 20_000),
        }
    });
    figures.collect()
}

/// Why a payment of which the amounts differ is open.
pub(crate) fn explained() -> ExplainDiscrepancyResponse {
    let field = |name: &str, value: &str, differs| LegField { name: name.into(), value: value.into(), differs };
    let leg = |leg: &str, fields| Leg { leg: leg.into(), fields };
    let entry = |sequence, actor: &str, action: &str, detail: &str| AuditEntry {
        sequence,
        time: Some(to_wire(now() - (40 - sequence).minutes())),
        actor: actor.into(),
        action: action.into(),
        discrepancy: format!("discrepancies/{}", id(1_005)),
        detail: detail.into(),
        hash: format!("{sequence:064x}"),
    };
    ExplainDiscrepancyResponse {
        discrepancy: Some(Discrepancy {
            state: DiscrepancyState::Open.into(),
            bill_amount_fen: 19_900,
            book_amount_fen: 19_800,
            risk_fen: 100,
            explanation: "The bill has 199.00 yuan, our books took 198.00 yuan.".into(),
            answer: "WeChat says SUCCESS, 199.00 yuan; our order took 198.00 yuan".into(),
            assignee: "王小明".into(),
            critical: true,
            ..difference(Code::P6, 0)
        }),
        legs: vec![
            leg(
                "O",
                vec![
                    field("out_trade_no", "0198f2a47c1b7d3c9e2f5a6b7c8d9e0f", false),
                    field("amount", "198.00", true),
                    field("state", "PAID", false),
                    field("paid", "2026-11-21 23:59:58", false),
                ],
            ),
            leg(
                "E",
                vec![
                    field("transaction_id", "4200002026112100000000000005", false),
                    field("amount", "199.00", true),
                    field("payer's amount", "199.00", false),
                    field("told by", "the provider's callback", false),
                ],
            ),
            leg(
                "T",
                vec![
                    field("微信订单号", "4200002026112100000000000005", false),
                    field("订单金额", "199.00", true),
                    field("应结订单金额", "199.00", false),
                    field("手续费", "1.19400", false),
                    field("费率", "0.60%", false),
                    field(
                        "商品名称",
                        "一个名字很长很长很长很长很长很长很长很长很长很长很长很长的商品`,`<b>x</b>",
                        false,
                    ),
                ],
            ),
            leg(
                "F",
                vec![
                    field("1: 业务类型", "交易", false),
                    field("1: 收支金额(元)", "199.00", false),
                    field("2: 业务类型", "扣除交易手续费", false),
                    field("2: 收支金额(元)", "1.19", false),
                ],
            ),
        ],
        next_steps: ["STEP_RETRY", "STEP_PROPOSE", "STEP_WAIVE", "STEP_NOTE", "STEP_ASSIGN"]
            .map(str::to_owned)
            .to_vec(),
        history: vec![
            entry(1, "reconcile-svc", "OPENED", "P6 seen by version 1"),
            entry(2, "reconcile-svc", "REPAIR_REQUESTED", ""),
            entry(3, "order-svc", "REPAIR_ANSWERED", "the provider says SUCCESS, 199.00 yuan"),
            entry(4, "李雷", "ASSIGNED", "王小明"),
            entry(5, "王小明", "NOTED", "已联系微信支付客服，等待答复"),
        ],
        order: format!("orders/{}", id(77)),
        app: "shop".into(),
        order_no: "SO-2026-11-21-000123".into(),
    }
}
