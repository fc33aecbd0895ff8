//! Setting up logs and traces, once per process.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::line::{Line, NoSpanFields};
use crate::rotation::RotatingFile;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogOutput {
    /// Standard error: data has standard output for itself.
    #[default]
    Stderr,
    /// A file that is rotated by size.
    File(PathBuf),
}

/// What a process says about itself, and to whom.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// The service's name in traces.
    pub service: String,
    /// Which lines: `tracing-subscriber`'s directives, such as `info,bss_store=debug`.
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
    /// Where lines go.
    pub output: LogOutput,
    /// OTLP over gRPC, such as `http://127.0.0.1:4317`; none: traces have ids and are not exported.
    pub otlp_endpoint: Option<String>,
}

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter has a mistake.
    #[error("log filter `{filter}`: {reason}")]
    Filter {
        /// The text as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The log file can't be opened.
    #[error("cannot open the log file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// The exporter refuses its endpoint.
    #[error("OTLP endpoint `{endpoint}`: {reason}")]
    Endpoint {
        /// The text as given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A second call in one process.
    #[error("telemetry is already set up in this process")]
    Twice,
}

/// Keeps the exporter alive; its end sends what waits.
#[derive(Debug)]
pub struct TelemetryGuard {
    provider: SdkTracerProvider,
}

impl TelemetryGuard {
    /// Sends the spans that wait, for two seconds at most: a collector that is away must not hold the end up.
    pub fn shutdown(self) {
        if let Err(error) = self.provider.shutdown_with_timeout(Duration::from_secs(2)) {
            tracing::debug!(%error, "spans were not all exported");
        }
    }
}

/// Sets up logs and traces for this process. With an OTLP endpoint it must run inside a tokio runtime, which the
/// exporter's connection lives on.
pub fn init(config: &TelemetryConfig) -> Result<TelemetryGuard, TelemetryError> {
    let filter = EnvFilter::try_new(&config.filter).map_err(|error| TelemetryError::Filter {
        filter: config.filter.clone(),
        reason: error.to_string(),
    })?;
    let (writer, terminal) = match &config.output {
        LogOutput::Stderr => (BoxMakeWriter::new(io::stderr), io::stderr().is_terminal()),
        LogOutput::File(path) => {
            let file =
                RotatingFile::open(path, RotatingFile::MAX_BYTES, RotatingFile::KEPT).map_err(|source| {
                    TelemetryError::File {
                        path: path.clone(),
                        source,
                    }
                })?;
            (BoxMakeWriter::new(file), false)
        }
    };
    let line = match config.format {
        LogFormat::Human => Line::Human,
        LogFormat::Auto if terminal => Line::Human,
        LogFormat::Auto | LogFormat::Json => Line::Json,
    };
    let provider = tracer_provider(config)?;
    tracing_subscriber::registry()
        .with(trace_layer(&provider, &config.service))
        .with(log_layer(line, writer, terminal).with_filter(filter))
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    log_panics();
    Ok(TelemetryGuard { provider })
}

fn tracer_provider(config: &TelemetryConfig) -> Result<SdkTracerProvider, TelemetryError> {
    let resource = Resource::builder()
        .with_service_name(config.service.clone())
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let builder = SdkTracerProvider::builder().with_resource(resource);
    let Some(endpoint) = &config.otlp_endpoint else {
        // Spans get their ids, for logs and events, and are recorded nowhere.
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .with_timeout(Duration::from_secs(5))
        .build()
        .map_err(|error| TelemetryError::Endpoint {
            endpoint: endpoint.clone(),
            reason: error.to_string(),
        })?;
    // Not by the caller's flag: whoever calls us without recording must not hide our part of the trace.
    Ok(builder
        .with_sampler(Sampler::AlwaysOn)
        .with_batch_exporter(exporter)
        .build())
}

pub(crate) fn trace_layer<S>(provider: &SdkTracerProvider, service: &str) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(service.to_owned()))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(FilterFn::new(of_interest))
}

/// Which spans become part of a trace: none of the exporter's own connection, or it would trace itself.
fn of_interest(metadata: &Metadata<'_>) -> bool {
    const SILENT: [&str; 6] = ["h2", "tonic", "opentelemetry", "hyper", "tower", "reqwest"];
    let target = metadata.target();
    let root = target.split("::").next().unwrap_or(target);
    metadata.is_span()
        && *metadata.level() <= tracing::Level::INFO
        && !SILENT.iter().any(|silent| {
            root.strip_prefix(silent)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
}

pub(crate) fn log_layer<S>(line: Line, writer: BoxMakeWriter, colours: bool) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .fmt_fields(NoSpanFields)
        .event_format(line)
        .with_ansi(colours)
        .with_writer(writer)
}

/// A panic is a log line as well, so that it is found in the file and carries its trace.
fn log_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic
            .payload()
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.payload().downcast_ref::<String>().cloned())
            .unwrap_or_default();
        tracing::error!(place, text, "panic");
        before(panic);
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{SpanData, SpanExporter};
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, Clone, Default)]
    struct Spans(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Spans {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    fn lines(line: Line, provider: &SdkTracerProvider, work: impl FnOnce()) -> Vec<String> {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::registry()
            .with(trace_layer(provider, "test"))
            .with(log_layer(line, BoxMakeWriter::new(move || writer.clone()), false));
        tracing::subscriber::with_default(subscriber, work);
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn unexported() -> SdkTracerProvider {
        SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .build()
    }

    #[test]
    fn every_line_inside_a_span_has_its_trace_id() {
        let lines = lines(Line::Json, &unexported(), || {
            tracing::info!("outside");
            let outer = tracing::info_span!("outer").entered();
            tracing::info!(count = 3, "first");
            tracing::info_span!("inner").in_scope(|| tracing::warn!("second"));
            drop(outer);
            tracing::info_span!("other").in_scope(|| tracing::info!("third"));
        });
        let objects: Vec<Value> = lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert!(objects[0].get("trace_id").is_none(), "{}", lines[0]);
        let trace = |index: usize| objects[index]["trace_id"].as_str().unwrap().to_owned();
        assert_eq!(trace(1).len(), 32);
        assert_eq!(trace(1), trace(2), "one trace");
        assert_ne!(objects[1]["span_id"], objects[2]["span_id"]);
        assert_ne!(trace(1), trace(3), "another trace");
        assert_eq!(
            (objects[1]["count"].as_i64(), &objects[2]["level"]),
            (Some(3), &"WARN".into())
        );
        assert_eq!(objects[2]["span"], "inner");
    }

    #[test]
    fn people_get_a_line_that_reads() {
        let lines = lines(Line::Human, &unexported(), || {
            tracing::info_span!("work")
                .in_scope(|| tracing::info!(part = "database", ready = true, "started"));
        });
        assert!(
            lines[0].contains(" INFO ") && lines[0].contains(": started part=database ready=true trace_id=")
        );
    }

    #[test]
    fn a_field_named_like_ours_is_kept_beside_it() {
        let lines = lines(Line::Json, &unexported(), || tracing::info!(level = "gold", "x"));
        let object: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            (&object["level"], &object["level_"]),
            (&"INFO".into(), &"gold".into())
        );
    }

    #[test]
    fn spans_are_exported_and_the_exporters_own_are_not() {
        let spans = Spans::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(spans.clone())
            .build();
        lines(Line::Json, &provider, || {
            tracing::info_span!("ours").in_scope(|| {
                tracing::info_span!(target: "h2::client", "theirs").in_scope(|| ());
                tracing::info_span!(target: "opentelemetry_sdk", "theirs").in_scope(|| ());
            });
        });
        let names: Vec<String> = spans
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|span| span.name.to_string())
            .collect();
        assert_eq!(names, ["ours"]);
    }

    #[test]
    fn a_wrong_filter_is_named() {
        let config = TelemetryConfig {
            service: "test".to_owned(),
            filter: "info,bss=loud".to_owned(),
            format: LogFormat::Json,
            output: LogOutput::Stderr,
            otlp_endpoint: None,
        };
        let error = init(&config).unwrap_err().to_string();
        assert!(error.contains("bss=loud"), "{error}");
    }
}
