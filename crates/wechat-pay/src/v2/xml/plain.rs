//! Messages as providers write them: fields one after another, each of plain text or of one CDATA section. Reading such a one
//! takes no more than looking for its brackets.

use super::FieldsSoFar;

/// Reads a message that has nothing but a root, fields of text, and white space between them. `None` is no verdict: what has any
/// other form, or anything wrong with it, is for the reader of everything, and that one alone refuses.
///
/// `text` is characters that XML can carry.
pub(super) fn read(root: &str, text: &str, most: usize) -> Option<FieldsSoFar> {
    let mut fields = FieldsSoFar::new(most, text.len());
    let mut rest = Rest { text, at: 0 };
    rest.pass(b"<")?;
    rest.pass_name(root)?;
    rest.pass(b">")?;
    loop {
        rest.pass_space();
        rest.pass(b"<")?;
        if rest.pass(b"/").is_some() {
            rest.pass_name(root)?;
            rest.pass(b">")?;
            rest.pass_space();
            return (rest.at == text.len()).then_some(fields);
        }
        let name = rest.until(|byte| byte == b'>')?;
        rest.pass(b">")?;
        fields.begin(name).ok()?;
        let value = match rest.pass(b"<![CDATA[") {
            Some(()) => rest.section()?,
            // A reference, or a bracket that closes nothing, ends it as well, and then no end of a field follows.
            None => rest.until(|byte| matches!(byte, b'<' | b'>' | b'&'))?,
        };
        fields.read.add_to_last(value);
        rest.pass(b"</")?;
        rest.pass_name(name)?;
        rest.pass(b">")?;
    }
}

/// What was not read yet. It begins at a character, because only ASCII was looked for.
struct Rest<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Rest<'t> {
    fn bytes(&self) -> &'t [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// Passes what is known when this is compiled: a comparison without a call.
    fn pass<const N: usize>(&mut self, wanted: &[u8; N]) -> Option<()> {
        self.bytes().first_chunk().filter(|found| *found == wanted)?;
        self.at += N;
        Some(())
    }

    fn pass_name(&mut self, name: &str) -> Option<()> {
        self.bytes().strip_prefix(name.as_bytes())?;
        self.at += name.len();
        Some(())
    }

    fn pass_space(&mut self) {
        self.at += self.bytes().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// What stands before the next byte that `ends` it.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Option<&'t str> {
        let length = self.bytes().iter().position(|byte| ends(*byte))?;
        let found = self.text.get(self.at..self.at + length)?;
        self.at += length;
        Some(found)
    }

    /// What stands before the first end of a section, which is passed.
    fn section(&mut self) -> Option<&'t str> {
        let from = self.at;
        loop {
            self.until(|byte| byte == b']')?;
            let to = self.at;
            if self.pass(b"]]>").is_some() {
                return self.text.get(from..to);
            }
            self.at += 1;
        }
    }
}
