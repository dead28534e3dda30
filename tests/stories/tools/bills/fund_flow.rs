//! A fund flow, read by the names of its columns and believed only when it adds up.

use std::collections::BTreeMap;

use money::Fen;
use wechat_pay::bill::cells::CellReader;

/// One movement of money.
#[derive(Debug)]
pub(super) struct Movement {
    /// WeChat's number of what moved it.
    number: String,
    /// Our number of it.
    pub(super) voucher: String,
    /// Positive comes in, negative goes out, fen.
    signed: i64,
    /// What is there after it, fen.
    balance: i64,
}

impl Movement {
    pub(super) fn signed(&self) -> i64 {
        self.signed
    }
}

/// Every movement of one account on one day, in order.
#[derive(Debug)]
pub(super) struct FundFlow {
    pub(super) movements: Vec<Movement>,
}

impl FundFlow {
    /// Reads a file, and checks that its balances follow from its movements, and its sums, too.
    #[track_caller]
    pub(super) fn read(file: &[u8]) -> Self {
        let mut reader = CellReader::open(file).expect("a header");
        let columns = reader.columns().to_vec();
        assert_eq!(columns.len(), 11, "{columns:?}");
        let mut movements = Vec::new();
        while let Some(cells) = reader.next_row().expect("rows as wide as the header") {
            let row: BTreeMap<_, _> = columns.iter().map(String::as_str).zip(cells.iter()).collect();
            movements.push(movement(&row));
        }
        for pair in movements.windows(2) {
            assert_eq!(pair[1].balance, pair[0].balance + pair[1].signed, "{pair:?}");
        }
        let sums: BTreeMap<String, String> = reader.summary().expect("it ends with its sums").iter().cloned().collect();
        let side = |comes_in: bool| {
            let amounts = movements.iter().map(Movement::signed).filter(move |fen| (0 < *fen) == comes_in);
            amounts.fold((0, 0), |(count, sum), fen| (count + 1, sum + fen.abs()))
        };
        assert_eq!(sums["资金流水总笔数"], format!("{}.0", movements.len()));
        for (count, amount, comes_in) in [("收入笔数", "收入金额", true), ("支出笔数", "支出金额", false)]
        {
            let (rows, sum) = side(comes_in);
            assert_eq!((sums[count].as_str(), fen(&sums[amount])), (format!("{rows}.0").as_str(), sum));
        }
        Self { movements }
    }

    /// What one thing moved.
    pub(super) fn of<'a>(&'a self, number: &'a str) -> impl Iterator<Item = &'a Movement> {
        self.movements.iter().filter(move |movement| movement.number == number)
    }

    /// How much more there is in the evening than in the morning, fen.
    pub(super) fn balance_of_the_day(&self) -> i64 {
        let first = self.movements.first().expect("a file has a row");
        self.movements.last().expect("a file has a row").balance - (first.balance - first.signed)
    }
}

fn movement(row: &BTreeMap<&str, &str>) -> Movement {
    let amount = fen(row["收支金额(元)"]);
    let signed = match row["收支类型"] {
        "收入" => amount,
        "支出" => -amount,
        other => panic!("money comes in or goes out: {other}"),
    };
    Movement {
        number: row["微信支付业务单号"].to_owned(),
        voucher: row["业务凭证号"].to_owned(),
        signed,
        balance: fen(row["账户结余(元)"]),
    }
}

fn fen(yuan: &str) -> i64 {
    Fen::parse_yuan(yuan).expect("yuan").get()
}
