//! Temporary.
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct FormSchema(Value);
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FormFault {
    pub field: String,
    pub detail: String,
}
impl FormSchema {
    pub fn parse(v: Value) -> Result<Self, String> {
        Ok(Self(v))
    }
    pub fn json(&self) -> &Value {
        &self.0
    }
}
pub fn coerce(_: &FormSchema, data: Map<String, Value>) -> Map<String, Value> {
    data
}
pub fn validate(_: &FormSchema, _: &Map<String, Value>) -> Result<(), Vec<FormFault>> {
    Ok(())
}

impl std::fmt::Display for FormFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.detail)
    }
}
