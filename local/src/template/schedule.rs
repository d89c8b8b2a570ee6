//! A schedule that invokes a function at a fixed rate.

use std::time::Duration;

use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

use super::scope::Scope;
use super::{TemplateError, shape};

/// One `Schedule` or `ScheduleV2` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) name: String,
    pub(crate) every: Duration,
    /// What the function is given; an empty object when the template names nothing.
    pub(crate) input: Json,
}

impl Schedule {
    pub(crate) fn parse(
        name: &str,
        properties: &Yaml,
        scope: &Scope<'_>,
    ) -> Result<Self, TemplateError> {
        let expression =
            properties.get("ScheduleExpression").or_else(|| properties.get("Schedule"));
        let expression =
            expression.ok_or_else(|| shape(format!("Schedule {name}"), "given an expression"))?;
        let expression = scope.text(name, expression)?;
        let every = rate(&expression).ok_or(TemplateError::Schedule { expression })?;
        let input = match properties.get("Input") {
            None => Json::Object(serde_json::Map::new()),
            Some(input) => serde_json::from_str(&scope.text("Input", input)?)
                .map_err(|_| shape(format!("Input of schedule {name}"), "JSON text"))?,
        };
        Ok(Self { name: name.to_owned(), every, input })
    }

    /// What the function is told when this machine starts: its usual input, and that the queues
    /// have forgotten everything.
    pub(crate) fn restart_input(&self) -> Json {
        let mut input = self.input.clone();
        if let Some(map) = input.as_object_mut() {
            map.insert("restart".to_owned(), Json::Bool(true));
        }
        input
    }
}

fn rate(expression: &str) -> Option<Duration> {
    let inner = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inner.trim().split_once(' ')?;
    let count: u64 = count.parse().ok().filter(|count| *count > 0)?;
    let unit_s = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 60 * 60,
        "day" | "days" => 24 * 60 * 60,
        _ => return None,
    };
    count.checked_mul(unit_s).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rates_are_read_and_everything_else_is_refused() {
        let table = [
            ("rate(1 minute)", Some(60)),
            ("rate(5 minutes)", Some(300)),
            ("rate(2 hours)", Some(7200)),
            ("rate(1 day)", Some(86400)),
            ("rate(0 minutes)", None),
            ("rate(1 second)", None),
            ("cron(0 10 * * ? *)", None),
        ];
        for (expression, seconds) in table {
            assert_eq!(rate(expression), seconds.map(Duration::from_secs), "{expression}");
        }
    }

    #[test]
    fn the_restart_input_keeps_what_the_template_gives() {
        let schedule = Schedule {
            name: "Sweep".to_owned(),
            every: Duration::from_secs(60),
            input: json!({"sweep": true}),
        };
        assert_eq!(schedule.restart_input(), json!({"sweep": true, "restart": true}));
    }
}
