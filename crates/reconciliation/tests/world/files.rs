use ::money::Fen;
use jiff::civil::Date;
use wechat_pay::bill::{TradeBillWriter, TradeRow};
use wechat_pay::fund_flow::{Direction, FundFlowWriter, Movement};

use super::payment::noon;
use super::{Flow, World};

/// Files as a run has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// `None` when nothing was paid and nothing refunded.
    pub(crate) trade: Option<Vec<u8>>,
    /// `None` where nothing moved.
    pub(crate) funds: [Option<Vec<u8>>; 3],
    pub(crate) payments: Vec<u8>,
    pub(crate) refunds: Vec<u8>,
}

impl World {
    /// Prints them: payments first, then refunds, in the order in which they were made.
    pub(crate) fn files(&self) -> Files {
        let of_payments = self.payments.iter().flat_map(|payment| payment.billed.iter().chain(&payment.revoked));
        let rows: Vec<&TradeRow> = of_payments.chain(self.refunds.iter().filter_map(|it| it.billed.as_ref())).collect();
        let payments = self.payments.iter().filter_map(|payment| payment.book.as_ref());
        let refunds = self.refunds.iter().filter_map(|refund| refund.book.as_ref());
        Files {
            trade: (!rows.is_empty()).then(|| trade(&rows)),
            funds: [0, 1, 2].map(|at| {
                let flows = self.flows_of(at);
                (!flows.is_empty() && !self.lost[at]).then(|| fund_flow(self.day, &flows, self.openings[at]))
            }),
            payments: payments
                .filter(|book| book.paid_date == self.day)
                .flat_map(|book| book.to_line().into_bytes())
                .collect(),
            refunds: refunds
                .filter(|book| book.accept_date == Some(self.day))
                .flat_map(|book| book.to_line().into_bytes())
                .collect(),
        }
    }

    fn flows_of(&self, account: usize) -> Vec<Flow> {
        let of_payments = self.payments.iter().flat_map(|payment| &payment.flows);
        let of_trades = of_payments.chain(self.refunds.iter().flat_map(|refund| &refund.flows));
        let of_trades = of_trades.filter(|_| account == 0);
        of_trades.chain(&self.flows[account]).cloned().collect()
    }
}

pub(crate) fn trade(rows: &[&TradeRow]) -> Vec<u8> {
    let mut writer = TradeBillWriter::new(Vec::new()).expect("a Vec takes every write");
    for row in rows {
        writer.row(row).expect("small amounts");
    }
    writer.finish().expect("small amounts")
}

pub(crate) fn fund_flow(day: Date, flows: &[Flow], opening: Fen) -> Vec<u8> {
    let mut writer = FundFlowWriter::new(Vec::new()).expect("a Vec takes every write");
    let mut balance = opening;
    for flow in flows {
        balance = balance.checked_add(Fen::new(flow.fen)).expect("small amounts");
        let movement = Movement {
            line: 0,
            booked_at: noon(day),
            number: flow.number.clone(),
            flow_number: flow.id.clone(),
            name: flow.kind.clone(),
            kind: flow.kind.clone(),
            direction: if 0 < flow.fen { Direction::In } else { Direction::Out },
            amount: Fen::new(flow.fen.abs()),
            balance,
            by: "system".to_owned(),
            remark: "缺货".to_owned(),
            voucher: String::new(),
        };
        writer.row(&movement).expect("small amounts");
    }
    writer.finish().expect("small amounts")
}
