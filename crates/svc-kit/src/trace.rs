//! W3C trace context (`traceparent`, `tracestate`) across gRPC metadata and bus headers.
//!
//! The context of the current [`tracing::Span`] goes out, and what came in becomes the parent of a span of ours. Both do
//! nothing when no trace layer is installed ([`crate::telemetry::init`] installs one of two), so callers never ask.
//!
//! Source: <https://www.w3.org/TR/trace-context/>.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::metadata::{MetadataKey, MetadataMap, MetadataValue};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::telemetry::ids;

/// The header that carries trace and span ids.
pub const TRACEPARENT: &str = "traceparent";

/// The header that carries what other tracing systems want to find again.
pub const TRACESTATE: &str = "tracestate";

/// Hands the headers of the current span's context to `set`, one call per header; none when there is no trace.
pub fn inject(set: impl FnMut(&'static str, String)) {
    TraceContextPropagator::new().inject_context(&context(&Span::current()), &mut Setter(set));
}

/// Puts the current span's context into outgoing gRPC metadata.
pub fn inject_metadata(metadata: &mut MetadataMap) {
    inject(|name, value| {
        if let Ok(value) = MetadataValue::try_from(value) {
            metadata.insert(MetadataKey::from_static(name), value);
        }
    });
}

/// The current span's `traceparent`, to be kept beside work that is done later; `None` when there is no trace.
pub fn current_traceparent() -> Option<String> {
    let mut traceparent = None;
    inject(|name, value| {
        if name == TRACEPARENT {
            traceparent = Some(value);
        }
    });
    traceparent
}

/// The 32 hex digits of the trace that the current span belongs to, for log lines; `None` when there is no trace.
pub fn current_trace_id() -> Option<String> {
    trace_id(&Span::current())
}

/// The 32 hex digits of the trace that `span` belongs to.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = context(span);
    let span = context.span();
    let ids = span.span_context();
    ids.is_valid().then(|| ids.trace_id().to_string())
}

fn context(span: &Span) -> Context {
    ids::of(span).map_or_else(|| span.context(), |ids| Context::new().with_remote_span_context(ids))
}

/// Makes what came in the parent of `span`. `get` finds a header by its lower-case name. A missing or malformed header is
/// ignored, because a stranger's mistake must not cost us the request. Call it before `span` is entered.
pub fn continue_from<'h>(span: &Span, get: impl Fn(&str) -> Option<&'h str>) {
    let incoming = Incoming { traceparent: get(TRACEPARENT), tracestate: get(TRACESTATE) };
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &incoming);
    let caller = parent.span().span_context().clone();
    if caller.is_valid() && !ids::continue_from(span, &caller) {
        // This fails only when no trace layer is installed, or the span is filtered out; there is nothing to continue then.
        let _ = span.set_parent(parent);
    }
}

/// [`continue_from`] for the headers of an HTTP or gRPC request.
pub fn continue_from_headers(span: &Span, headers: &http::HeaderMap) {
    continue_from(span, |name| headers.get(name).and_then(|value| value.to_str().ok()));
}

struct Setter<F>(F);

impl<F: FnMut(&'static str, String)> Injector for Setter<F> {
    fn set(&mut self, key: &str, value: String) {
        // The propagator also sets an empty `tracestate`, which says nothing.
        match key {
            TRACEPARENT => (self.0)(TRACEPARENT, value),
            TRACESTATE if !value.is_empty() => (self.0)(TRACESTATE, value),
            _ => {}
        }
    }
}

/// The two headers of one request.
struct Incoming<'h> {
    traceparent: Option<&'h str>,
    tracestate: Option<&'h str>,
}

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => self.traceparent,
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::telemetry::tests::{traced, traced_both_ways};

    const INCOMING: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn sent() -> BTreeMap<&'static str, String> {
        let mut headers = BTreeMap::new();
        inject(|name, value| {
            headers.insert(name, value);
        });
        headers
    }

    #[test]
    fn what_came_in_goes_on_with_a_span_of_ours() {
        traced_both_ways(|| {
            let span = tracing::info_span!("request");
            continue_from(&span, |name| match name {
                TRACEPARENT => Some(INCOMING),
                TRACESTATE => Some("vendor=1"),
                _ => None,
            });
            let _entered = span.enter();
            let headers = sent();
            assert_eq!(headers[TRACEPARENT].get(..36), INCOMING.get(..36), "the trace is the same");
            assert_ne!(headers[TRACEPARENT].get(36..52), INCOMING.get(36..52), "the span is ours");
            assert_eq!(headers[TRACEPARENT].get(52..), Some("-01"), "the caller's choice to sample is kept");
            assert_eq!(headers[TRACESTATE], "vendor=1");
            assert_eq!(current_trace_id().as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
            assert_eq!(current_traceparent(), Some(headers[TRACEPARENT].clone()));
        });
    }

    #[test]
    fn spans_within_each_other_are_of_one_trace() {
        traced_both_ways(|| {
            let outer = tracing::info_span!("outer");
            continue_from(&outer, |name| (name == TRACEPARENT).then_some(INCOMING));
            let (below, beside) =
                outer.in_scope(|| (tracing::info_span!("below"), tracing::info_span!(parent: None, "beside")));
            let deepest = tracing::info_span!(parent: &below, "deepest");
            let [outer, below, beside, deepest] =
                [outer, below, beside, deepest].map(|span| span.in_scope(current_traceparent).expect("a traceparent"));
            for (child, parent) in [(&outer, INCOMING), (&below, &outer), (&deepest, &below)] {
                assert_eq!(child.get(..36), parent.get(..36), "the trace is the same");
                assert_ne!(child.get(36..52), parent.get(36..52), "the span is another");
                assert_eq!(child.get(52..), parent.get(52..), "the choice to sample is the same");
            }
            assert_ne!(beside.get(..36), outer.get(..36), "a span without a parent begins a trace");
        });
    }

    #[test]
    fn ids_that_were_told_do_not_change() {
        traced_both_ways(|| {
            let span = tracing::info_span!("request");
            let told = span.in_scope(current_traceparent);
            continue_from(&span, |name| (name == TRACEPARENT).then_some(INCOMING));
            assert_eq!(span.in_scope(current_traceparent), told);
        });
    }

    #[test]
    fn a_trace_that_begins_here_is_sampled_only_for_a_collector() {
        traced();
        let told = tracing::info_span!("request").in_scope(current_traceparent).expect("a traceparent");
        assert_eq!(told.get(52..), Some("-00"));
    }

    #[test]
    fn metadata_carries_the_context_out_and_in() {
        traced_both_ways(|| {
            let mut metadata = MetadataMap::new();
            tracing::info_span!("caller").in_scope(|| inject_metadata(&mut metadata));
            let sent =
                metadata.get(TRACEPARENT).and_then(|value| value.to_str().ok()).expect("a traceparent").to_owned();
            let span = tracing::info_span!("callee");
            continue_from_headers(&span, &metadata.into_headers());
            assert_eq!(trace_id(&span).as_deref(), sent.get(3..35));
        });
    }

    #[test]
    fn a_malformed_header_is_ignored_and_a_new_trace_begins() {
        traced_both_ways(|| {
            let span = tracing::info_span!("request");
            continue_from(&span, |name| (name == TRACEPARENT).then_some("00-zz-1"));
            let _entered = span.enter();
            assert_eq!(sent()[TRACEPARENT].len(), INCOMING.len());
        });
    }

    #[test]
    fn without_a_span_nothing_is_sent() {
        assert!(sent().is_empty());
        assert_eq!(current_traceparent(), None);
    }
}
