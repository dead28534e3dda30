//! One line of our own files: columns between tabs.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::civil::Date;
use money::Fen;

use super::MovedElsewhere;

/// Nothing in a column.
const NOTHING: &str = "\\N";

/// What Postgres writes with a backslash, and the letter behind it.
const ESCAPES: [(char, char); 7] =
    [('\\', '\\'), ('\t', 't'), ('\n', 'n'), ('\r', 'r'), ('\u{8}', 'b'), ('\u{c}', 'f'), ('\u{b}', 'v')];

/// Why a line is not what [`crate::books`] says. Holds no value: rows name payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// More or fewer columns.
    #[error("not {expected} columns")]
    Width {
        /// How many it should have.
        expected: usize,
    },
    /// A value that its column cannot have.
    #[error("column {column}: {what}")]
    Column {
        /// Its name.
        column: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

/// Columns of one line, read from left to right.
pub(super) struct Columns<'l> {
    values: std::str::Split<'l, char>,
}

impl<'l> Columns<'l> {
    /// Of a line without its end.
    pub(super) fn of(line: &'l str, expected: usize) -> Result<Columns<'l>, LineError> {
        if line.split('\t').count() == expected {
            Ok(Columns { values: line.split('\t') })
        } else {
            Err(LineError::Width { expected })
        }
    }

    /// The next value, without what protects its backslashes; `None` for nothing.
    pub(super) fn optional(&mut self, column: &'static str) -> Result<Option<Cow<'l, str>>, LineError> {
        let value = self.values.next().unwrap_or_default();
        if value == NOTHING {
            return Ok(None);
        }
        if !value.contains('\\') {
            return Ok(Some(Cow::Borrowed(value)));
        }
        let mut plain = String::with_capacity(value.len());
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                plain.push(character);
                continue;
            }
            let escaped = characters.next().and_then(|letter| ESCAPES.iter().find(|(_, known)| *known == letter));
            let (character, _) =
                escaped.ok_or(LineError::Column { column, what: "a backslash before nothing known" })?;
            plain.push(*character);
        }
        Ok(Some(Cow::Owned(plain)))
    }

    /// The next value.
    pub(super) fn text(&mut self, column: &'static str) -> Result<String, LineError> {
        match self.optional(column)? {
            Some(value) => Ok(value.into_owned()),
            None => Err(LineError::Column { column, what: "nothing" }),
        }
    }

    /// The next value, of which there are only few.
    pub(super) fn word<T>(&mut self, column: &'static str, read: fn(&str) -> Option<T>) -> Result<T, LineError> {
        self.optional_word(column, read)?.ok_or(LineError::Column { column, what: "nothing" })
    }

    /// The next value, of which there are only few.
    pub(super) fn optional_word<T>(
        &mut self,
        column: &'static str,
        read: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LineError> {
        let Some(value) = self.optional(column)? else { return Ok(None) };
        read(&value).map(Some).ok_or(LineError::Column { column, what: "no word that it can have" })
    }

    /// The next value, in fen.
    pub(super) fn fen(&mut self, column: &'static str) -> Result<Fen, LineError> {
        self.optional_fen(column)?.ok_or(LineError::Column { column, what: "nothing" })
    }

    /// The next value, in fen.
    pub(super) fn optional_fen(&mut self, column: &'static str) -> Result<Option<Fen>, LineError> {
        // Books hold no negative amounts; a plus sign, which numbers may have, is not how Postgres writes them.
        let whole = |value: &str| {
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| value.parse().ok().map(Fen::new)).flatten()
        };
        let Some(value) = self.optional(column)? else { return Ok(None) };
        whole(&value).map(Some).ok_or(LineError::Column { column, what: "no whole number of fen" })
    }

    /// The next three values: on which day something moved, how much of it, and how much of its fee.
    pub(super) fn moved(&mut self) -> Result<(Option<Date>, Option<MovedElsewhere>), LineError> {
        let moved_on = self.optional_date("moved_on")?;
        let moved = match (self.optional_fen("moved_fen")?, self.optional_signed_fen("moved_fee_fen")?) {
            (None, None) => None,
            (Some(principal), Some(fee)) if moved_on.is_some() => Some(MovedElsewhere { principal, fee }),
            _ => return Err(LineError::Column { column: "moved_fen", what: "not with moved_on and moved_fee_fen" }),
        };
        Ok((moved_on, moved))
    }

    /// The next value, in fen, which may be negative.
    fn optional_signed_fen(&mut self, column: &'static str) -> Result<Option<Fen>, LineError> {
        let Some(value) = self.optional(column)? else { return Ok(None) };
        let whole = Some(&*value).filter(|value| !value.starts_with('+')).and_then(|value| value.parse().ok());
        whole.map(Fen::new).map(Some).ok_or(LineError::Column { column, what: "no whole number of fen" })
    }

    /// The next value, a date.
    pub(super) fn optional_date(&mut self, column: &'static str) -> Result<Option<Date>, LineError> {
        let date = |value: &str| {
            let canonical = value.len() == "2026-11-21".len() && value.is_ascii();
            canonical.then(|| value.parse().ok()).flatten()
        };
        let Some(value) = self.optional(column)? else { return Ok(None) };
        date(&value).map(Some).ok_or(LineError::Column { column, what: "no date" })
    }

    /// The next value, a date.
    pub(super) fn date(&mut self, column: &'static str) -> Result<Date, LineError> {
        self.optional_date(column)?.ok_or(LineError::Column { column, what: "nothing" })
    }

    /// The next value, `t` or `f`.
    pub(super) fn optional_flag(&mut self, column: &'static str) -> Result<Option<bool>, LineError> {
        let flag = |value: &str| match value {
            "t" => Some(true),
            "f" => Some(false),
            _ => None,
        };
        self.optional_word(column, flag)
    }
}

/// Writes columns in their order.
#[derive(Default)]
pub(super) struct LineWriter {
    line: String,
    begun: bool,
}

impl LineWriter {
    pub(super) fn text(mut self, value: &str) -> Self {
        self.next();
        for character in value.chars() {
            match ESCAPES.iter().find(|(escaped, _)| *escaped == character) {
                Some((_, letter)) => self.line.extend(['\\', *letter]),
                None => self.line.push(character),
            }
        }
        self
    }

    pub(super) fn optional_text(self, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(value),
            None => self.nothing(),
        }
    }

    pub(super) fn fen(self, value: Option<Fen>) -> Self {
        self.shown(value.map(Fen::get))
    }

    pub(super) fn date(self, value: Option<Date>) -> Self {
        self.shown(value)
    }

    pub(super) fn moved(self, moved_on: Option<Date>, moved: Option<MovedElsewhere>) -> Self {
        self.date(moved_on).fen(moved.map(|moved| moved.principal)).fen(moved.map(|moved| moved.fee))
    }

    pub(super) fn flag(self, value: Option<bool>) -> Self {
        self.shown(value.map(|value| if value { 't' } else { 'f' }))
    }

    /// The line with its end.
    pub(super) fn finish(mut self) -> String {
        self.line.push('\n');
        self.line
    }

    fn shown(mut self, value: Option<impl std::fmt::Display>) -> Self {
        let Some(value) = value else { return self.nothing() };
        self.next();
        write!(self.line, "{value}").expect("a String takes every write");
        self
    }

    fn nothing(mut self) -> Self {
        self.next();
        self.line.push_str(NOTHING);
        self
    }

    fn next(&mut self) {
        if self.begun {
            self.line.push('\t');
        }
        self.begun = true;
    }
}
