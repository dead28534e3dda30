//! A message: names and texts, in the order they were written.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;
use money::Fen;

use crate::time;

/// Most digits an amount in fen may have. WeChat declares int32; ten digits leave room and can never overflow.
const MAX_FEN_DIGITS: usize = 10;

/// The fields of one message: ordered, flat, no name twice.
///
/// Values can be personal data or secrets, so `Debug` prints the names alone.
#[derive(Clone, Default)]
pub struct Fields {
    /// Names and values, one after another: a message has dozens, and most are read once and dropped.
    text: String,
    places: Vec<Place>,
}

/// Where a field is in the text.
#[derive(Clone)]
struct Place {
    name: Range<usize>,
    value: Range<usize>,
}

impl Fields {
    /// No fields.
    pub const fn new() -> Fields {
        Fields { text: String::new(), places: Vec::new() }
    }

    /// No fields, but room for so many, and for so many bytes of their names and values.
    pub(crate) fn with_room(fields: usize, bytes: usize) -> Fields {
        Fields { text: String::with_capacity(bytes), places: Vec::with_capacity(fields) }
    }

    /// The value of `name`, which can be empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The value of `name`, unless it is absent or empty: WeChat treats both alike, and signs neither.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Sets `name` and returns what it replaced. A replaced field keeps its place.
    pub fn insert(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Option<String> {
        let (name, value) = (name.as_ref(), value.as_ref());
        let Some(at) = self.place_of(name) else {
            self.begin(name);
            self.add_to_last(value);
            return None;
        };
        let old = self.text[self.places[at].value.clone()].to_owned();
        self.places[at].value = self.write(value);
        Some(old)
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        let Place { value, .. } = self.places.remove(self.place_of(name)?);
        Some(self.text[value].to_owned())
    }

    /// Adds a field with an empty value. Its name is known to differ from all others.
    pub(crate) fn begin(&mut self, name: &str) {
        let name = self.write(name);
        self.places.push(Place { value: name.end..name.end, name });
    }

    /// Adds to the value of the field that began last.
    pub(crate) fn add_to_last(&mut self, more: &str) {
        let last = self.places.last_mut().expect("a field began");
        debug_assert_eq!(last.value.end, self.text.len(), "nothing was written after it");
        self.text.push_str(more);
        last.value.end = self.text.len();
    }

    /// The name of the field at a place that exists.
    pub(crate) fn name(&self, at: usize) -> &str {
        &self.text[self.places[at].name.clone()]
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.iter().position(|(key, _)| key == name)
    }

    fn write(&mut self, text: &str) -> Range<usize> {
        let from = self.text.len();
        self.text.push_str(text);
        from..self.text.len()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.places.iter().map(|Place { name, value }| (&self.text[name.clone()], &self.text[value.clone()]))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// A text that must be there and not be empty.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`].
    pub fn required(&self, name: &str) -> Result<&str, FieldError> {
        self.text(name).ok_or_else(|| FieldError::new(name, FieldProblem::Missing))
    }

    /// An amount in fen: 1 to 10 digits, nothing else.
    ///
    /// # Errors
    /// [`FieldProblem::NotFen`] when it is there and anything else.
    pub fn fen(&self, name: &str) -> Result<Option<Fen>, FieldError> {
        self.text(name)
            .map(|value| parse_fen(value).ok_or_else(|| FieldError::new(name, FieldProblem::NotFen)))
            .transpose()
    }

    /// An amount in fen that must be there.
    ///
    /// # Errors
    /// [`FieldProblem::Missing`], [`FieldProblem::NotFen`].
    pub fn required_fen(&self, name: &str) -> Result<Fen, FieldError> {
        self.fen(name)?.ok_or_else(|| FieldError::new(name, FieldProblem::Missing))
    }

    /// An amount in fen that is only told along: one that is absent or malformed is `None`, because it is no reason to
    /// disbelieve the rest of the message.
    pub(crate) fn fen_told(&self, name: &str) -> Option<Fen> {
        self.text(name).and_then(parse_fen)
    }

    /// A count of at most ten digits.
    ///
    /// # Errors
    /// [`FieldProblem::NotCount`] when it is there and anything else.
    pub fn count(&self, name: &str) -> Result<Option<u32>, FieldError> {
        self.text(name)
            .map(|value| {
                Some(value)
                    .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
                    .and_then(|value| value.parse().ok())
                    .ok_or_else(|| FieldError::new(name, FieldProblem::NotCount))
            })
            .transpose()
    }

    /// A `yyyyMMddHHmmss` Beijing time.
    ///
    /// # Errors
    /// [`FieldProblem::NotTime`] when it is there and anything else.
    pub fn time_14(&self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        self.text(name)
            .map(|value| time::parse_14(value).map_err(|_| FieldError::new(name, FieldProblem::NotTime)))
            .transpose()
    }

    /// A `yyyy-MM-dd HH:mm:ss` Beijing time.
    ///
    /// # Errors
    /// [`FieldProblem::NotTime`] when it is there and anything else.
    pub fn time_spaced(&self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        self.text(name)
            .map(|value| time::parse_spaced(value).map_err(|_| FieldError::new(name, FieldProblem::NotTime)))
            .transpose()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// The same names and values in the same order.
impl PartialEq for Fields {
    fn eq(&self, other: &Fields) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Fields {
    /// Collects fields; of a repeated name the last value stays.
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Fields {
        let mut fields = Fields::new();
        for (name, value) in pairs {
            fields.insert(name, value);
        }
        fields
    }
}

/// The first eight bytes of a name as a number: names in the order of these, and by their bytes where it is the same, are in the order
/// of their bytes.
pub(crate) fn beginning(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let first =
        bytes.first_chunk().copied().unwrap_or_else(|| std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0)));
    u64::from_be_bytes(first)
}

/// A field that is not what its message promises. Names the field, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {field} {problem}")]
pub struct FieldError {
    /// The name on the wire.
    pub field: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, problem: FieldProblem) -> FieldError {
        FieldError { field: field.into(), problem }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// Absent or empty.
    #[error("is missing")]
    Missing,
    /// Not an amount of 1 to 10 digits.
    #[error("is not an amount in fen")]
    NotFen,
    /// Not a count.
    #[error("is not a count")]
    NotCount,
    /// Not a time of its form.
    #[error("is not a Beijing time")]
    NotTime,
    /// Neither `SUCCESS` nor `FAIL`.
    #[error("is neither SUCCESS nor FAIL")]
    NotResult,
    /// Well formed, but it names something else than what was asked for.
    #[error("does not match the request")]
    Mismatch,
}

/// 1 to 10 ASCII digits as an amount.
fn parse_fen(text: &str) -> Option<Fen> {
    let digits = (1..=MAX_FEN_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok().map(Fen::new) } else { None }
}
