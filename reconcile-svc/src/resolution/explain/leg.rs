//! What one leg says, and what of it differs. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use money::Fen;
use reconciliation::Code;

/// One leg.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// `O`, `E`, `T` or `F`.
    pub name: &'static str,
    /// What it says; nothing when it has nothing.
    pub fields: Vec<Field>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name for people.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether it is one of those that differ.
    pub differs: bool,
    role: Role,
}

/// What a value is to the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Plain,
    /// What was to be paid or given back; the same in every leg that has it.
    Amount,
    /// Our number; the same in every leg that has it.
    OurNumber,
    /// How far it is.
    State,
    /// What coupons and settlement make of the amount.
    Settlement,
    /// The fee and its rate.
    Fee,
    /// What moved, and of which kind.
    Movement,
    /// What an account opened and closed with.
    Balance,
}

impl Leg {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// Adds a value, unless there is none.
    pub(super) fn add(&mut self, name: impl Into<String>, value: impl Into<String>, role: Role) {
        let (name, value) = (name.into(), value.into());
        if !value.is_empty() {
            self.fields.push(Field { name, value, differs: false, role });
        }
    }

    pub(super) fn text(&mut self, name: &str, value: Option<&str>) {
        self.add(name, value.unwrap_or_default(), Role::Plain);
    }

    /// Yuan, as every file of WeChat has it.
    pub(super) fn amount(&mut self, name: &str, fen: Option<i64>, role: Role) {
        self.add(name, fen.map(|fen| Fen::new(fen).to_yuan()).unwrap_or_default(), role);
    }

    /// Beijing time, as every file of WeChat has it.
    pub(super) fn time(&mut self, name: &str, at: Option<Timestamp>) {
        self.add(name, at.map(wechat_pay::time::print_spaced).unwrap_or_default(), Role::Plain);
    }
}

/// Marks what differs: amounts and numbers that are not the same in all legs, and what the code is about.
pub(super) fn mark(code: Code, legs: &mut [Leg]) {
    for role in [Role::Amount, Role::OurNumber] {
        let of_role = |field: &&Field| field.role == role;
        let values: BTreeSet<&str> =
            legs.iter().flat_map(|leg| &leg.fields).filter(of_role).map(|field| field.value.as_str()).collect();
        if 1 < values.len() {
            mark_role(legs, role);
        }
    }
    let about = match code {
        Code::P1 | Code::P2 | Code::P4 | Code::P8 | Code::P10 | Code::R1 | Code::R2 | Code::R4 => Some(Role::State),
        Code::P3 => Some(Role::OurNumber),
        Code::P7 => Some(Role::Settlement),
        Code::F1 => Some(Role::Fee),
        Code::F2 | Code::F3 => Some(Role::Movement),
        Code::F4 => Some(Role::Balance),
        // A leg that has nothing says it all, and so do amounts.
        Code::P5 | Code::P6 | Code::P9 | Code::R3 => None,
    };
    if let Some(role) = about {
        mark_role(legs, role);
    }
}

fn mark_role(legs: &mut [Leg], role: Role) {
    let fields = legs.iter_mut().flat_map(|leg| &mut leg.fields);
    fields.filter(|field| field.role == role).for_each(|field| field.differs = true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legs(orders: i64, bill: i64) -> [Leg; 2] {
        let (mut ours, mut theirs) = (Leg::new("O"), Leg::new("T"));
        ours.amount("amount", Some(orders), Role::Amount);
        ours.add("state", "OPEN", Role::State);
        theirs.amount("订单金额", Some(bill), Role::Amount);
        theirs.add("交易状态", "SUCCESS", Role::State);
        theirs.add("手续费", "0.01", Role::Fee);
        [ours, theirs]
    }

    fn differing(code: Code, mut legs: [Leg; 2]) -> Vec<String> {
        mark(code, &mut legs);
        legs.into_iter().flat_map(|leg| leg.fields).filter(|field| field.differs).map(|field| field.name).collect()
    }

    #[test]
    fn amounts_are_marked_when_they_are_not_the_same() {
        assert_eq!(differing(Code::P6, legs(100, 101)), ["amount", "订单金额"]);
        assert!(differing(Code::P6, legs(100, 100)).is_empty());
    }

    #[test]
    fn what_the_code_is_about_is_marked() {
        assert_eq!(differing(Code::P1, legs(100, 100)), ["state", "交易状态"]);
        assert_eq!(differing(Code::F1, legs(100, 100)), ["手续费"]);
    }

    #[test]
    fn a_value_that_nobody_has_is_not_shown() {
        let mut leg = Leg::new("E");
        leg.text("method", None);
        leg.amount("amount", None, Role::Amount);
        leg.time("paid", None);
        assert_eq!(leg.fields, []);
    }
}
