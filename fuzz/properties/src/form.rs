//! Forms, and what is filled into them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use shared::form::{
    FAULTS_MAX, FormSchema, PROPERTIES_MAX, SCHEMA_BYTES_MAX, coerce, fields, suggestions, validate,
};
use shared::http::page::form as page;

use crate::request::stored;

/// A schema that is taken keeps to its limits; its fields can be told apart and drawn; an answer to it
/// is coerced once and judged with bounded work, whatever it is. The input is a schema, then answers.
pub fn form(bytes: &[u8]) {
    let values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut values = values.map_while(Result::ok);
    let Some(Ok(schema)) = values.next().map(FormSchema::parse) else { return };
    assert!(schema.as_value().to_string().len() <= SCHEMA_BYTES_MAX);
    stored(&schema);
    let fields = fields(&schema);
    let paths: BTreeSet<_> = fields.iter().map(|field| field.path.to_string()).collect();
    assert!(paths.len() == fields.len() && fields.len() <= PROPERTIES_MAX);
    answered(&schema, suggestions(&schema));
    for value in values.take(4) {
        if let Value::Object(answer) = value {
            answered(&schema, answer);
        }
    }
}

fn answered(schema: &FormSchema, answer: Map<String, Value>) {
    let pairs: Vec<_> = answer.iter().map(posted).collect();
    let coerced = coerce(schema, answer.clone());
    assert_eq!(coerce(schema, coerced.clone()), coerced, "coerced twice");
    let faults = match validate(schema, &coerced) {
        Ok(()) => vec![],
        Err(faults) => {
            assert!((1..=FAULTS_MAX).contains(&faults.len()), "{faults:?}");
            faults
        }
    };
    if validate(schema, &answer).is_ok() {
        assert_eq!(coerced, answer, "it was valid as it was");
    }
    let drawn = page::fields(schema, &coerced, &faults).into_string();
    assert!(!drawn.to_ascii_lowercase().contains("<script"), "{drawn}");
    let read = page::read_form(schema, &pairs);
    assert!(read.len() <= PROPERTIES_MAX);
}

/// A member as a browser posts it.
fn posted((name, value): (&String, &Value)) -> (String, String) {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (format!("{}{name}", page::NAME_PREFIX), text)
}
