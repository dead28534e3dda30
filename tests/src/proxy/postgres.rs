//! As much of Postgres as losing the answer to a COMMIT needs.
//!
//! Source: Postgres documentation, "Message Formats": after the start, a message is a byte that says its type, and four bytes
//! with its length, themselves included; texts end in a zero byte.

use std::collections::HashMap;

use super::{
    faults::{Fault, Faults},
    lens::Seen,
};

/// Codes of what a client may send before the start proper; each has one byte or no answer.
const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// Follows one session.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// The beginning of a message of the client's whose end has not come yet.
    asking: Vec<u8>,
    /// And of the server's.
    answering: Vec<u8>,
    started: bool,
    /// Answers of one byte that are still to come.
    bare_answers: usize,
    /// Texts of prepared statements by their names.
    prepared: HashMap<String, String>,
    /// What was executed since BEGIN; `None` outside a transaction.
    transaction: Option<Vec<String>>,
    /// The armed fault that the commit under way has met.
    met: Option<String>,
    /// That commit is of a statement outside a transaction, which commits when it is done: no word of its own says so.
    alone: bool,
    /// The statement is done. What the server says from then on is withheld until it has committed.
    done: bool,
}

impl Session {
    /// The client speaks: everything is forwarded.
    pub(super) fn asked(&mut self, bytes: &[u8], faults: &Faults) -> Seen {
        self.asking.extend_from_slice(bytes);
        while let Some((message, rest)) = first(&self.asking, self.started) {
            let (message, rest) = (message.to_vec(), rest.to_vec());
            self.asking = rest;
            if self.started {
                self.understand(&message, faults);
            } else {
                self.begin(&message);
            }
        }
        Seen { forward: bytes.to_vec(), cut: false }
    }

    /// The server speaks: whole messages are forwarded, up to the one that says that a doomed commit is done; of a doomed statement
    /// that commits by itself, up to its end.
    pub(super) fn answered(&mut self, bytes: &[u8], faults: &Faults) -> Seen {
        self.answering.extend_from_slice(bytes);
        let mut seen = Seen::default();
        while 0 < self.bare_answers && !self.answering.is_empty() {
            seen.forward.push(self.answering.remove(0));
            self.bare_answers -= 1;
        }
        let mut read = 0;
        while let Some((message, _)) = first(&self.answering[read..], true) {
            if self.met.is_some() && self.alone {
                match message[0] {
                    b'C' => self.done = true,
                    // Ready for the next query: it has committed.
                    b'Z' if self.done => {
                        faults.strike(Fault::LoseCommit);
                        seen.cut = true;
                        return seen;
                    }
                    b'E' => {
                        self.done = false;
                        if let Some(met) = self.met.take() {
                            faults.arm_commit(&met);
                        }
                    }
                    _ => {}
                }
                if self.done {
                    read += message.len();
                    continue;
                }
            } else if self.met.is_some() {
                if message.starts_with(b"C") && message[5..] == *b"COMMIT\0" {
                    faults.strike(Fault::LoseCommit);
                    seen.cut = true;
                    return seen;
                }
                // It did not commit: the fault waits for one that does.
                let ended = message.starts_with(b"E") || message.starts_with(b"C");
                if let Some(met) = self.met.take_if(|_| ended) {
                    faults.arm_commit(&met);
                }
            }
            seen.forward.extend_from_slice(message);
            read += message.len();
        }
        self.answering.drain(..read);
        seen
    }

    fn begin(&mut self, message: &[u8]) {
        let code = message.get(4..8).and_then(|code| code.try_into().ok()).map(u32::from_be_bytes);
        match code {
            Some(SSL_REQUEST | GSS_REQUEST) => self.bare_answers += 1,
            _ => self.started = true,
        }
    }

    fn understand(&mut self, message: &[u8], faults: &Faults) {
        let mut texts = message[5..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match message[0] {
            b'Q' => self.execute(text(), faults),
            b'P' => {
                let name = text();
                self.prepared.insert(name, text());
            }
            b'B' => {
                let _portal = text();
                if let Some(prepared) = self.prepared.get(&text()).cloned() {
                    self.execute(prepared, faults);
                }
            }
            _ => {}
        }
    }

    fn execute(&mut self, statement: String, faults: &Faults) {
        let word = statement.split(|c: char| !c.is_ascii_alphabetic()).find(|word| !word.is_empty());
        match word.unwrap_or_default().to_ascii_uppercase().as_str() {
            "BEGIN" => self.transaction = Some(Vec::new()),
            "COMMIT" => {
                self.alone = false;
                self.met = self.transaction.take().and_then(|statements| faults.takes_commit(&statements));
            }
            "ROLLBACK" if !statement.to_ascii_uppercase().contains(" TO ") => self.transaction = None,
            _ => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.push(statement);
                } else if self.met.is_none() {
                    (self.alone, self.done) = (true, false);
                    self.met = faults.takes_commit(&[statement]);
                }
            }
        }
    }
}

/// The first whole message, and what follows it. Before the start messages have no byte for their type.
fn first(bytes: &[u8], typed: bool) -> Option<(&[u8], &[u8])> {
    let before = usize::from(typed);
    let length = bytes.get(before..before + 4)?.try_into().ok().map(u32::from_be_bytes)?;
    // A length that does not even cover itself would be no message; it must not be an endless loop here.
    bytes.split_at_checked(before + usize::try_from(length).ok()?.max(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, texts: &[&str]) -> Vec<u8> {
        let body: Vec<u8> = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect();
        let length = u32::try_from(body.len() + 4).expect("short").to_be_bytes();
        [&[kind], length.as_slice(), &body].concat()
    }

    fn start() -> Vec<u8> {
        let body = b"user\0me\0\0";
        let length = u32::try_from(body.len() + 8).expect("short").to_be_bytes();
        [length.as_slice(), &196_608_u32.to_be_bytes(), body].concat()
    }

    /// Lets a session of these statements pass in chunks of this size, each answered by its first word; the answers that came
    /// through, and whether it was cut.
    fn answers(messages: &[Vec<u8>], chunk: usize, faults: &Faults) -> (Vec<String>, bool) {
        let mut session = Session::default();
        let mut heard = Vec::new();
        for sent in messages {
            for bytes in sent.chunks(chunk) {
                assert_eq!(session.asked(bytes, faults).forward, bytes, "the server hears everything");
            }
            let Some(tag) = tag(sent) else { continue };
            for bytes in message(b'C', &[&tag]).chunks(chunk) {
                let seen = session.answered(bytes, faults);
                if seen.cut {
                    assert!(seen.forward.is_empty());
                    return (heard, true);
                }
                if !seen.forward.is_empty() {
                    heard.push(tag.clone());
                }
            }
        }
        (heard, false)
    }

    /// How a server ends the statement of a simple query, or of a Bind, here.
    fn tag(sent: &[u8]) -> Option<String> {
        match sent[0] {
            b'Q' => String::from_utf8_lossy(&sent[5..sent.len() - 1]).split(' ').next().map(str::to_owned),
            b'B' => Some("INSERT".to_owned()),
            _ => None,
        }
    }

    fn session() -> Vec<Vec<u8>> {
        vec![
            start(),
            message(b'P', &["s1", "INSERT INTO orders (a) VALUES ($1)"]),
            message(b'P', &["s2", "INSERT INTO outbox (a) VALUES ($1)"]),
            message(b'Q', &["BEGIN"]),
            message(b'B', &["", "s2"]),
            message(b'Q', &["COMMIT"]),
            message(b'Q', &["BEGIN"]),
            message(b'B', &["", "s1"]),
            message(b'Q', &["ROLLBACK"]),
            message(b'Q', &["BEGIN"]),
            message(b'B', &["", "s1"]),
            message(b'Q', &["COMMIT"]),
        ]
    }

    #[test]
    fn the_answer_to_the_commit_of_the_named_statement_is_cut_off_and_no_other() {
        for chunk in [1, 2, 5, 7, 1000] {
            let faults = Faults::default();
            let (heard, cut) = answers(&session(), chunk, &faults);
            assert_eq!((heard.len(), cut), (9, false), "nothing is armed");
            faults.arm_commit("INSERT INTO orders");
            let (heard, cut) = answers(&session(), chunk, &faults);
            assert_eq!(heard, ["BEGIN", "INSERT", "COMMIT", "BEGIN", "INSERT", "ROLLBACK", "BEGIN", "INSERT"]);
            assert!(cut, "chunks of {chunk}");
            assert_eq!(faults.observed(Fault::LoseCommit), 1);
        }
    }

    #[test]
    fn a_commit_that_the_server_refused_is_not_counted_and_the_fault_waits_for_the_next() {
        let faults = Faults::default();
        faults.arm_commit("INSERT INTO orders");
        let mut server = Session::default();
        for sent in session() {
            server.asked(&sent, &faults);
        }
        let refused = message(b'C', &["ROLLBACK"]);
        assert_eq!(server.answered(&refused, &faults), Seen { forward: refused.clone(), cut: false });
        assert_eq!(faults.observed(Fault::LoseCommit), 0);
        assert!(answers(&session(), 1000, &faults).1);
    }
}
