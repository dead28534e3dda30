//! The fund flows of the three accounts, read through all their controls.

use money::Fen;
use wechat_pay::fund_flow::{Expected, FundFlowReader};

use crate::{AccountKind, FundFile, Inputs, MovementState, Refused, trade};

/// Money that came into an account or left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    /// The provider's number of what moved it: of a payment, a refund, or a reversal.
    pub(crate) number: String,
    /// The movement's own number.
    pub(crate) flow_number: String,
    /// 业务类型, as the file has it.
    pub(crate) kind: String,
    /// Negative when it left.
    pub(crate) amount: Fen,
}

impl From<wechat_pay::fund_flow::Movement> for Movement {
    fn from(movement: wechat_pay::fund_flow::Movement) -> Movement {
        let amount = movement.signed();
        let (number, flow_number, kind) = (movement.number, movement.flow_number, movement.kind);
        Movement { number, flow_number, kind, amount }
    }
}

/// One account as its file has it.
#[derive(Clone, Debug)]
pub(crate) struct AccountFlow {
    pub(crate) account: AccountKind,
    pub(crate) state: MovementState,
    pub(crate) opening: Option<Fen>,
    pub(crate) closing: Option<Fen>,
    pub(crate) movements: Vec<Movement>,
}

/// Reads all three, in the order of [`AccountKind::ALL`]; the first one only when it was not read before.
pub(crate) fn read(inputs: &Inputs<'_>, mut basic: Option<AccountFlow>) -> Result<Vec<AccountFlow>, Refused> {
    let files = AccountKind::ALL.into_iter().zip(inputs.funds);
    files.map(|(account, file)| basic.take().map_or_else(|| read_one(inputs, account, file), Ok)).collect()
}

fn read_one(inputs: &Inputs<'_>, account: AccountKind, file: FundFile<'_>) -> Result<AccountFlow, Refused> {
    let flow = |state| AccountFlow { account, state, opening: None, closing: None, movements: Vec::new() };
    let file = match file {
        FundFile::Read(file) => file,
        FundFile::None => return Ok(flow(MovementState::None)),
        FundFile::NotFetched => return Ok(flow(MovementState::NotFetched)),
    };
    let name = format!("fund flow {}", account.as_str());
    let refused = |error| trade::refused(&name, error);
    let mut reader = FundFlowReader::open(file, Expected { bill_date: Some(inputs.day) }).map_err(refused)?;
    let mut movements = Vec::new();
    for movement in reader.by_ref() {
        let movement = movement.map_err(refused)?;
        movements.push(Movement::from(movement));
    }
    let summary = reader.finish().map_err(refused)?;
    let (opening, closing) = (summary.opening, summary.closing);
    Ok(AccountFlow { account, state: MovementState::Read, opening, closing, movements })
}
