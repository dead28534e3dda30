//! `docs/signature-errors.md` says what the tool says.

use super::*;
use crate::diagnosis::KeyForm;

const PAGE: &str = include_str!("../../../../../docs/signature-errors.md");

/// Every mistake with the fields of the page's example.
fn all() -> Vec<Mistake> {
    use Mistake as M;
    let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let other = KeyText::new("the key of acme-tea", Vec::new());
    let mut all = vec![M::OtherType(SignType::Md5), M::OtherKey(other), M::LowerHex, M::Padded];
    all.extend(KeyForm::ALL.map(M::Key));
    all.extend([M::KeyNotAppended, M::KeyEmpty, M::KeyBare, M::KeyWithoutName, M::KeyWithoutAmpersand, M::PlainSha256]);
    all.extend([M::Unsorted, M::SortedIgnoringCase, M::SortedPairs, M::EmptyIncluded, M::EmptyAsNull]);
    all.extend([M::EmptySignIncluded, M::SignTypeLeftOut("sign_type")]);
    all.push(M::SignTypeAdded("sign_type", SignType::HmacSha256));
    all.extend([M::ZeroDropped(names("coupon_count")), M::Trimmed(names("note")), M::Escaped(names("attach link"))]);
    all.extend([M::Unescaped(names("link")), M::CdataIncluded, M::PercentEncoded(names("attach note link"))]);
    all.extend([M::FormEncoded(names("attach note link")), M::PercentDecoded(names("link")), M::Quoted]);
    all.extend([M::NamesLower(names("Zone")), M::Renamed("timeStamp".to_owned(), "timestamp"), M::BarePrepayId]);
    all.extend([M::Gbk, M::Latin1, M::EncodedTwice, M::Yuan("total_fee".to_owned())]);
    all.extend(["attach", "appId"].map(|name| M::FieldDropped(name.to_owned())));
    all
}

#[test]
fn the_page_has_every_cause_in_the_words_of_the_tool() {
    for mistake in all() {
        let told = mistake.told();
        let lines = format!("cause: {}\n  fix: {}\n", told.says, told.fix);
        assert!(PAGE.contains(&lines), "docs/signature-errors.md lacks:\n{lines}");
    }
}

#[test]
fn no_mistake_that_can_be_found_is_missing_here() {
    let here: Vec<_> = all().iter().map(|mistake| mistake.told().cause).collect();
    let fields = [NOTICE.as_slice(), &[("package", "prepay_id=wx2"), ("timeStamp", "1")]].concat();
    for mistake in Mistake::possible(&super::fields(&fields), "sign_type", &[key(OTHER)]) {
        assert!(here.contains(&mistake.told().cause), "{mistake:?}");
        assert_ne!(mistake.told().cause, "unknown", "{mistake:?}");
    }
}
