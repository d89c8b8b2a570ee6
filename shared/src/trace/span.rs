//! A unit of work that is over, as whoever collects traces gets it.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Trace;

/// The most links of one span: a request may change many intents, each from a trace of its own.
pub const LINKS_MAX: usize = 32;
/// The attribute that says what kind of error ended the work.
const ERROR_TYPE: &str = "error.type";

/// A unit of work that is over. What it says is chosen here: names, codes, counts and ids, and nothing
/// that anybody wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its place.
    pub trace: Trace,
    /// What led to it.
    pub parent: Option<Trace>,
    /// Other traces that it goes on with.
    pub links: Vec<Trace>,
    /// Which side of a hop it is.
    pub kind: Kind,
    /// Its name, of which there are few.
    pub name: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was over.
    pub ended_at: Timestamp,
    /// What is known of it, by the semantic conventions' names.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it failed.
    pub has_failed: bool,
}

/// Which side of a hop a span is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// It answered a request.
    Server,
    /// It worked on a message.
    Consumer,
    /// Nobody waited for it.
    Internal,
}

/// What an attribute says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A word or an id.
    Text(String),
    /// A count or a code.
    Number(i64),
}

/// Collects spans.
#[async_trait]
pub trait Exporter: fmt::Debug + Send + Sync {
    /// Whether a unit of work at `trace`, which `parent` led to, is recorded.
    fn records(&self, trace: &Trace, parent: Option<&Trace>) -> bool;

    /// Takes the spans of one invocation, which waits for that: its process is frozen afterwards. So
    /// this ends soon, and whatever becomes of the spans, the work is done.
    async fn export(&self, spans: Vec<Span>);
}

impl Span {
    /// The same, by its name.
    #[must_use]
    pub fn named(self, kind: Kind, name: String) -> Self {
        Self { kind, name, ..self }
    }

    /// The same, with something that is known of it.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The same; it has failed if there is a code for that.
    #[must_use]
    pub fn failed(self, code: Option<impl Into<Value>>) -> Self {
        match code {
            Some(code) => Self { has_failed: true, ..self }.with(ERROR_TYPE, code),
            None => self,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
