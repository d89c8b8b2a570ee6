//! One operation of the API: a method on a path.

use serde_json::{Map, Value, json};

use super::refusals::{self, Refusals};
use super::schema;
use crate::error::Error;
use crate::http::BODY_BYTES_MAX;
use crate::principal::Role;

/// Names the roles whose keys may call an operation.
const ROLES: &str = "x-roles";

/// An operation, as it is put together.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    id: &'static str,
    summary: &'static str,
    description: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
    pub(super) refusals: Refusals,
    is_open: bool,
    roles: Vec<&'static str>,
}

impl Operation {
    /// An operation that takes a key of any role.
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut refusals = Refusals::default();
        refusals.add(refusals::any());
        refusals.add(refusals::keyed());
        let roles = [Role::Agent, Role::Reviewer, Role::Admin].map(Role::name).to_vec();
        Self {
            method,
            path,
            id,
            summary,
            description: String::new(),
            parameters: vec![],
            body: None,
            answers: Map::new(),
            refusals,
            is_open: false,
            roles,
        }
    }

    /// An operation that takes no key, and makes no use of what Holdpoint stores.
    pub(super) fn open(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let mut operation = Self::new(method, path, id, summary);
        operation.refusals = Refusals::default();
        operation.is_open = true;
        operation
    }

    /// More than the summary.
    pub(super) fn says(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Who may call it; others are refused because of their role.
    pub(super) fn for_roles(mut self, roles: &[Role]) -> Self {
        self.roles = roles.iter().map(|role| role.name()).collect();
        self.refusing([refusals::role()])
    }

    /// A parameter.
    pub(super) fn with(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// A query string, which may be wrong.
    pub(super) fn with_query(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters.extend(parameters);
        self.refusing(refusals::query())
    }

    /// A JSON body of the usual size.
    pub(super) fn taking(self, schema: Value, example: Value) -> Self {
        self.taking_to(BODY_BYTES_MAX, schema, example)
    }

    /// A JSON body of at most so many bytes.
    pub(super) fn taking_to(mut self, bytes_max: usize, schema: Value, example: Value) -> Self {
        self.body = Some(json!({
            "description": format!("At most {bytes_max} bytes."),
            "required": true,
            "content": {"application/json": {"schema": schema, "example": example}},
        }));
        self.refusing(refusals::body(bytes_max))
    }

    /// Its body may be missing, which is the same as an empty object.
    pub(super) fn or_nothing(mut self) -> Self {
        if let Some(Value::Object(body)) = &mut self.body {
            body.insert("required".to_owned(), json!(false));
        }
        self
    }

    /// The form of a page.
    pub(super) fn taking_form(mut self, schema: Value) -> Self {
        let content = json!({"application/x-www-form-urlencoded": {"schema": schema}});
        self.body = Some(json!({"required": true, "content": content}));
        self
    }

    /// An answer in JSON.
    pub(super) fn answering(self, description: &str, schema: Value) -> Self {
        self.answering_in(200, "application/json", description, json!({"schema": schema}))
    }

    /// An answer in another form, or with another status.
    pub(super) fn answering_in(
        mut self,
        status: u16,
        media_type: &str,
        description: &str,
        content: Value,
    ) -> Self {
        let answer = json!({
            "description": description,
            "headers": headers(),
            "content": {media_type: content},
        });
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// An answer without a body.
    pub(super) fn answering_nothing(mut self, status: u16, description: &str) -> Self {
        let answer = json!({"description": description, "headers": headers()});
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// What it refuses beside what every operation does.
    pub(super) fn refusing(mut self, errors: impl IntoIterator<Item = Error>) -> Self {
        self.refusals.add(errors);
        self
    }

    /// Writes it, in the group `tag`.
    pub(super) fn present(&self, tag: &str) -> Value {
        let mut answers = self.answers.clone();
        for (status, answer) in self.refusals.answers() {
            answers.entry(status.to_string()).or_insert(answer);
        }
        let roles = self.roles.join(", ");
        let who = if self.is_open {
            "Takes no key.".to_owned()
        } else {
            format!("For keys with the role {roles}.")
        };
        let description = [self.description.as_str(), &who].join("\n\n");
        let mut operation = json!({
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "description": description.trim(),
            "responses": answers,
        });
        if let Value::Object(fields) = &mut operation {
            if self.is_open {
                fields.insert("security".to_owned(), json!([]));
            } else {
                fields.insert(ROLES.to_owned(), json!(self.roles));
            }
            if !self.parameters.is_empty() {
                fields.insert("parameters".to_owned(), json!(self.parameters));
            }
            fields.extend(self.body.clone().map(|body| ("requestBody".to_owned(), body)));
        }
        operation
    }
}

/// The headers of every answer.
pub(super) fn headers() -> Value {
    let named = |(name, component): (&str, &str)| {
        (name.to_owned(), json!({"$ref": format!("#/components/headers/{component}")}))
    };
    let all = [
        ("x-request-id", "RequestId"),
        ("x-ratelimit-limit", "RateLimit"),
        ("x-ratelimit-remaining", "RateRemaining"),
        ("x-ratelimit-reset", "RateReset"),
    ];
    Value::Object(all.into_iter().map(named).collect())
}

/// The headers that answers share.
pub(super) fn header_components() -> Value {
    let of_limit = |description: &str| json!({"description": description, "required": false, "schema": schema::count()});
    json!({
        "RequestId": {
            "description": "Names this request in the log.",
            "required": true,
            "schema": schema::text(),
        },
        "RateLimit": of_limit("How often the key may ask here in a minute, if there is a limit."),
        "RateRemaining": of_limit("How often it still may in this minute."),
        "RateReset": of_limit("When the next minute begins, in seconds since 1970."),
    })
}
