//! Numbers from bytes, exactly: only texts that no other text of the same number equals are taken.

/// Most digits that surely fit.
const MAX_DIGITS: usize = 38;

/// Digits without a leading zero. Two texts are the same exactly when their numbers are.
pub(super) fn digits(text: &[u8]) -> Option<u128> {
    if text.len() > MAX_DIGITS || matches!(text, [] | [b'0', ..]) {
        return None;
    }
    let (eights, rest) = text.as_chunks::<8>();
    let mut number = 0_u128;
    for eight in eights {
        number = number * 100_000_000 + u128::from(eight_digits(*eight)?);
    }
    for digit in rest {
        number = number * 10 + u128::from(digit_of(*digit)?);
    }
    Some(number)
}

/// Whether it is digits alone, and at least one.
pub(super) fn are_digits(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    !text.is_empty() && eights.iter().all(|eight| are_eight_digits(*eight)) && rest.iter().all(u8::is_ascii_digit)
}

/// Exactly 32 hex digits in lower case: the numbers that we give out. Two texts are the same exactly when their numbers are.
pub(super) fn hex(text: &[u8]) -> Option<u128> {
    let text: &[u8; 32] = text.try_into().ok()?;
    let (eights, _) = text.as_chunks::<8>();
    eights.iter().try_fold(0, |number, eight| Some(number << 32 | u128::from(eight_hex(*eight)?)))
}

/// Not negative, at most nine digits, in the smallest unit.
pub(super) fn fen(text: &[u8]) -> Option<u32> {
    if text.is_empty() || 9 < text.len() {
        return None;
    }
    let mut fen = 0;
    for digit in text {
        fen = fen * 10 + digit_of(*digit)?;
    }
    Some(fen)
}

/// Yuan with at most two decimals, as [`money::Fen::parse_yuan`] reads them; at most seven digits before the point.
pub(super) fn yuan(text: &[u8]) -> Option<u32> {
    match text {
        // Most amounts of a row are nothing.
        b"0.00" => Some(0),
        // Almost all others; what is not here is not needed.
        [whole @ .., b'.', tens, ones] if whole.len() < 8 => {
            Some(fen(whole)? * 100 + digit_of(*tens)? * 10 + digit_of(*ones)?)
        }
        _ => None,
    }
}

/// Whether it is yuan with two decimals that [`money::Fen::parse_yuan`] reads, however much: at most fifteen digits before the point.
pub(super) fn is_yuan(text: &[u8]) -> bool {
    let size = text.strip_prefix(b"-").unwrap_or(text);
    let Some((whole, [b'.', tens, ones])) = size.split_last_chunk() else { return false };
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    (1..=15).contains(&whole.len()) && whole.iter().all(is_digit) && is_digit(tens) && is_digit(ones)
}

/// Yuan with exactly five decimals in thousandths of a fen, as [`money::MilliFen::parse_yuan`] reads them; at most five digits
/// before the point.
pub(super) fn milli_fen(text: &[u8]) -> Option<i64> {
    let (sign, size) = match text {
        [b'-', size @ ..] => (-1, size),
        size => (1, size),
    };
    let (whole, fraction) = size.split_at_checked(size.len().checked_sub(6)?)?;
    let fraction = fraction.strip_prefix(b".")?;
    if 5 < whole.len() {
        return None;
    }
    Some(sign * (i64::from(fen(whole)?) * 100_000 + i64::from(fen(fraction)?)))
}

/// The value of a digit.
pub(super) fn digit_of(byte: u8) -> Option<u32> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(u32::from(value))
}

/// Eight times the digit zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

fn are_eight_digits(text: [u8; 8]) -> bool {
    const NIBBLES: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const SIXES: u64 = 0x0606_0606_0606_0606;
    let word = u64::from_le_bytes(text);
    // A digit has 3 as its upper half, also after six is added, which takes the characters behind `9` to 4.
    word & NIBBLES == ZEROS && word.wrapping_add(SIXES) & NIBBLES == ZEROS
}

/// Eight digits at once: pairs, then fours, then the eight are put together by multiplication.
fn eight_digits(text: [u8; 8]) -> Option<u32> {
    if !are_eight_digits(text) {
        return None;
    }
    let ones = u64::from_le_bytes(text) - ZEROS;
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    let eight = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff;
    u32::try_from(eight).ok()
}

/// Eight hex digits in lower case at once.
fn eight_hex(text: [u8; 8]) -> Option<u32> {
    const LOW: u64 = 0x0f0f_0f0f_0f0f_0f0f;
    let word = u64::from_be_bytes(text);
    // One in each byte that seems to be a letter: they have a bit that digits lack.
    let letters = (word >> 6) & 0x0101_0101_0101_0101;
    let values = (word & LOW) + letters * 9;
    // Digits are up to 9 and letters from 10 on; printed again they are what was read.
    let is_letter = (((values & LOW) + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let again = values + 0x3030_3030_3030_3030 + letters * 39;
    if values & !LOW != 0 || is_letter != letters || again != word {
        return None;
    }
    let pairs = (values >> 4 | values) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs >> 8 | pairs) & 0x0000_ffff_0000_ffff;
    u32::try_from((fours >> 16 | fours) & 0xffff_ffff).ok()
}

#[cfg(test)]
mod tests {
    use money::{Fen, MilliFen};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_another_text_could_mean_are_not_taken() {
        assert_eq!(digits(b"4200002026202611290123456789"), Some(4_200_002_026_202_611_290_123_456_789));
        assert_eq!(digits(&[b'9'; 38]), Some(99_999_999_999_999_999_999_999_999_999_999_999_999));
        for text in ["", "0", "01", "1 ", "+1", "12345678/", "1234567:", "x2345678", &"9".repeat(39)] {
            assert_eq!(digits(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(hex(b"0198f0c2d3e47a5b8c9d0e1f2a3b4c5d"), Some(0x0198_f0c2_d3e4_7a5b_8c9d_0e1f_2a3b_4c5d));
        for text in [
            "",
            "0198F0C2d3e47a5b8c9d0e1f2a3b4c5d",
            "0198f0c2d3e47a5b8c9d0e1f2a3b4c5",
            "g198f0c2d3e47a5b8c9d0e1f2a3b4c5d",
        ] {
            assert_eq!(hex(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_the_same_number(text in "-?[0-9.]{0,12}|[0-9]{1,7}[.][0-9]{2}|-?[0-9]{1,5}[.][0-9]{5}|.{0,9}") {
            if let Some(found) = yuan(text.as_bytes()) {
                prop_assert_eq!(Fen::parse_yuan(&text), Ok(Fen::new(i64::from(found))));
            }
            prop_assert!(!is_yuan(text.as_bytes()) || Fen::parse_yuan(&text).is_ok());
            if let Some(found) = milli_fen(text.as_bytes()) {
                prop_assert_eq!(MilliFen::parse_yuan(&text), Ok(MilliFen::new(found)));
            }
        }

        #[test]
        fn usual_amounts_are_taken(fen in 0..999_999_999_u32, milli in -999_999_999_i64..999_999_999) {
            prop_assert_eq!(yuan(Fen::new(i64::from(fen)).to_yuan().as_bytes()), Some(fen));
            prop_assert!(is_yuan(Fen::new(-i64::from(fen) * 1_000_000).to_yuan().as_bytes()));
            prop_assert_eq!(milli_fen(MilliFen::new(milli).to_yuan().as_bytes()), Some(milli));
            prop_assert_eq!(super::fen(fen.to_string().as_bytes()), Some(fen));
        }

        #[test]
        fn eight_bytes_are_hex_exactly_when_each_is(
            text in prop::array::uniform8(prop::sample::select(&b"0189abcdef/:@`gAFG\x10\x80\xb0\xe1"[..])),
            usual in "[0-9a-f]{8}",
        ) {
            let is_hex = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            prop_assert_eq!(eight_hex(text).is_some(), is_hex);
            let eight = usual.as_bytes().try_into().expect("eight");
            prop_assert_eq!(eight_hex(eight), u32::from_str_radix(&usual, 16).ok());
        }

        #[test]
        fn digits_alone_are_seen_as_such(text in "[0-9]{0,20}|[0-9/:]{0,20}|[0-9]{8,20}.[0-9]{0,8}") {
            let are = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            prop_assert_eq!(are_digits(text.as_bytes()), are);
        }

        #[test]
        fn digits_and_hex_are_those_of_the_number(number: u128) {
            let text = number.to_string();
            prop_assert_eq!(digits(text.as_bytes()), Some(number).filter(|_| text.len() <= MAX_DIGITS && number != 0));
            prop_assert_eq!(hex(format!("{number:032x}").as_bytes()), Some(number));
        }
    }
}
