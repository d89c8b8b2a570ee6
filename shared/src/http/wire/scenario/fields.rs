//! Reading the fields of one object of a bundle, as leniently as real clients need it: numbers and
//! flags may be texts, an empty text is no text, unknown fields are ignored.

use serde_json::{Map, Number, Value};

use super::findings::Findings;
use crate::address::Address;
use crate::http::wire::{check, working_hours};
use crate::intent::envelope::{REMINDERS_MAX, Reminders, TTL_SECONDS_MAX};
use crate::intent::working_hours::WorkingHours;

use crate::http::wire::create::REMINDERS_DEFAULT;

/// An object of a bundle, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    at: String,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The fields of the bundle itself, or of an object that stands at `at`.
    pub(super) fn new(at: impl Into<String>, fields: &'a Map<String, Value>) -> Self {
        Self { at: at.into(), fields }
    }

    /// The same object under another name.
    pub(super) fn named(self, at: impl Into<String>) -> Self {
        Self { at: at.into(), ..self }
    }

    /// Where the object stands.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Where a field of it stands.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// A field as it was sent; null is as good as nothing.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// A text of at most `chars_max` characters.
    pub(super) fn text(
        &self,
        name: &str,
        chars_max: usize,
        findings: &mut Findings,
    ) -> Option<&'a str> {
        let Value::String(text) = self.value(name)? else {
            findings.fault(self.path(name), "is not a text");
            return None;
        };
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let chars = text.chars().count();
        if chars > chars_max {
            let detail = format!("has {chars} characters; send at most {chars_max}");
            findings.fault(self.path(name), detail);
            return None;
        }
        Some(text)
    }

    /// A text that must be there.
    pub(super) fn required_text(
        &self,
        name: &str,
        chars_max: usize,
        findings: &mut Findings,
    ) -> Option<&'a str> {
        let is_text = matches!(self.value(name), None | Some(Value::String(_)));
        let faults = !is_text;
        let text = self.text(name, chars_max, findings);
        let is_blank = self.value(name).and_then(Value::as_str).is_none_or(|it| it.trim() == "");
        if is_blank && !faults {
            findings
                .fault(self.path(name), format!("is missing; send 1 to {chars_max} characters"));
        }
        text
    }

    /// A flag; one that is missing is down.
    pub(super) fn flag(&self, name: &str, findings: &mut Findings) -> bool {
        match self.value(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text.is_empty() || text == "false" => false,
            Some(
                Value::String(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_)
                | Value::Null,
            ) => {
                findings.fault(self.path(name), "is neither true nor false");
                false
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub(super) fn number(
        &self,
        name: &str,
        min: u32,
        max: u32,
        findings: &mut Findings,
    ) -> Option<u32> {
        let value = self.value(name).filter(|value| value.as_str() != Some(""))?;
        let path = self.path(name);
        let number = check::whole(&path, &number_of(value))
            .and_then(|number| check::number(&path, number, min.into(), max.into()));
        findings.take("", number)
    }

    /// An object.
    pub(super) fn object(&self, name: &str, findings: &mut Findings) -> Option<Fields<'a>> {
        match self.value(name)? {
            Value::Object(fields) => Some(Fields::new(self.path(name), fields)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                findings.fault(self.path(name), "is not an object");
                None
            }
        }
    }

    /// The objects of a list of at most `items_max`.
    pub(super) fn objects(
        &self,
        name: &str,
        items_max: usize,
        findings: &mut Findings,
    ) -> Vec<Fields<'a>> {
        let Some(value) = self.value(name) else { return vec![] };
        let Value::Array(items) = value else {
            findings.fault(self.path(name), "is not a list");
            return vec![];
        };
        if items.len() > items_max {
            let detail = format!("has {}; send at most {items_max}", items.len());
            findings.fault(self.path(name), detail);
        }
        let mut objects = Vec::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            let at = format!("{}[{place}]", self.path(name));
            match item.as_object() {
                Some(fields) => objects.push(Fields::new(at, fields)),
                None => findings.fault(at, "is not an object"),
            }
        }
        objects
    }

    /// The object itself.
    pub(super) fn map(&self) -> &'a Map<String, Value> {
        self.fields
    }

    /// An address.
    pub(super) fn address(
        &self,
        name: &str,
        text: &str,
        findings: &mut Findings,
    ) -> Option<Address> {
        findings.take("", check::address(&self.path(name), text))
    }

    /// When to remind whoever must decide. From the contract's own command line a repeated reminder
    /// has no interval.
    pub(super) fn reminders(&self, findings: &mut Findings) -> Reminders {
        let after_s = self.number("remind_after_seconds", 1, TTL_SECONDS_MAX, findings);
        let interval_s = self.number("remind_interval_seconds", 1, TTL_SECONDS_MAX, findings);
        let max = self.number("max_reminders", 0, REMINDERS_MAX, findings);
        let max = max.unwrap_or(REMINDERS_DEFAULT);
        if let (Some(after_s), None) = (after_s, interval_s)
            && max > 1
            && self.value("remind_interval_seconds").is_none()
        {
            let detail = format!("is missing; reminders come every {after_s} seconds");
            findings.warn(self.path("remind_interval_seconds"), detail);
        }
        let repeats = interval_s.is_some() || self.value("max_reminders").is_some();
        if repeats && self.value("remind_after_seconds").is_none() {
            let detail = "is missing, so nobody is reminded; send seconds to the first reminder";
            findings.warn(self.path("remind_after_seconds"), detail);
        }
        Reminders { after_s, interval_s: interval_s.or(after_s).unwrap_or(0), max }
    }

    /// The hours in which whoever must decide is reminded.
    pub(super) fn working_hours(&self, findings: &mut Findings) -> Option<WorkingHours> {
        let hours = self.object("working_hours", findings)?;
        findings.take(hours.at(), working_hours::read_members(hours.map()))
    }
}

/// The number that a text stands for; anything else as it is.
pub(super) fn number_of(value: &Value) -> Value {
    let number = value.as_str().and_then(|text| text.trim().parse::<Number>().ok());
    number.map_or_else(|| value.clone(), Value::Number)
}
