//! How lines of the log are written.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::metric;

/// Writes metrics as they are, since whoever reads them off the log wants their members at the top,
/// and everything else as `F` does.
#[derive(Debug)]
pub(super) struct Lines<F>(pub(super) F);

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if event.metadata().target() != metric::TARGET {
            return self.0.format_event(context, writer, event);
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        writeln!(writer, "{}", line.0)
    }
}

/// The one field of a metric's event.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == metric::FIELD {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;
    use serde_json::Value;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::metric::Metric;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_metric_is_a_line_of_its_own_form_among_the_others() {
        let log = Log::default();
        let lines = tracing_subscriber::fmt().json().with_ansi(false).map_event_format(Lines);
        let lines = lines.with_writer(log.clone()).finish();
        let at = Timestamp::UNIX_EPOCH;
        let metric = Metric::DeadLetters { origin: "wakes" };
        tracing::subscriber::with_default(lines, || {
            tracing::info!(emf = "not a metric", "before");
            metric::count(&metric, 2, at);
            tracing::info!("after");
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let read: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read.len(), 3);
        assert_eq!(read[0]["fields"]["emf"], "not a metric");
        assert_eq!(read[1], metric::line(metric, 2, at));
        assert_eq!(read[2]["fields"]["message"], "after");
    }
}
