//! Metrics, as lines of the log in `CloudWatch`'s Embedded Metric Format: `CloudWatch` reads them off
//! the log, so that nothing is called and nobody waits.

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::info;

use crate::intent::Status;
use crate::intent::event::EventKind;
use crate::intent::record::Recorded;

/// Where the metrics are found.
pub const NAMESPACE: &str = "Holdpoint";
/// The target under which lines are logged. The log's writer puts them out as they are, since the
/// format wants its members at the top.
pub const TARGET: &str = "holdpoint::metric";
/// The field that has the line.
pub const FIELD: &str = "emf";

/// What is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Metric {
    /// Messages that were given up.
    DeadLetters {
        /// Where they were taken from.
        origin: &'static str,
    },
    /// Intents that were sent, or that ended so.
    Intents {
        /// `CREATED`, or the status in which they ended.
        status: &'static str,
    },
    /// Answers of people.
    Decisions {
        /// Whether they let the work go on: `yes` or `no`.
        answer: &'static str,
    },
    /// Looks of the schedule at the timers.
    Sweeps,
    /// How late wake-ups came.
    WakeLateness,
}

impl Metric {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DeadLetters { .. } => "DeadLetters",
            Self::Intents { .. } => "Intents",
            Self::Decisions { .. } => "Decisions",
            Self::Sweeps => "Sweeps",
            Self::WakeLateness => "WakeLateness",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::DeadLetters { .. }
            | Self::Intents { .. }
            | Self::Decisions { .. }
            | Self::Sweeps => "Count",
            Self::WakeLateness => "Milliseconds",
        }
    }

    /// What tells its series apart: few values each, for every one is a series of its own.
    fn dimensions(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::DeadLetters { origin } => vec![("Queue", origin)],
            Self::Intents { status } => vec![("Status", status)],
            Self::Decisions { answer } => vec![("Answer", answer)],
            Self::Sweeps | Self::WakeLateness => vec![],
        }
    }
}

/// Logs that a metric had this value at `at`. It counts for the sum of all and for its own dimensions.
pub fn count(metric: &Metric, value: u64, at: Timestamp) {
    let emf = line(*metric, value, at);
    info!(target: TARGET, emf = %emf);
}

/// Counts what a commit recorded. A commit that is relayed again is counted again.
pub fn happened(records: &[Recorded], now: Timestamp) {
    for metric in records.iter().filter_map(|record| of(&record.event.kind)) {
        count(&metric, 1, now);
    }
}

/// What is counted of an event.
fn of(kind: &EventKind) -> Option<Metric> {
    let ended = |status: Status| Some(Metric::Intents { status: status.name() });
    match kind {
        EventKind::Created { .. } => ended(Status::Created),
        EventKind::Completed { .. } => ended(Status::Completed),
        EventKind::Failed { .. } => ended(Status::Failed),
        EventKind::Canceled { .. } => ended(Status::Canceled),
        EventKind::TimedOut => ended(Status::TimedOut),
        EventKind::Approved { .. } => Some(Metric::Decisions { answer: "yes" }),
        EventKind::Refused { .. } => Some(Metric::Decisions { answer: "no" }),
        EventKind::Submitted
        | EventKind::Offered { .. }
        | EventKind::Acknowledged
        | EventKind::Started { .. }
        | EventKind::Stepped { .. }
        | EventKind::Held { .. }
        | EventKind::TaskAssigned
        | EventKind::Reminded { .. }
        | EventKind::Escalated { .. }
        | EventKind::Reassigned { .. }
        | EventKind::StepBegun { .. }
        | EventKind::StepEnded { .. }
        | EventKind::Notified { .. }
        | EventKind::Checked
        | EventKind::Said { .. }
        | EventKind::Hidden { .. }
        | EventKind::PolicyChanged { .. }
        | EventKind::Suspended { .. }
        | EventKind::AskEnded { .. }
        | EventKind::Resumed { .. }
        | EventKind::HandedOn { .. }
        | EventKind::CallClaimed { .. }
        | EventKind::CallFinished { .. }
        | EventKind::DeliveryFailed { .. } => None,
    }
}

/// The line of a metric.
pub fn line(metric: Metric, value: u64, at: Timestamp) -> Value {
    let dimensions = metric.dimensions();
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let sets = if names.is_empty() { json!([[]]) } else { json!([[], names]) };
    let mut line = json!({
        "_aws": {
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": sets,
                "Metrics": [{"Name": metric.name(), "Unit": metric.unit()}],
            }],
        },
        metric.name(): value,
    });
    if let Value::Object(fields) = &mut line {
        let own = dimensions.into_iter();
        fields.extend(own.map(|(name, value)| (name.to_owned(), json!(value))));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_value_and_each_dimension_at_its_top() {
        let at = Timestamp::from_second(2).unwrap();
        let line = line(Metric::DeadLetters { origin: "turns" }, 3, at);
        assert_eq!((&line["DeadLetters"], &line["Queue"]), (&json!(3), &json!("turns")));
        assert_eq!(line["_aws"]["Timestamp"], 2000);
        let described = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(described["Namespace"], NAMESPACE);
        assert_eq!(described["Dimensions"], json!([[], ["Queue"]]));
        assert_eq!(described["Metrics"], json!([{"Name": "DeadLetters", "Unit": "Count"}]));
    }
}
