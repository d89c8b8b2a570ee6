//! Which events of its source a function is invoked with: patterns of `EventBridge`, as far as
//! templates here use them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{TemplateError, shape};

/// The patterns of one event source. An event that is like one of them is wanted; without patterns
/// every event is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    patterns: Vec<Pattern>,
}

/// What an event, or a part of it, must be like.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Each of these members is like its own pattern.
    Members(BTreeMap<String, Pattern>),
    /// The value meets one of these.
    AnyOf(Vec<Rule>),
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// This text.
    Is(String),
    /// A text that begins so.
    Prefix(String),
    /// There, or not there.
    Exists(bool),
}

impl EventFilter {
    /// Reads the `FilterCriteria` of an event source; absent means that every event is wanted.
    pub(crate) fn parse(place: &str, criteria: Option<&Json>) -> Result<Self, TemplateError> {
        let place = format!("{place}.FilterCriteria");
        let Some(criteria) = criteria else { return Ok(Self::default()) };
        let filters = criteria.get("Filters").and_then(Json::as_array);
        let filters = filters.filter(|filters| !filters.is_empty());
        let filters = filters.ok_or_else(|| shape(&place, "given Filters"))?;
        let pattern = |filter: &Json| {
            let text = filter.get("Pattern").and_then(Json::as_str);
            let pattern = text.and_then(|text| serde_json::from_str::<Json>(text).ok());
            let pattern =
                pattern.filter(|pattern| pattern.as_object().is_some_and(|it| !it.is_empty()));
            let pattern = pattern
                .ok_or_else(|| shape(&place, "Filters with a Pattern each, a JSON object"))?;
            Pattern::parse(&place, &pattern)
        };
        Ok(Self { patterns: filters.iter().map(pattern).collect::<Result<_, _>>()? })
    }

    /// Whether a function is invoked with this event.
    pub fn takes(&self, event: &Json) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|it| it.is_met_by(Some(event)))
    }
}

impl Pattern {
    fn parse(place: &str, pattern: &Json) -> Result<Self, TemplateError> {
        let members = match pattern {
            Json::Array(rules) if !rules.is_empty() => {
                let rules = rules.iter().map(|rule| Rule::parse(place, rule));
                return Ok(Self::AnyOf(rules.collect::<Result<_, _>>()?));
            }
            Json::Object(members) if !members.is_empty() => members,
            Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Array(_)
            | Json::Object(_) => {
                return Err(shape(place, "made of objects, and of lists of what a value may be"));
            }
        };
        let member = |(name, pattern): (&String, &Json)| {
            if name.starts_with('$') {
                return Err(unknown(place, name));
            }
            Ok((name.clone(), Self::parse(place, pattern)?))
        };
        Ok(Self::Members(members.iter().map(member).collect::<Result<_, _>>()?))
    }

    fn is_met_by(&self, value: Option<&Json>) -> bool {
        match self {
            Self::Members(members) => members
                .iter()
                .all(|(name, pattern)| pattern.is_met_by(value.and_then(|value| value.get(name)))),
            Self::AnyOf(rules) => rules.iter().any(|rule| rule.is_met_by(value)),
        }
    }
}

impl Rule {
    fn parse(place: &str, rule: &Json) -> Result<Self, TemplateError> {
        if let Some(text) = rule.as_str() {
            return Ok(Self::Is(text.to_owned()));
        }
        let only = rule.as_object().filter(|members| members.len() == 1);
        let Some((name, argument)) = only.and_then(|members| members.iter().next()) else {
            return Err(unknown(place, &rule.to_string()));
        };
        match (name.as_str(), argument) {
            ("prefix", Json::String(text)) => Ok(Self::Prefix(text.clone())),
            ("exists", Json::Bool(wanted)) => Ok(Self::Exists(*wanted)),
            _ => Err(unknown(place, &rule.to_string())),
        }
    }

    fn is_met_by(&self, value: Option<&Json>) -> bool {
        // Of a list, one element is enough.
        if let Some(Json::Array(values)) = value {
            return values.iter().any(|value| self.is_met_by(Some(value)));
        }
        let text = value.and_then(Json::as_str);
        match self {
            Self::Is(wanted) => text == Some(wanted),
            Self::Prefix(wanted) => text.is_some_and(|text| text.starts_with(wanted.as_str())),
            // Lambda looks at values only, never at what merely holds some.
            Self::Exists(wanted) => value.is_some_and(|value| !value.is_object()) == *wanted,
        }
    }
}

fn unknown(place: &str, rule: &str) -> TemplateError {
    TemplateError::FilterRule { place: place.to_owned(), rule: rule.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filter(patterns: &[Json]) -> Result<EventFilter, TemplateError> {
        let filters = patterns.iter().map(|pattern| json!({"Pattern": pattern.to_string()}));
        let criteria = json!({"Filters": filters.collect::<Vec<_>>()});
        EventFilter::parse("Event In", Some(&criteria))
    }

    #[track_caller]
    fn check(pattern: &Json, taken: &[Json], left: &[Json]) {
        let filter = filter(std::slice::from_ref(pattern)).unwrap();
        for event in taken {
            assert!(filter.takes(event), "{pattern} leaves {event}");
        }
        for event in left {
            assert!(!filter.takes(event), "{pattern} takes {event}");
        }
    }

    #[test]
    fn a_text_is_one_of_those_that_are_named() {
        check(
            &json!({"a": ["x", "y"]}),
            &[json!({"a": "x"}), json!({"a": "y", "b": 1}), json!({"a": ["z", "x"]})],
            &[json!({"a": "z"}), json!({"a": 1}), json!({"a": {"x": "x"}}), json!({}), json!("x")],
        );
    }

    #[test]
    fn every_member_must_be_met_however_deep() {
        check(
            &json!({"a": {"b": [{"prefix": "C#"}]}, "c": ["x"]}),
            &[json!({"a": {"b": "C#1"}, "c": "x"}), json!({"a": {"b": "C#"}, "c": "x"})],
            &[
                json!({"a": {"b": "C#1"}}),
                json!({"c": "x"}),
                json!({"a": {"b": "c#1"}, "c": "x"}),
                json!({"a": {"b": "xC#1"}, "c": "x"}),
                json!({"a": "C#1", "c": "x"}),
            ],
        );
    }

    #[test]
    fn a_value_exists_and_what_holds_values_does_not_count() {
        let events = [json!({"a": "x"}), json!({"a": 0}), json!({"a": null})];
        let none = [json!({}), json!({"a": {"b": "x"}})];
        check(&json!({"a": [{"exists": true}]}), &events, &none);
        check(&json!({"a": [{"exists": false}]}), &none, &events);
    }

    #[test]
    fn one_pattern_of_several_is_enough_and_none_takes_everything() {
        let two = filter(&[json!({"a": ["x"]}), json!({"b": [{"exists": true}]})]).unwrap();
        assert!(two.takes(&json!({"a": "x"})) && two.takes(&json!({"b": "x"})));
        assert!(!two.takes(&json!({"a": "y"})));
        assert!(EventFilter::parse("Event In", None).unwrap().takes(&json!({})));
    }

    #[test]
    fn what_is_not_known_here_is_refused_by_name() {
        let unknown = [
            (json!({"a": [{"suffix": ".x"}]}), r#"{"suffix":".x"}"#),
            (json!({"a": [{"anything-but": ["x"]}]}), r#"{"anything-but":["x"]}"#),
            (json!({"a": [{"numeric": [">", 1]}]}), r#"{"numeric":[">",1]}"#),
            (json!({"a": [{"prefix": {"equals-ignore-case": "x"}}]}), "equals-ignore-case"),
            (json!({"a": [{"prefix": "x", "exists": true}]}), r#"{"exists":true,"prefix":"x"}"#),
            (json!({"a": [1]}), "1"),
            (json!({"$or": [{"a": ["x"]}, {"b": ["x"]}]}), "$or"),
        ];
        for (pattern, named) in unknown {
            let told = filter(&[pattern]).unwrap_err().to_string();
            assert!(told.contains(named) && told.contains("Event In.FilterCriteria"), "{told}");
        }
        for shapeless in
            [json!("x"), json!({}), json!({"a": []}), json!({"a": {}}), json!({"a": "x"})]
        {
            let told = filter(std::slice::from_ref(&shapeless)).unwrap_err().to_string();
            assert!(told.starts_with("Event In.FilterCriteria in the template must be"), "{told}");
        }
        let empty = EventFilter::parse("Event In", Some(&json!({"Filters": []})));
        assert!(empty.unwrap_err().to_string().ends_with("must be given Filters"));
    }
}
