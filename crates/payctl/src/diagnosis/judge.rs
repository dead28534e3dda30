//! Tries the mistakes until the signature in question comes out.

use std::collections::HashSet;

use wechat_pay::v2::SignType;

use super::{KeyText, Mistake, hints, mistake::Part, recipe::Recipe};
use crate::message::{Field, Kind, Message};

/// Most work: fields that are signed, over all tries. A message of 40 fields takes about 8,000 tries; with hundreds of fields
/// not every two mistakes are tried together.
const MOST_WORK: usize = 4_000_000;

/// A message and everything that may have to do with its signature.
#[derive(Clone, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) message: &'a Message,
    /// The keys that count: the one in force, and the one before it.
    pub(crate) keys: &'a [KeyText],
    /// The sign types that count; at least one.
    pub(crate) sign_types: &'a [SignType],
    /// Keys of other accounts.
    pub(crate) others: &'a [KeyText],
    /// Apps that may have opened a cashier, for messages that do not say so.
    pub(crate) app_ids: &'a [String],
}

/// What became of a signature.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// It is right.
    Right {
        sign_type: SignType,
        /// The name of the key.
        key: String,
        /// What was signed, its key masked.
        string: String,
    },
    /// There is none.
    Unsigned,
    /// It is wrong.
    Wrong(Wrong),
}

/// A wrong signature.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    /// What should have been signed, its key masked.
    pub(crate) string: String,
    /// The type with which it should have been.
    pub(crate) sign_type: SignType,
    /// What the signature should be.
    pub(crate) expected: String,
    /// What gives exactly this signature; empty when nothing that we know does.
    pub(crate) causes: Vec<Mistake>,
    /// What was signed by mistake, its key masked.
    pub(crate) signed: Option<String>,
    /// Single mistakes that give the same signature, besides the first.
    pub(crate) alternatives: Vec<Mistake>,
    /// What looks odd and proves nothing, one sentence each.
    pub(crate) hints: Vec<String>,
    /// How many ways of signing were tried.
    pub(crate) tries: usize,
    /// Whether the message is so long that not all of them were.
    pub(crate) cut_short: bool,
}

/// Judges the signature of a message.
pub(crate) fn judge(case: &Case<'_>) -> Verdict {
    let kind = case.message.kind;
    let Some(given) = case.message.sign.as_deref().filter(|sign| !sign.trim().is_empty()) else {
        return Verdict::Unsigned;
    };
    let bases = bases(case);
    let pinned = case.sign_types.first().copied().unwrap_or(SignType::Md5);
    let wanted = Wanted::of(given, kind, case.sign_types);
    let mut search = Search { case, wanted: wanted.hex, tries: 0, work: 0, seen: HashSet::new() };
    let mut causes = None;
    if let Some(sign_type) = wanted.sign_type {
        for key in case.keys {
            for fields in &bases {
                let right = Recipe::right(fields, key.bytes(), sign_type);
                if search.gives(&right) {
                    if wanted.mistakes.is_empty() {
                        return Verdict::Right { sign_type, key: key.name.clone(), string: case.mask(&right.shown()) };
                    }
                    causes = Some(Found { mistakes: Vec::new(), alternatives: Vec::new(), signed: right });
                }
            }
        }
        // The first key is the one in force, and what is wrong is looked for with it.
        if let Some(key) = case.keys.first() {
            causes = causes.or_else(|| search.for_mistakes(&bases, key, sign_type));
        }
    }
    let expected = expected(case, &bases, pinned);
    let found = causes.map(|found| {
        let mistakes: Vec<Mistake> = found.mistakes.into_iter().chain(wanted.mistakes).collect();
        (mistakes, found.alternatives, Some(case.mask(&found.signed.shown())))
    });
    let (causes, alternatives, signed) = found.unwrap_or_default();
    let hints = if causes.is_empty() { hints::of(case, given) } else { Vec::new() };
    let string = case.mask(&expected.shown());
    let expected = expected.signature();
    let expected = if kind.is_lower_hex() { expected.to_ascii_lowercase() } else { expected };
    Verdict::Wrong(Wrong {
        string,
        sign_type: pinned,
        expected,
        causes,
        signed,
        alternatives,
        hints,
        tries: search.tries,
        cut_short: search.is_tired(),
    })
}

impl Case<'_> {
    /// The text without any of the keys.
    pub(super) fn mask(&self, text: &str) -> String {
        self.keys.iter().chain(self.others).fold(text.to_owned(), |text, key| key.mask(&text))
    }
}

/// The fields under the signature: one list, or one for each app that the message may be of.
fn bases(case: &Case<'_>) -> Vec<Vec<Field>> {
    let fields = &case.message.fields;
    if !case.message.kind.lacks_app_id() || fields.iter().any(|(name, _)| name == "appId") || case.app_ids.is_empty() {
        return vec![fields.clone()];
    }
    let with = |app_id: &String| {
        let mut fields = fields.clone();
        fields.insert(0, ("appId".to_owned(), app_id.clone()));
        fields
    };
    case.app_ids.iter().map(with).collect()
}

/// The signature that is looked for.
struct Wanted {
    /// In upper-case hex.
    hex: String,
    /// The type that has as many digits.
    sign_type: Option<SignType>,
    /// What is wrong with it, whatever it is made of.
    mistakes: Vec<Mistake>,
}

impl Wanted {
    fn of(given: &str, kind: Kind, pinned: &[SignType]) -> Wanted {
        let hex = given.trim();
        let sign_type = SignType::ALL.into_iter().find(|sign_type| sign_type.hex_len() == hex.len());
        let mut mistakes = Vec::new();
        if let Some(sign_type) = sign_type.filter(|sign_type| !pinned.contains(sign_type)) {
            mistakes.push(Mistake::OtherType(sign_type));
        }
        let cased = if kind.is_lower_hex() { hex.to_ascii_lowercase() } else { hex.to_ascii_uppercase() };
        if cased != hex {
            mistakes.push(Mistake::LowerHex);
        }
        if hex != given {
            mistakes.push(Mistake::Padded);
        }
        Wanted { hex: hex.to_ascii_uppercase(), sign_type, mistakes }
    }
}

/// The recipe that should have been followed.
fn expected(case: &Case<'_>, bases: &[Vec<Field>], pinned: SignType) -> Recipe {
    let fields = bases.first().map(Vec::as_slice).unwrap_or_default();
    Recipe::right(fields, case.keys.first().map(KeyText::bytes).unwrap_or_default(), pinned)
}

/// What gives the signature.
struct Found {
    mistakes: Vec<Mistake>,
    alternatives: Vec<Mistake>,
    signed: Recipe,
}

struct Search<'a> {
    case: &'a Case<'a>,
    wanted: String,
    tries: usize,
    work: usize,
    /// What was signed already with a single mistake, and with which key: no two mistakes are tried that come to the same.
    seen: HashSet<(Vec<u8>, Vec<u8>)>,
}

impl Search<'_> {
    fn gives(&mut self, recipe: &Recipe) -> bool {
        self.tries += 1;
        self.work += recipe.fields.len();
        recipe.signature() == self.wanted
    }

    fn is_tired(&self) -> bool {
        MOST_WORK <= self.work
    }

    /// Each mistake alone, then two together.
    fn for_mistakes(&mut self, bases: &[Vec<Field>], key: &KeyText, sign_type: SignType) -> Option<Found> {
        let mut left = Vec::new();
        for fields in bases {
            let right = Recipe::right(fields, key.bytes(), sign_type);
            self.seen.clear();
            self.seen.insert((right.bytes(), right.key.clone()));
            let possible = Mistake::possible(fields, self.case.message.kind.sign_type_name(), self.case.others);
            let mut telling = Vec::new();
            let mut found: Option<Found> = None;
            for mistake in possible {
                if self.is_tired() {
                    return found;
                }
                let spoiled = spoiled(&right, &[&mistake], key);
                if let Some(found) = &mut found {
                    if self.gives(&spoiled) {
                        found.alternatives.push(mistake);
                    }
                } else if self.gives(&spoiled) {
                    found = Some(Found { mistakes: vec![mistake], alternatives: Vec::new(), signed: spoiled });
                } else if self.is_new(&spoiled, &right) {
                    telling.push(mistake);
                }
            }
            if found.is_some() {
                return found;
            }
            left.push((right, telling));
        }
        left.iter().find_map(|(right, mistakes)| self.for_two(right, mistakes, key))
    }

    /// Whether it comes to something else than every mistake before it. A hash of another kind always does.
    fn is_new(&mut self, spoiled: &Recipe, right: &Recipe) -> bool {
        self.seen.insert((spoiled.bytes(), spoiled.key.clone())) || spoiled.hash != right.hash
    }

    fn for_two(&mut self, right: &Recipe, mistakes: &[Mistake], key: &KeyText) -> Option<Found> {
        for (at, first) in mistakes.iter().enumerate() {
            for second in &mistakes[at + 1..] {
                if first.part() == second.part() && first.part() != Part::Field {
                    continue;
                }
                if self.is_tired() {
                    return None;
                }
                // What takes a field away comes last: the other may have something to change in it.
                let spoiled = spoiled(right, &[first, second], key);
                if self.gives(&spoiled) {
                    let mistakes = vec![first.clone(), second.clone()];
                    return Some(Found { mistakes, alternatives: Vec::new(), signed: spoiled });
                }
            }
        }
        None
    }
}

fn spoiled(right: &Recipe, mistakes: &[&Mistake], key: &KeyText) -> Recipe {
    let mut recipe = right.clone();
    for mistake in mistakes {
        mistake.apply(&mut recipe, key);
    }
    recipe
}
