//! When a certificate ends. Reads just as much of its DER as stands before that.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

const SEQUENCE: u8 = 0x30;
/// The version, which is left out of certificates of version 1.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of the first certificate; `None` when it cannot be read.
///
/// Source: RFC 5280, section 4.1: `Certificate { tbsCertificate { [0] version, serialNumber, signature, issuer,
/// validity { notBefore, notAfter }, … } … }`.
pub(super) fn of_pem(pem: &str) -> Option<Timestamp> {
    let (_, rest) = pem.split_once(BEGIN)?;
    let (base64, _) = rest.split_once(END)?;
    let der = STANDARD.decode(base64.split_whitespace().collect::<String>()).ok()?;
    let (_, certificate, _) = element(&der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, tbs, _) = element(certificate)?;
    let (tag, _, after_first) = element(tbs)?;
    let mut rest = if tag == VERSION { after_first } else { tbs };
    // The serial number, the algorithm, the issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (_, validity, _) = element(rest)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    time(tag, std::str::from_utf8(text).ok()?)
}

/// Tag, content, and what follows. Only tags of one byte, which all of these are.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f)).filter(|(bytes, _)| bytes.len() <= 4)?;
        (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let text = match tag {
        // Two digits of the year: 50 and more are of the last century.
        UTC_TIME => format!("{}{text}", if text < "50" { "20" } else { "19" }),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(TimeZone::UTC.to_zoned(civil).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{GENERALIZED_TIME, UTC_TIME, of_pem, time};

    #[test]
    fn the_development_certificate_ends_in_2120() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/dev/merchants/acme-mini.cert.pem");
        let end = of_pem(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert_eq!(end.to_string().get(..4), Some("2120"));
    }

    #[test]
    fn both_kinds_of_time_are_read() {
        assert_eq!(time(UTC_TIME, "301231235959Z").unwrap().to_string(), "2030-12-31T23:59:59Z");
        assert_eq!(time(UTC_TIME, "991231235959Z").unwrap().to_string(), "1999-12-31T23:59:59Z");
        assert_eq!(time(GENERALIZED_TIME, "21200101000000Z").unwrap().to_string(), "2120-01-01T00:00:00Z");
        assert_eq!(time(0, "21200101000000Z"), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for pem in [
            "",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nMIT/////\n-----END CERTIFICATE-----",
        ] {
            assert_eq!(of_pem(pem), None, "{pem}");
        }
    }
}
