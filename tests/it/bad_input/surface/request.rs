//! Requests of any kind, most of them near to one that the description allows.

use std::fmt;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::openapi::operations;

/// `METHOD /path` and what the description says of it.
type Described = (String, &'static Value);

static OPERATIONS: LazyLock<Vec<Described>> = LazyLock::new(|| operations().collect());

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    Agent,
    Reviewer,
    Admin,
    Nobodys,
    None,
}

/// What stands in the place of a parameter.
#[derive(Clone, Debug)]
enum Part {
    /// Something that is there.
    Known(Index),
    Text(String),
}

/// A request.
#[derive(Clone)]
pub(super) struct Asked {
    operation: &'static Described,
    pub(super) method: String,
    parts: Vec<Part>,
    query: Vec<(String, String)>,
    pub(super) key: Key,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}, parts {:?}, ", self.operation.0, self.method, self.parts)?;
        write!(f, "query {:?}, {:?}, {:?}, ", self.query, self.key, self.headers)?;
        write!(f, "body {:?}", self.body)
    }
}

impl Asked {
    pub(super) fn own_method(&self) -> &'static str {
        self.operation.0.split_once(' ').expect("a method and a path").0
    }

    pub(super) fn pattern(&self) -> &'static str {
        self.operation.0.split_once(' ').expect("a method and a path").1
    }

    /// Whether the request is one to the operation, rather than to a neighbour.
    pub(super) fn is_the_operations_own(&self) -> bool {
        let is_one_part = |part: &Part| match part {
            Part::Known(_) => true,
            Part::Text(text) => !text.is_empty() && !text.contains('/') && !text.starts_with('.'),
        };
        self.method == self.own_method() && self.parts.iter().all(is_one_part)
    }

    /// The path, where `names` are known.
    pub(super) fn path(&self, names: &[String]) -> String {
        let mut parts = self.parts.iter();
        let segments = self.pattern().split('/').map(|segment| {
            if !segment.starts_with('{') {
                return segment.to_owned();
            }
            match parts.next() {
                Some(Part::Known(index)) => index.get(names).clone(),
                Some(Part::Text(text)) => escaped(text),
                None => "x".to_owned(),
            }
        });
        let path = segments.collect::<Vec<_>>().join("/");
        let pairs = self.query.iter().map(|(name, value)| format!("{name}={}", escaped(value)));
        let query = pairs.collect::<Vec<_>>().join("&");
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

pub(super) fn any_request() -> impl Strategy<Value = Asked> {
    select(&OPERATIONS[..]).prop_flat_map(|(route, _)| of_operation(&route))
}

fn of_operation(route: &str) -> impl Strategy<Value = Asked> + use<> {
    let operation = OPERATIONS.iter().find(|(own, _)| own == route).expect("it was selected");
    let method = route.split_once(' ').expect("a method and a path").0.to_owned();
    let other = select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]);
    let method = prop_oneof![9 => Just(method), 1 => other.prop_map(str::to_owned)];
    let count = route.matches('{').count();
    let key = select(vec![Key::Agent, Key::Reviewer, Key::Admin, Key::Nobodys, Key::None]);
    let parts = prop::collection::vec(part(), count);
    let rest = (parts, query(operation.1), key, headers(), body(operation.1));
    (method, rest).prop_map(move |(method, (parts, query, key, headers, body))| {
        let mut headers = headers;
        if let Some(kind) = kind(operation.1)
            && !headers.iter().any(|(name, _)| *name == "content-type")
        {
            headers.push(("content-type", kind.to_owned()));
        }
        Asked { operation, method, parts, query, key, headers, body }
    })
}

fn part() -> impl Strategy<Value = Part> {
    let odd = select(vec![
        "0190a1b2-0000-7000-8000-000000000001",
        "agent://team/a",
        "a b",
        "..",
        "%2e",
        "",
        "x\0y",
        "a/kill",
        "r1.AAAA",
        "é",
        "{id}",
        "0",
    ]);
    prop_oneof![
        6 => any::<Index>().prop_map(Part::Known),
        2 => odd.prop_map(|text| Part::Text(text.to_owned())),
        1 => ".{0,30}".prop_map(Part::Text),
    ]
}

fn query(operation: &Value) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let names = parameters.filter(|parameter| parameter["in"] == "query");
    let names = names.map(|parameter| parameter["name"].as_str().unwrap().to_owned());
    let mut names: Vec<String> = names.collect();
    names.push("unknown".to_owned());
    let value = prop_oneof![
        select(vec![
            "",
            "0",
            "1",
            "-1",
            "18446744073709551616",
            "1.5",
            "a",
            "true",
            "WAITING",
            "2030-01-01T00:00:00Z"
        ])
        .prop_map(str::to_owned),
        ".{0,12}",
    ];
    prop::collection::vec((select(names), value), 0..3)
}

fn headers() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let name = select(vec![
        "idempotency-key",
        "x-trace-id",
        "accept",
        "origin",
        "cookie",
        "x-owner-agent",
    ]);
    let any = (name, ".{0,20}".prop_map(|text| text.replace(char::is_control, "")));
    let kind =
        select(vec!["text/plain", "application/json; charset=utf-8", "", "multipart/form-data"]);
    let kind = kind.prop_map(|kind| vec![("content-type", kind.to_owned())]);
    prop_oneof![
        6 => Just(vec![]),
        3 => prop::collection::vec(any, 1..3),
        1 => kind,
    ]
}

/// The form that the operation takes its body in.
fn kind(operation: &Value) -> Option<&'static str> {
    let content = operation["requestBody"]["content"].as_object()?;
    let kinds = ["application/json", "application/x-www-form-urlencoded"];
    kinds.into_iter().find(|kind| content.contains_key(*kind))
}

fn body(operation: &'static Value) -> impl Strategy<Value = String> {
    let example = operation["requestBody"]["content"]["application/json"]["example"].clone();
    let near = prop::collection::vec((any::<Index>(), value()), 0..4).prop_map(move |changes| {
        let mut body = example.clone();
        for (at, value) in changes {
            change(&mut body, at, value);
        }
        body.to_string()
    });
    let named = prop::collection::btree_map(name(), value(), 0..5);
    let pair =
        (select(vec!["csrf", "version", "digest", "outcome", "comment", "field.a"]), ".{0,10}");
    let pair = pair.prop_map(|(name, value): (&str, String)| format!("{name}={}", escaped(&value)));
    prop_oneof![
        6 => near,
        2 => named.prop_map(|fields| json!(fields).to_string()),
        1 => value().prop_map(|value| value.to_string()),
        1 => Just(String::new()),
        1 => ".{0,60}",
        1 => prop::collection::vec(pair, 0..6).prop_map(|pairs| pairs.join("&")),
    ]
}

/// Puts `value` in the place of something in `body`, or takes that away, or puts it beside.
fn change(body: &mut Value, at: Index, value: Value) {
    let place = at.index(64);
    match body {
        Value::Object(fields) if !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = &names[place % names.len()];
            match place % 7 {
                0 => drop(fields.remove(name)),
                1 => drop(fields.insert(format!("{name}s"), value)),
                2 | 3 => drop(fields.insert(name.clone(), value)),
                _ => change(&mut fields[name], at, value),
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let index = place % items.len();
            match place % 3 {
                0 => drop(items.remove(index)),
                1 => items.push(value),
                _ => change(&mut items[index], at, value),
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => *body = value,
    }
}

fn name() -> impl Strategy<Value = String> {
    let known = select(vec![
        "action",
        "outcome",
        "approved",
        "task_result",
        "data",
        "payload",
        "human_task",
        "status",
        "reason",
        "limit",
        "cursor",
        "to",
        "role",
        "name",
        "comment",
        "version",
        "digest",
        "approvals",
        "checkpoint",
        "waits_for",
        "until",
        "expected_policy_generation",
        "jsonrpc",
        "method",
        "id",
        "params",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => ".{0,8}"]
}

fn value() -> impl Strategy<Value = Value> {
    let text = select(vec![
        "",
        " ",
        "true",
        "7",
        "approved",
        "rejected",
        "complete",
        "agent://a",
        "2030-01-02T00:00:00Z",
        "time",
        "2.0",
        "tools/call",
        "\u{202e}x",
        "\0",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        (0..5_u8).prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        text.prop_map(|text| json!(text)),
        ".{0,20}".prop_map(Value::String),
        (1..5000_usize).prop_map(|count| json!("x".repeat(count))),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The text as part of an address.
fn escaped(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}
