//! Metrics, as lines of the log in `CloudWatch`'s Embedded Metric Format: `CloudWatch` reads them off
//! the log, so that nothing is called and nobody waits.

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::info;

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
}

impl Metric {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DeadLetters { .. } => "DeadLetters",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::DeadLetters { .. } => "Count",
        }
    }

    /// What tells its series apart: few values each, for every one is a series of its own.
    fn dimensions(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::DeadLetters { origin } => vec![("Queue", origin)],
        }
    }
}

/// Logs that a metric had this value at `at`. It counts for the sum of all and for its own dimensions.
pub fn count(metric: &Metric, value: u64, at: Timestamp) {
    let emf = line(*metric, value, at);
    info!(target: TARGET, emf = %emf);
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
