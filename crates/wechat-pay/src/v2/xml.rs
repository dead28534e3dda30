//! Flat XML, read as hostile input and written so that any parser reads it back.
//!
//! A message is one root with one level of children that hold text. Whatever else XML can do is refused, because two
//! readers that understand a message differently are how a signature check is passed by.

mod plain;

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

pub use super::fields::Fields;
use super::fields::beginning;

/// Largest message that is read. Answers of the largest calls stay far below; notices have a smaller cap of their own.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Most fields one message may have: the longest refund query needs a few hundred. Notices have a smaller cap of their own.
pub const MAX_FIELDS: usize = 2048;

/// Deepest nesting inside a field that is left out; WeChat's has two levels.
pub const MAX_DEPTH: u8 = 8;

/// Longest name of a field. WeChat's own stay below 32.
const MAX_NAME_BYTES: usize = 64;

/// Reads one message whose root element must be `root` (`xml`, and `root` inside a refund notice).
///
/// The text of a field is its characters, CDATA sections and resolved references, put together; comments and
/// processing instructions inside it add nothing. Nothing is trimmed.
///
/// # Errors
/// [`XmlError`]; its variants say what was refused, never what the message contained.
pub fn parse(root: &str, bytes: &[u8]) -> Result<Fields, XmlError> {
    parse_at_most(root, bytes, MAX_FIELDS)
}

/// As [`parse`], with a cap of its own on the number of fields, for messages that strangers can send.
///
/// # Errors
/// [`XmlError`]; its variants say what was refused, never what the message contained.
pub fn parse_at_most(root: &str, bytes: &[u8], fields: usize) -> Result<Fields, XmlError> {
    read(root, bytes, fields, None)
}

/// As [`parse`], but the field `nesting` may hold elements, at most [`MAX_DEPTH`] deep; what is in it is left out, and its value is
/// empty. For unsigned lookups alone: a signature would be over another text than the one that was read.
///
/// # Errors
/// [`XmlError`]; its variants say what was refused, never what the message contained.
pub fn parse_leaving_out(root: &str, bytes: &[u8], nesting: &str) -> Result<Fields, XmlError> {
    read(root, bytes, MAX_FIELDS, Some(nesting))
}

fn read(root: &str, bytes: &[u8], fields: usize, nesting: Option<&str>) -> Result<Fields, XmlError> {
    if MAX_BYTES < bytes.len() {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !is_xml_text(text) {
        return Err(XmlError::Malformed);
    }
    // With something to leave out, the form is not the plain one.
    if nesting.is_none()
        && let Some(plain) = plain::read(root, text, fields)
    {
        return Ok(plain.read);
    }
    read_any(root, text, fields, nesting)
}

/// Reads whatever form a message may have. The text is known to be characters that XML can carry.
fn read_any(root: &str, text: &str, fields: usize, nesting: Option<&str>) -> Result<Fields, XmlError> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().enable_all_checks(true);
    let mut place = Place::BeforeRoot;
    let mut fields = FieldsSoFar::new(fields, text.len());
    loop {
        let event = reader.read_event().map_err(|_| XmlError::Malformed)?;
        place = match (event, place) {
            (Event::DocType(_), _) => return Err(XmlError::Doctype),
            (Event::Comment(_) | Event::PI(_), place)
            | (Event::Text(_) | Event::CData(_), place @ Place::LeftOut(_)) => place,
            (Event::Decl(declaration), Place::BeforeRoot) => {
                check_declaration(&declaration)?;
                Place::BeforeRoot
            }
            (Event::Start(start), Place::BeforeRoot) => {
                check_root(root, &start)?;
                Place::InRoot
            }
            (Event::Empty(start), Place::BeforeRoot) => {
                check_root(root, &start)?;
                Place::AfterRoot
            }
            (Event::Start(start), Place::InRoot) => {
                check_attributes(&start)?;
                let name = fields.begin(start.name().as_ref())?;
                if nesting == Some(name) { Place::LeftOut(0) } else { Place::InField }
            }
            (Event::Start(start), Place::LeftOut(depth)) => {
                check_attributes(&start)?;
                if depth == MAX_DEPTH {
                    return Err(XmlError::Nested);
                }
                Place::LeftOut(depth + 1)
            }
            (Event::Empty(start), place @ Place::LeftOut(_)) => {
                check_attributes(&start)?;
                place
            }
            (Event::GeneralRef(reference), place @ Place::LeftOut(_)) => {
                resolve(&reference)?;
                place
            }
            (Event::End(_), Place::InField | Place::LeftOut(0)) => Place::InRoot,
            (Event::End(_), Place::LeftOut(depth)) => Place::LeftOut(depth - 1),
            (Event::Empty(start), Place::InRoot) => {
                check_attributes(&start)?;
                fields.begin(start.name().as_ref())?;
                Place::InRoot
            }
            (Event::Text(text), Place::InField) => {
                fields.read.add_to_last(&text);
                Place::InField
            }
            (Event::CData(text), Place::InField) => {
                fields.read.add_to_last(&text);
                Place::InField
            }
            (Event::GeneralRef(reference), Place::InField) => {
                fields.read.add_to_last(resolve(&reference)?.encode_utf8(&mut [0; 4]));
                Place::InField
            }
            (Event::Text(text), place) if text.bytes().all(|byte| byte.is_ascii_whitespace()) => place,
            (Event::End(_), Place::InRoot) => Place::AfterRoot,
            (Event::Start(_) | Event::Empty(_), Place::InField) => return Err(XmlError::Nested),
            (Event::Start(_) | Event::Empty(_), Place::AfterRoot) => return Err(XmlError::Root),
            (Event::Eof, Place::AfterRoot) => return Ok(fields.read),
            _ => return Err(XmlError::Malformed),
        };
    }
}

/// Writes one message with root element `root`, every value in CDATA.
///
/// Characters that XML cannot carry at all (most control characters) are the caller's to refuse; see
/// [`limits`](super::limits).
pub fn write(root: &str, fields: &Fields) -> String {
    let mut text =
        String::with_capacity(64 + fields.iter().map(|(name, value)| 2 * name.len() + value.len() + 17).sum::<usize>());
    open(&mut text, root);
    for (name, value) in fields.iter() {
        open(&mut text, name);
        text.push_str("<![CDATA[");
        // "]]>" would end the section, and parsers turn a bare carriage return into a line feed.
        text.push_str(&value.replace("]]>", "]]]]><![CDATA[>").replace('\r', "]]>&#13;<![CDATA["));
        text.push_str("]]>");
        close(&mut text, name);
    }
    close(&mut text, root);
    text
}

/// Why a text is not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More than [`MAX_BYTES`].
    #[error("message is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not UTF-8, or declared to be something else.
    #[error("message is not UTF-8")]
    Encoding,
    /// A DOCTYPE, and with it entity declarations.
    #[error("message has a DOCTYPE")]
    Doctype,
    /// Another root element than expected, or a second one.
    #[error("message has a foreign root element")]
    Root,
    /// An element inside a field.
    #[error("message has an element inside a field")]
    Nested,
    /// One name twice.
    #[error("message has a field twice")]
    Duplicate,
    /// More than [`MAX_FIELDS`], or than this kind of message may have.
    #[error("message has too many fields")]
    TooManyFields,
    /// Not well-formed, cut off, text between fields, or a reference to an entity that XML does not predefine.
    #[error("message is not well-formed XML")]
    Malformed,
}

/// Where in the message the reader stands.
#[derive(Clone, Copy)]
enum Place {
    BeforeRoot,
    InRoot,
    /// Inside the last field.
    InField,
    /// Inside the last field, whose content is left out, so many elements deep.
    LeftOut(u8),
    AfterRoot,
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(encoding)) if encoding.eq_ignore_ascii_case("utf-8") || encoding.eq_ignore_ascii_case("utf8") => Ok(()),
        Some(Ok(_)) => Err(XmlError::Encoding),
        Some(Err(_)) => Err(XmlError::Malformed),
    }
}

fn check_root(root: &str, start: &BytesStart<'_>) -> Result<(), XmlError> {
    check_attributes(start)?;
    if start.name().as_ref() == root { Ok(()) } else { Err(XmlError::Root) }
}

/// What was read until now. Whoever sends a message decides how many fields there are, and nothing is known about the sender
/// before the signature is checked, so a name is looked for among the earlier ones by bisection.
struct FieldsSoFar {
    read: Fields,
    /// The beginnings of the names and their places in `read`, in the order of the names.
    by_name: Vec<(u64, u16)>,
    most: usize,
}

// Every place has a number.
const _: () = assert!(MAX_FIELDS <= 1 << u16::BITS);

impl FieldsSoFar {
    /// At most `most`, from a message of so many bytes.
    fn new(most: usize, bytes: usize) -> FieldsSoFar {
        // Room for a usual message: growing would move everything several times.
        let usual = most.min(32);
        FieldsSoFar {
            read: Fields::with_room(usual, bytes),
            by_name: Vec::with_capacity(usual),
            most: most.min(MAX_FIELDS),
        }
    }

    /// Begins a field, whose value is empty as yet, and returns its name.
    fn begin(&mut self, name: &str) -> Result<&str, XmlError> {
        if self.most <= self.read.len() {
            return Err(XmlError::TooManyFields);
        }
        // Names become part of the text that is signed, so nothing that could be read as a separator is a name.
        let plain = name.len() <= MAX_NAME_BYTES
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        if !plain {
            return Err(XmlError::Malformed);
        }
        let begins = beginning(name);
        let found = self.by_name.binary_search_by(|(earlier, at)| {
            earlier.cmp(&begins).then_with(|| self.read.name(usize::from(*at)).cmp(name))
        });
        let Err(place) = found else { return Err(XmlError::Duplicate) };
        let at = u16::try_from(self.read.len()).expect("at most MAX_FIELDS are read");
        self.by_name.insert(place, (begins, at));
        self.read.begin(name);
        Ok(self.read.name(usize::from(at)))
    }
}

/// Attributes carry nothing in this protocol; they only have to be well-formed.
fn check_attributes(start: &BytesStart<'_>) -> Result<(), XmlError> {
    let none = start.attributes_raw().is_empty();
    if none || start.attributes().all(|attribute| attribute.is_ok()) { Ok(()) } else { Err(XmlError::Malformed) }
}

/// The character that a numeric or predefined reference stands for.
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlError> {
    let character = match reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
        Some(character) => character,
        None => match &**reference {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return Err(XmlError::Malformed),
        },
    };
    if is_xml_char(character) { Ok(character) } else { Err(XmlError::Malformed) }
}

/// Whether XML 1.0 can carry the text.
fn is_xml_text(text: &str) -> bool {
    let plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'\x7f');
    // Most texts are ASCII, and of a whole chunk that is found out at once.
    let ascii = text.as_bytes().chunks(64).all(|chunk| chunk.iter().fold(true, |all, byte| all & plain(byte)));
    ascii || text.chars().all(is_xml_char)
}

/// Whether XML 1.0 can carry the character.
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn open(text: &mut String, name: &str) {
    text.push('<');
    text.push_str(name);
    text.push('>');
}

fn close(text: &mut String, name: &str) {
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}
