//! Logs on stderr, and traces to an OTLP collector when one is named.

pub(crate) mod ids;
mod json;
mod otlp;
mod stderr;
mod time;

use std::fmt;
use std::io::IsTerminal as _;

use anyhow::{Context as _, anyhow};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};
use url::Url;

/// What is logged, how, and where traces go. Flatten it into a service's settings.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetryArgs {
    /// Form of the log lines on stderr: readable text, JSON, or text on a terminal and JSON otherwise.
    #[arg(long, env, value_enum, default_value_t = LogFormat::Auto)]
    pub log_format: LogFormat,

    /// Which log lines are written, such as `info,order_svc=debug` (the syntax of tracing's `EnvFilter`).
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    pub log_filter: String,

    /// OTLP collector that receives traces (HTTP, protobuf), such as `http://collector:4318`. No traces are sent without it.
    #[arg(long, env)]
    pub otlp_endpoint: Option<Url>,
}

/// Form of the log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// For machines: one object per line.
    Json,
}

/// Sends what is left when it is dropped. Keep it until the process has drained.
#[must_use = "traces are flushed when the guard is dropped"]
pub struct Guard {
    /// `None` where no collector is named.
    provider: Option<SdkTracerProvider>,
}

/// Starts logging, and sending traces, for this process. Call it once, inside the runtime.
///
/// Spans get trace ids even when no collector is named, so that `traceparent` crosses us and log lines can be joined.
///
/// # Errors
/// When the filter or the endpoint cannot be used, or logging was started before.
pub fn init(service_name: &'static str, args: &TelemetryArgs) -> anyhow::Result<Guard> {
    // One global filter. A filter on a single layer misleads sqlx, which asks whether an event is wanted before it makes one.
    let filter = filter(&args.log_filter)?;
    let provider = args.otlp_endpoint.as_ref().map(|endpoint| otlp::provider(service_name, endpoint)).transpose()?;
    tracing_subscriber::registry()
        .with(filter)
        .with(lines(args.log_format)?)
        .with(traces(provider.as_ref()))
        .try_init()
        .map_err(|_| anyhow!("logging was started before"))?;
    Ok(Guard { provider })
}

/// A filter by target and level, unless `text` names spans: `EnvFilter` asks after each span that is entered, made or closed
/// whether it is one of those.
fn filter<S>(text: &str) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let filter =
        EnvFilter::builder().parse(text).with_context(|| format!("RUST_LOG is not a log filter: \"{text}\""))?;
    Ok(match by_target(&filter) {
        Some(targets) => targets.boxed(),
        None => filter.boxed(),
    })
}

/// The same filter, if it names targets and levels alone.
fn by_target(filter: &EnvFilter) -> Option<Targets> {
    let understood = filter.to_string();
    if understood.contains('[') { None } else { understood.parse().ok() }
}

/// What gives spans their ids.
fn traces<S>(provider: Option<&SdkTracerProvider>) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    provider.map_or_else(|| ids::Ids.boxed(), |provider| spans(provider).boxed())
}

fn spans<S>(provider: &SdkTracerProvider) -> OpenTelemetryLayer<S, SdkTracer>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // Threads and source lines say nothing about a request; both are dropped. The current span is tracing's, which all of ours
    // ask; OpenTelemetry's own would be set each time that a task is polled.
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("svc-kit"))
        .with_threads(false)
        .with_location(false)
        .with_context_activation(false)
}

fn lines<S>(format: LogFormat) -> anyhow::Result<Box<dyn Layer<S> + Send + Sync>>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let terminal = std::io::stderr().is_terminal();
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let stderr = stderr::Stderr::open().context("cannot write log lines to stderr")?;
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    Ok(if text {
        lines.with_ansi(terminal).boxed()
    } else {
        lines.fmt_fields(json::JsonFields).event_format(json::JsonLines).boxed()
    })
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(provider) = &self.provider else { return };
        if let Err(error) = provider.shutdown_with_timeout(otlp::FLUSH_TIME) {
            tracing::warn!("the last traces were not sent: {error}");
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::OnceLock;

    use clap::Parser;
    use tracing::Level;

    use super::*;

    /// Gives the spans of this test process trace ids. Global, because tracing remembers for each span in the code whether
    /// anybody wants it, and subscribers of single threads would disagree about that.
    pub(crate) fn traced() {
        static INSTALLED: OnceLock<()> = OnceLock::new();
        INSTALLED.get_or_init(|| {
            let subscriber = tracing_subscriber::registry().with(traces(None));
            tracing::subscriber::set_global_default(subscriber).expect("no other test installs one");
            tracing::callsite::rebuild_interest_cache();
        });
    }

    /// Runs `test` with ids that nobody collects, and again with those of spans that are recorded.
    pub(crate) fn traced_both_ways(test: impl Fn()) {
        traced();
        test();
        let provider = SdkTracerProvider::builder().build();
        let subscriber = tracing_subscriber::registry().with(traces(Some(&provider)));
        tracing::subscriber::with_default(subscriber, test);
    }

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        telemetry: TelemetryArgs,
    }

    #[test]
    fn formats_and_endpoints_that_do_not_exist_are_refused() {
        let parse = |arguments: &[&str]| Settings::try_parse_from([&["order-svc"], arguments].concat());
        assert_eq!(parse(&["--log-format", "json"]).expect("fine").telemetry.log_format, LogFormat::Json);
        assert!(parse(&["--log-format", "xml"]).is_err());
        assert!(parse(&["--otlp-endpoint", "not a url"]).is_err());
    }

    #[test]
    fn a_filter_that_names_no_spans_asks_after_none() {
        let read = |text: &str| by_target(&EnvFilter::builder().parse(text).expect("a filter"));
        let targets = read("info,,order_svc=debug,sqlx::query=off,tower").expect("no spans are named");
        for (target, level, wanted) in [
            ("notify_svc", Level::INFO, true),
            ("notify_svc", Level::DEBUG, false),
            ("order_svc::store", Level::DEBUG, true),
            ("order_svc::store", Level::TRACE, false),
            ("sqlx::query", Level::ERROR, false),
            ("tower", Level::TRACE, true),
        ] {
            assert_eq!(targets.would_enable(target, &level), wanted, "{target} {level}");
        }
        let nothing = read("").expect("no spans are named");
        assert!(nothing.would_enable("order_svc", &Level::ERROR) && !nothing.would_enable("order_svc", &Level::WARN));
        for text in ["[callback]=debug", "info,notify_svc[callback{kind=refund}]=trace", "info,[{kind}]=debug"] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_filter_that_cannot_be_read_is_refused_with_its_text() {
        let args =
            TelemetryArgs { log_format: LogFormat::Auto, log_filter: "order_svc=loud".to_owned(), otlp_endpoint: None };
        let error = init("order-svc", &args).expect_err("no such level");
        assert_eq!(error.to_string(), "RUST_LOG is not a log filter: \"order_svc=loud\"");
    }
}
