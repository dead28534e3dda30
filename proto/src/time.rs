//! Instants on our wires: `google.protobuf.Timestamp` to and from `jiff::Timestamp`.

use jiff::Timestamp;

/// An instant as it goes on the wire.
pub fn to_wire(instant: Timestamp) -> pbjson_types::Timestamp {
    // jiff gives both parts the sign of the instant; protobuf counts nanoseconds forward.
    let (seconds, nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        pbjson_types::Timestamp { seconds: seconds - 1, nanos: nanos + 1_000_000_000 }
    } else {
        pbjson_types::Timestamp { seconds, nanos }
    }
}

/// An instant from the wire. `None` when it is out of range or its nanoseconds are not below one second.
pub fn from_wire(wire: &pbjson_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&wire.nanos) {
        return None;
    }
    Timestamp::new(wire.seconds, 0).ok()?.checked_add(jiff::SignedDuration::from_nanos(wire.nanos.into())).ok()
}

#[cfg(test)]
mod tests {
    use super::{from_wire, to_wire};

    #[test]
    fn an_instant_survives_the_wire_on_both_sides_of_1970() {
        for text in ["2026-11-21T02:00:00.123456789Z", "1969-12-31T23:59:59.75Z", "1970-01-01T00:00:00Z"] {
            let instant: jiff::Timestamp = text.parse().expect("a valid instant");
            assert_eq!(from_wire(&to_wire(instant)), Some(instant));
        }
    }

    #[test]
    fn nanoseconds_out_of_range_are_refused() {
        assert_eq!(from_wire(&pbjson_types::Timestamp { seconds: 0, nanos: -1 }), None);
    }
}
