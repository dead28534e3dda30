//! Trace ids where no collector takes spans: a span has them from the moment that somebody asks, and most are never asked.

use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use tracing::{Dispatch, Span, Subscriber};
use tracing_subscriber::registry::{LookupSpan as _, SpanRef};
use tracing_subscriber::{Layer, Registry};

/// Says that ids are made here. It does nothing else: what it knows of a span is kept with the span.
#[derive(Debug)]
pub(super) struct Ids;

impl<S: Subscriber> Layer<S> for Ids {}

/// What is kept with a span whose ids were asked for, or whose caller is known.
enum Known {
    /// It has ids.
    Own(SpanContext),
    /// It continues a trace, and has no id of its own yet.
    Caller(SpanContext),
}

/// The ids of `span`; `None` when they are not made here.
pub(crate) fn of(span: &Span) -> Option<SpanContext> {
    span.with_subscriber(|(id, dispatch)| registry(dispatch)?.span(id).map(|span| own(&span))).flatten()
}

/// Makes `caller` the parent of `span`, unless its ids are told already. `false` when they are not made here.
pub(crate) fn continue_from(span: &Span, caller: &SpanContext) -> bool {
    let found = span.with_subscriber(|(id, dispatch)| {
        let span = registry(dispatch)?.span(id)?;
        let mut extensions = span.extensions_mut();
        if !matches!(extensions.get_mut(), Some(Known::Own(_))) {
            extensions.replace(Known::Caller(caller.clone()));
        }
        Some(())
    });
    found.flatten().is_some()
}

fn registry(dispatch: &Dispatch) -> Option<&Registry> {
    dispatch.downcast_ref::<Ids>()?;
    dispatch.downcast_ref()
}

fn own(span: &SpanRef<'_, Registry>) -> SpanContext {
    let caller = match span.extensions().get() {
        Some(Known::Own(ids)) => return ids.clone(),
        Some(Known::Caller(ids)) => Some(ids.clone()),
        None => None,
    };
    let made = next(caller.or_else(|| span.parent().map(|parent| own(&parent))).as_ref());
    let mut extensions = span.extensions_mut();
    // Another thread may have asked in the meantime.
    if let Some(Known::Own(ids)) = extensions.get_mut() {
        return ids.clone();
    }
    extensions.replace(Known::Own(made.clone()));
    made
}

/// A span below `parent`, or the first one of a new trace. Whether it is sampled is the caller's choice; a trace that begins here
/// is not, because nobody would take it.
fn next(parent: Option<&SpanContext>) -> SpanContext {
    let ids = RandomIdGenerator::default();
    let (trace_id, flags, state) = match parent {
        Some(parent) => (parent.trace_id(), parent.trace_flags(), parent.trace_state().clone()),
        None => (ids.new_trace_id(), TraceFlags::NOT_SAMPLED, TraceState::NONE),
    };
    SpanContext::new(trace_id, ids.new_span_id(), flags, false, state)
}
