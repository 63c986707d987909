//! Traces over OTLP: what a request, a transaction and a call of the Sui node took, and what belongs together.
//!
//! The exporter reads OpenTelemetry's own variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`,
//! `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and others.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanExporter as Export};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::collector::Told;

const SERVICE: &str = "atoma-daemon";
/// How long the daemon's stop waits for a collector to take the last traces.
const LAST_TRACES: Duration = Duration::from_secs(2);

/// The traces of this process. Dropping it sends those that are still here.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away must not keep the daemon from stopping.
        let _ = self.0.shutdown_with_timeout(LAST_TRACES);
    }
}

/// Sends traces to the collector that the environment names, in the background. Must be called inside a tokio runtime.
///
/// # Errors
/// When a variable has no usable value.
pub(super) fn exported<S>() -> Result<(Traces, impl Layer<S>), ExporterBuildError>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let exporter = SpanExporter::builder().with_tonic().build()?;
    Ok(layer(Told::new(exporter)))
}

fn layer<S>(exporter: impl Export + 'static) -> (Traces, impl Layer<S>)
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let service = std::env::var("OTEL_SERVICE_NAME").ok();
    let service = service.filter(|name| !name.is_empty());
    let resource = Resource::builder_empty()
        .with_service_name(service.unwrap_or_else(|| String::from(SERVICE)))
        .with_attribute(opentelemetry::KeyValue::new(
            "service.version",
            env!("CARGO_PKG_VERSION"),
        ))
        // OTEL_RESOURCE_ATTRIBUTES.
        .with_detector(Box::new(EnvResourceDetector::new()))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(exporter)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SERVICE))
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_traced));
    (Traces(provider), layer)
}

/// The daemon's own spans, and what it logs for operators within them. The exporter's own calls would trace
/// themselves.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    let is_own = metadata.target().starts_with("atoma_");
    is_own && (metadata.is_span() || *metadata.level() <= Level::INFO)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::SpanData;
    use tracing::{debug, debug_span, info, info_span};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    /// Keeps what would be sent.
    #[derive(Clone, Debug, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl Export for Kept {
        async fn export(&self, mut spans: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().append(&mut spans);
            Ok(())
        }
    }

    #[test]
    fn own_spans_are_sent_with_what_operators_read_and_at_the_latest_at_the_end() {
        let kept = Kept::default();
        let (traces, layer) = layer(kept.clone());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            let intent =
                info_span!(target: "atoma_operator", "intent", transaction.id = 7).entered();
            info!(target: "atoma_operator", "submitted");
            debug!(target: "atoma_operator", "a detail");
            drop(debug_span!(target: "atoma_metrics", "sui", otel.name = "sui execute").entered());
            drop(info_span!(target: "h2", "the exporter's own").entered());
            drop(intent);
        });
        drop(traces);
        let sent = kept.0.lock().unwrap();
        let names: Vec<_> = sent.iter().map(|span| span.name.as_ref()).collect();
        assert_eq!(names, ["sui execute", "intent"]);
        assert_eq!(sent[0].parent_span_id, sent[1].span_context.span_id());
        let events = sent[1].events.iter();
        let events: Vec<_> = events.map(|event| event.name.as_ref()).collect();
        assert_eq!(events, ["submitted"]);
    }
}
