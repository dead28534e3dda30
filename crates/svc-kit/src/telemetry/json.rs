//! Log lines for machines: one JSON object per line, with the event's fields at the top level, where a log store indexes them,
//! and the span it happened in.
//!
//! The lines of tracing-subscriber's own JSON, written straight into the line: that one makes a map of each span's fields,
//! prints it, and for each line in the span reads it and prints it again.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use super::time;

/// The fields of most spans take less.
const USUAL_FIELDS_BYTES: usize = 128;

/// Writes lines.
pub(super) struct JsonLines;

/// Writes the fields of a span: `"name":value`, with commas between.
pub(super) struct JsonFields;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        time::write_now(&mut writer)?;
        writer.write_str("\",\"level\":\"")?;
        writer.write_str(event.metadata().level().as_str())?;
        writer.write_char('"')?;
        let mut pairs = Pairs { writer: writer.by_ref(), begun: true, bridged_from: None, result: Ok(()) };
        event.record(&mut pairs);
        let Pairs { bridged_from, result, .. } = pairs;
        result?;
        writer.write_str(",\"target\":")?;
        quoted(&mut writer, bridged_from.as_deref().unwrap_or(event.metadata().target()))?;
        if let Some(span) = event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current()) {
            writer.write_str(",\"span\":{")?;
            let extensions = span.extensions();
            if let Some(fields) = extensions.get::<FormattedFields<JsonFields>>().filter(|fields| !fields.is_empty()) {
                writer.write_str(fields)?;
                writer.write_char(',')?;
            }
            writer.write_str("\"name\":")?;
            quoted(&mut writer, span.name())?;
            writer.write_char('}')?;
        }
        writer.write_str("}\n")
    }
}

impl<'w> FormatFields<'w> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        // What is behind `writer` is an empty string, which would grow several times.
        let mut text = String::with_capacity(USUAL_FIELDS_BYTES);
        let mut pairs = Pairs { writer: Writer::new(&mut text), begun: false, bridged_from: None, result: Ok(()) };
        fields.record(&mut pairs);
        pairs.result?;
        writer.write_str(&text)
    }

    /// A field that is recorded once more is there twice, and the later one counts, as readers of JSON do it.
    fn add_fields(&self, current: &'w mut FormattedFields<Self>, fields: &tracing::span::Record<'_>) -> fmt::Result {
        let begun = !current.is_empty();
        let mut pairs = Pairs { writer: current.as_writer(), begun, bridged_from: None, result: Ok(()) };
        fields.record(&mut pairs);
        pairs.result
    }
}

/// Names and values, one after another.
struct Pairs<'w> {
    writer: Writer<'w>,
    /// Whether there is something before the next pair.
    begun: bool,
    /// The target of a record that came from the `log` crate: its own is `log` for all of them.
    bridged_from: Option<String>,
    result: fmt::Result,
}

impl Pairs<'_> {
    fn pair(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        if self.result.is_ok() {
            self.result = self.try_pair(field, write);
        }
    }

    fn try_pair(&mut self, field: &Field, write: impl FnOnce(&mut Writer<'_>) -> fmt::Result) -> fmt::Result {
        if self.begun {
            self.writer.write_char(',')?;
        }
        self.begun = true;
        quoted(&mut self.writer, field.name())?;
        self.writer.write_char(':')?;
        write(&mut self.writer)
    }
}

impl Visit for Pairs<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            self.bridged_from = Some(value.to_owned());
        }
        self.pair(field, |writer| quoted(writer, value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.pair(field, |writer| {
            writer.write_char('"')?;
            write!(Escaped(writer), "{value:?}")?;
            writer.write_char('"')
        });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.pair(field, |writer| write!(writer, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.pair(field, |writer| write!(writer, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.pair(field, |writer| write!(writer, "{value}"));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no infinity.
        self.pair(
            field,
            |writer| if value.is_finite() { write!(writer, "{value:?}") } else { writer.write_str("null") },
        );
    }
}

fn quoted(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    writer.write_char('"')?;
    Escaped(writer).write_str(text)?;
    writer.write_char('"')
}

/// The inside of a JSON string.
struct Escaped<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
            // What is escaped is ASCII, so a character ends before it and after it.
            let (plain, from) = rest.split_at(at);
            let (special, after) = from.split_at(1);
            self.0.write_str(plain)?;
            match special {
                "\"" => self.0.write_str("\\\"")?,
                "\\" => self.0.write_str("\\\\")?,
                "\n" => self.0.write_str("\\n")?,
                "\r" => self.0.write_str("\\r")?,
                "\t" => self.0.write_str("\\t")?,
                control => write!(self.0, "\\u{:04x}", control.as_bytes()[0])?,
            }
            rest = after;
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::Value;
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::fmt::MakeWriter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        fn lines(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let text = String::from_utf8(bytes).expect("it is text");
            assert!(text.ends_with('\n'), "lines end: {text:?}");
            text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
        }
    }

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Written {
        type Writer = Self;

        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    /// What the same events become in our lines, and in tracing-subscriber's own.
    fn both(log: impl FnOnce()) -> (Vec<Value>, Vec<Value>) {
        let (ours, theirs) = (Written::default(), Written::default());
        let our_layer =
            tracing_subscriber::fmt::layer().with_writer(ours.clone()).fmt_fields(JsonFields).event_format(JsonLines);
        let their_layer = tracing_subscriber::fmt::layer()
            .with_writer(theirs.clone())
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .boxed();
        let subscriber = tracing_subscriber::registry().with(our_layer).with(their_layer);
        tracing::subscriber::with_default(subscriber, log);
        let untimed = |mut line: Value| {
            let time = line.as_object_mut().and_then(|line| line.remove("timestamp")).expect("a time");
            assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{time}");
            line
        };
        (ours.lines().into_iter().map(untimed).collect(), theirs.lines().into_iter().map(untimed).collect())
    }

    #[test]
    fn our_lines_say_what_those_of_tracing_subscriber_say() {
        let (ours, theirs) = both(|| {
            let error = io::Error::other("the disk said \"no\"");
            tracing::warn!(error = &error as &dyn std::error::Error, ok = true, count = -1, of = u64::MAX, "outside");
            tracing::error!(huge = u128::MAX, share = 0.1, tiny = 1e-300, large = 1e300, whole = 1.0, never = f64::NAN);
            let span =
                tracing::info_span!("callback", merchant = %"acme", kind = "pay\"ment", late = tracing::field::Empty);
            span.in_scope(
                || tracing::info!(order.name = ?Some("a\\b"), "微信 {}", "\u{0}\u{1f}\r\n\t\u{8}\u{c}\u{7f}\u{2028}"),
            );
            span.record("late", 5);
            tracing::info!(parent: &span, "in a span that is not entered");
            let _outer = span.enter();
            tracing::info_span!("without fields")
                .in_scope(|| tracing::debug!(name: "named", target: "a::b", r#type = "x"));
        });
        assert_eq!(ours.len(), 5);
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_field_that_is_recorded_again_has_the_later_value() {
        let (ours, theirs) = both(|| {
            let span = tracing::info_span!("callback", attempt = 1);
            span.record("attempt", 2);
            span.in_scope(|| tracing::info!("tried again"));
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours[0]["span"]["attempt"], 2);
    }
}
