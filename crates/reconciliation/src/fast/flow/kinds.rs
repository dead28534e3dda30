//! 业务类型: the words of the file, and what was counted under each.

use money::Fen;
use wechat_pay::fund_flow::Movement;

use crate::Tally;
use crate::movement_kind::Kind;

/// Most words of one file. WeChat has some twenty.
const MAX_WORDS: usize = 256;

/// Every word so far, by its place.
#[derive(Default)]
pub(super) struct Kinds(Vec<Word>);

struct Word {
    text: String,
    kind: Kind,
    of_trades: Tally,
    of_none: Tally,
}

impl Kinds {
    /// The place of a word. `None` for what is no text, for what holds the end of a value, and for too many.
    pub(super) fn place(&mut self, word: &[u8]) -> Option<usize> {
        if let Some(place) = self.0.iter().position(|known| known.text.as_bytes() == word) {
            return Some(place);
        }
        let text = std::str::from_utf8(word).ok().filter(|text| !text.is_empty() && !text.contains(",`"))?;
        if self.0.len() == MAX_WORDS {
            return None;
        }
        let (text, kind) = (text.to_owned(), Kind::of(text));
        self.0.push(Word { text, kind, of_trades: Tally::default(), of_none: Tally::default() });
        Some(self.0.len() - 1)
    }

    pub(super) fn kind(&self, place: usize) -> Kind {
        self.0[place].kind
    }

    /// Whether there was any fee, counted or not.
    pub(super) fn have_fees(&self) -> bool {
        self.0.iter().any(|word| word.kind.is_fee())
    }

    /// Counts one movement.
    pub(super) fn count(&mut self, place: usize, is_of_trade: bool, amount: i64) -> Option<()> {
        let word = &mut self.0[place];
        let tally = if is_of_trade { &mut word.of_trades } else { &mut word.of_none };
        tally.add(Fen::new(amount)).ok()
    }

    /// Takes one back that was counted as a trade's. Whether it was: of a kind that needs no trade none is.
    pub(super) fn take_back(&mut self, movement: &Movement) -> Option<bool> {
        let word = self.0.iter_mut().find(|word| word.text == movement.kind)?;
        if word.kind == Kind::Ordinary {
            return Some(false);
        }
        word.of_trades.count -= 1;
        word.of_trades.sum = word.of_trades.sum.checked_sub(movement.signed())?;
        Some(true)
    }

    /// Adds what another thread counted.
    pub(super) fn merge(&mut self, other: Kinds) -> Option<()> {
        for word in other.0 {
            let place = self.place(word.text.as_bytes())?;
            let known = &mut self.0[place];
            for (sum, more) in [(&mut known.of_trades, word.of_trades), (&mut known.of_none, word.of_none)] {
                sum.count += more.count;
                sum.sum = sum.sum.checked_add(more.sum)?;
            }
        }
        Some(())
    }

    /// Words, whether what is counted is of trades, and how much it is.
    pub(super) fn counted(self) -> Vec<(String, bool, Tally)> {
        let both = self.0.into_iter().flat_map(|Word { text, of_trades, of_none, .. }| {
            [(text.clone(), true, of_trades), (text, false, of_none)]
        });
        both.filter(|(_, _, tally)| tally.count != 0).collect()
    }
}
