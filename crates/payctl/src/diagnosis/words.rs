//! The mistakes for people: a word to look for, what happened, and what to do.

use super::{KeyForm, Mistake};

/// Most names that one sentence lists.
const MOST_NAMES: usize = 5;

/// One mistake, told.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Told {
    /// One word for it, the same in every release.
    pub(crate) cause: &'static str,
    /// What happened, one sentence.
    pub(crate) says: String,
    /// What to do, one sentence.
    pub(crate) fix: String,
}

impl Mistake {
    /// Tells it.
    pub(crate) fn told(&self) -> Told {
        let (cause, says, fix) = self.key_words().or_else(|| self.field_words()).unwrap_or_else(|| self.plain_words());
        Told { cause, says, fix }
    }

    /// Those about the key and the hash.
    fn key_words(&self) -> Option<(&'static str, String, String)> {
        let (cause, says, fix) = match self {
            Mistake::OtherType(sign_type) => {
                let says = format!("It was signed with {sign_type}, which is not the sign type in force.");
                let fix = "Sign with the type of the order; notices and answers come in the type with which the order was \
                           placed, whatever they say of themselves.";
                return Some(("other-sign-type", says, fix.to_owned()));
            }
            Mistake::OtherKey(other) => {
                let says = format!("It was signed with {}.", other.name);
                let fix =
                    "Sign with the key of the account that mch_id names, or address the account whose message it is.";
                return Some(("other-key", says, fix.to_owned()));
            }
            Mistake::Key(form) => form.words(),
            Mistake::KeyNotAppended => (
                "key-not-appended",
                "The text ended after the last field: &key= and the key were not appended.",
                "Append &key= and the key, for HMAC-SHA256, too.",
            ),
            Mistake::KeyEmpty => (
                "key-empty",
                "The key was empty: the text ended in &key= and nothing.",
                "Look at how the signing program gets its key: its setting is not there.",
            ),
            Mistake::KeyBare => {
                ("key-without-name", "The key was appended without &key= before it.", "Append &key= and then the key.")
            }
            Mistake::KeyWithoutName => (
                "key-without-name",
                "The key was appended after & without key= before it.",
                "Append &key= and then the key.",
            ),
            Mistake::KeyWithoutAmpersand => (
                "key-without-ampersand",
                "The key was appended as key=… without & before it.",
                "Append &key= and then the key.",
            ),
            Mistake::PlainSha256 => (
                "plain-sha256",
                "It is the plain SHA-256 of the text, not HMAC-SHA256.",
                "Use HMAC-SHA256 with the key as its key; the text still ends in &key= and the key.",
            ),
            _ => return None,
        };
        Some((cause, says.to_owned(), fix.to_owned()))
    }

    /// Those that name fields.
    fn field_words(&self) -> Option<(&'static str, String, String)> {
        Some(match self {
            Mistake::SignTypeLeftOut(name) => (
                "sign-type-left-out",
                format!("{name} is in the message and was not signed."),
                format!("Sign {name} like every other field; put it in before signing."),
            ),
            Mistake::SignTypeAdded(name, sign_type) => (
                "sign-type-missing",
                format!("{name}={sign_type} was signed and is not in the message."),
                format!(
                    "Sign exactly the fields that are sent: send {name}, too, or leave it out of the text (an app's invocation \
                         has none)."
                ),
            ),
            Mistake::ZeroDropped(names) => (
                "zero-dropped",
                format!("Fields whose value is 0 were left out: {}.", list(names)),
                "Leave out empty values alone; 0 is a value.".to_owned(),
            ),
            Mistake::Trimmed(names) => (
                "trimmed",
                format!("Blanks around values were taken off before signing: {}.", list(names)),
                "Sign values as they are sent, and send none with blanks around them.".to_owned(),
            ),
            Mistake::Escaped(names) => (
                "escaped",
                format!("Values were signed as XML writes them (&amp; for &): {}.", list(names)),
                "Sign the plain text and escape only while writing the XML; read the XML before checking it."
                    .to_owned(),
            ),
            Mistake::Unescaped(names) => (
                "unescaped",
                format!("XML references in values were resolved once too often before signing: {}.", list(names)),
                "Sign the value as one reading of the XML gives it; inside CDATA &amp; stands for itself.".to_owned(),
            ),
            Mistake::PercentEncoded(names) => (
                "percent-encoded",
                format!("Values were percent-encoded before signing: {}.", list(names)),
                "Sign raw values; encode them only where they become part of a URL.".to_owned(),
            ),
            Mistake::FormEncoded(names) => (
                "form-encoded",
                format!("Values were encoded like a web form (blanks as +) before signing: {}.", list(names)),
                "Sign raw values; a helper that builds query strings is the wrong one here.".to_owned(),
            ),
            Mistake::PercentDecoded(names) => (
                "percent-decoded",
                format!("Values were percent-decoded before signing: {}.", list(names)),
                "Sign values as they are sent, percent signs and all.".to_owned(),
            ),
            Mistake::NamesLower(names) => (
                "names-lower-case",
                format!("Names were signed in small letters: {}.", list(names)),
                "Sign names letter by letter as they are sent; large and small letters differ.".to_owned(),
            ),
            Mistake::Renamed(from, to) => (
                "renamed",
                format!("{from} was signed under the name {to}."),
                format!("Sign it as {from}: the same letters, large and small."),
            ),
            Mistake::Yuan(name) => (
                "yuan",
                format!("{name} was signed in yuan."),
                "Amounts are whole fen everywhere, in the text that is signed, too.".to_owned(),
            ),
            Mistake::FieldDropped(name) if name == "appId" => (
                "field-left-out",
                "appId was not signed.".to_owned(),
                "Sign appId, too: a mini program does not hand it over, but it stands under paySign.".to_owned(),
            ),
            Mistake::FieldDropped(name) => (
                "field-left-out",
                format!("{name} is in the message and was not signed."),
                format!(
                    "Sign every field that has a value, also those that are new to you; or {name} was added after signing: add it \
                         before."
                ),
            ),
            _ => return None,
        })
    }

    /// Those that name nothing.
    fn plain_words(&self) -> (&'static str, String, String) {
        let (cause, says, fix) = match self {
            Mistake::LowerHex => (
                "hex-case",
                "The signature is right but for its letters' case.",
                "Write the hex digits in capital letters (a red packet's in small ones).",
            ),
            Mistake::Padded => {
                ("padded", "The signature has blanks or a line end around it.", "Send the hex digits and nothing else.")
            }
            Mistake::Unsorted => (
                "unsorted",
                "The fields were signed in the order in which they are written, not sorted.",
                "Sort them by the bytes of their names before joining.",
            ),
            Mistake::SortedIgnoringCase => (
                "sorted-ignoring-case",
                "The fields were sorted as if large and small letters were the same.",
                "Sort by the bytes of the names: capital letters come first.",
            ),
            Mistake::SortedPairs => (
                "sorted-pairs",
                "The joined name=value texts were sorted instead of the names.",
                "Sort by names alone, then join: = comes after the digits, so coupon_fee_10=… would come before coupon_fee_1=….",
            ),
            Mistake::EmptyIncluded => {
                ("empty-included", "Fields without a value were signed.", "Leave out every field whose value is empty.")
            }
            Mistake::EmptyAsNull => (
                "empty-as-null",
                "Fields without a value were signed as null.",
                "Leave out every field whose value is empty or absent.",
            ),
            Mistake::EmptySignIncluded => (
                "empty-sign-included",
                "The sign field itself was signed, still empty.",
                "Leave the sign field out of the text, empty or not.",
            ),
            Mistake::CdataIncluded => (
                "cdata-included",
                "Values were signed together with their <![CDATA[…]]>.",
                "Sign the plain text and add CDATA only while writing the XML.",
            ),
            Mistake::Quoted => (
                "quoted",
                "Values were signed in double quotes, as JSON writes them.",
                "Sign the plain text without quotes.",
            ),
            Mistake::BarePrepayId => (
                "package-without-prepay-id",
                "package was signed without its prepay_id= at the beginning.",
                "Sign package=prepay_id=…, as it is handed over.",
            ),
            Mistake::Gbk => ("gbk", "The text was signed in GBK.", "Turn the text into UTF-8 bytes before hashing."),
            Mistake::Latin1 => (
                "latin-1",
                "The text was signed in Latin-1, where every Chinese character is a question mark.",
                "Turn the text into UTF-8 bytes before hashing; in Java name UTF_8, do not take the default.",
            ),
            Mistake::EncodedTwice => (
                "encoded-twice",
                "The text was encoded as UTF-8 twice before signing.",
                "Hash the UTF-8 bytes once; something read them as Latin-1 before.",
            ),
            _ => ("unknown", "It was signed in another way.", "Compare the text that was signed with the one above."),
        };
        (cause, says.to_owned(), fix.to_owned())
    }
}

impl KeyForm {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            KeyForm::WithLineEnd | KeyForm::WithWindowsLineEnd => (
                "key-with-line-end",
                "The key was used with the line end of its file.",
                "Take the line end off when reading the key.",
            ),
            KeyForm::Trimmed => (
                "key-trimmed",
                "The key was used without the blanks that the key file has around it.",
                "Take the blanks out of the key file: a key has 32 characters and no blanks.",
            ),
            KeyForm::HexDecoded => (
                "key-hex-decoded",
                "The key was taken for hex digits and decoded.",
                "Use the key's 32 characters as they are, as text.",
            ),
            KeyForm::Lower => {
                ("key-case", "The key was used in small letters.", "Use the key letter by letter as it was set.")
            }
            KeyForm::Upper => {
                ("key-case", "The key was used in capital letters.", "Use the key letter by letter as it was set.")
            }
        }
    }
}

fn list(names: &[String]) -> String {
    let first: Vec<_> = names.iter().take(MOST_NAMES).map(String::as_str).collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}
