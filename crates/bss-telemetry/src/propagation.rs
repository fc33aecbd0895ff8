//! W3C trace context: `traceparent` into a span and out of it (<https://www.w3.org/TR/trace-context/>).

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes `span` a child of the remote span that `traceparent` names. Call it before the span is entered. False
/// where the text is no valid trace context; the span then begins a trace of its own.
pub fn set_parent(span: &Span, traceparent: &str) -> bool {
    let Some(context) = parse(traceparent) else {
        return false;
    };
    span.set_parent(Context::new().with_remote_span_context(context))
        .is_ok()
}

/// Links `span` to the one that `traceparent` names: for work on many traces at once, such as a batch.
pub fn add_link(span: &Span, traceparent: &str) {
    if let Some(context) = parse(traceparent) {
        span.add_link(context);
    }
}

/// The `traceparent` of `span`, for a header or an event; none where telemetry is off.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let ids = span.span_context();
    ids.is_valid().then(|| {
        format!(
            "00-{}-{}-{:02x}",
            ids.trace_id(),
            ids.span_id(),
            ids.trace_flags().to_u8() & 1
        )
    })
}

/// The `traceparent` of the span that is entered now.
pub fn current_traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// Whether a text is a valid `traceparent`.
pub fn is_valid(traceparent: &str) -> bool {
    parse(traceparent).is_some()
}

fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    // Versions to come may append parts; version 00 has exactly four, and ff is forbidden.
    let whole = version != "ff" && (version != "00" || parts.next().is_none());
    if !(whole && hex(version, 2) && hex(trace_id, 32) && hex(span_id, 16) && hex(flags, 2)) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace_id).ok()?,
        SpanId::from_hex(span_id).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & 1),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn the_context_goes_through_a_span() {
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .build();
        let subscriber = tracing_subscriber::registry().with(crate::setup::trace_layer(&provider, "test"));
        tracing::subscriber::with_default(subscriber, || {
            let incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            let span = tracing::info_span!("request");
            assert!(set_parent(&span, incoming));
            let outgoing = traceparent_of(&span).unwrap();
            assert!(outgoing.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
            assert!(!outgoing.contains("b7ad6b7169203331"), "a span of its own");
            assert_eq!(span.in_scope(current_traceparent), Some(outgoing));

            let fresh = tracing::info_span!("request");
            assert!(!set_parent(&fresh, "rubbish"));
            assert!(is_valid(&traceparent_of(&fresh).unwrap()));
        });
        assert_eq!(current_traceparent(), None, "no telemetry, no context");
    }

    #[test]
    fn only_what_the_standard_allows_is_a_context() {
        let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        for (text, valid) in [
            (format!("00-{ids}-01"), true),
            (format!("00-{ids}-00"), true),
            (format!("cc-{ids}-01-later"), true),
            (format!("00-{ids}-01-later"), false),
            (format!("ff-{ids}-01"), false),
            (format!("00-{}-01", ids.to_uppercase()), false),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), false),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad-01".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_valid(&text), valid, "{text}");
        }
    }
}
