//! Everything that the command takes from the process around it: variables, the clock, chance.
//!
//! Variables that stand for a flag are read by clap, which also shows them in the help.

use std::path::PathBuf;

use jiff::Timestamp;
use shared::key::{ID_BYTES, KeyText, SECRET_BYTES};
use tracing_subscriber::EnvFilter;
use uuid::Uuid;

use crate::failure::Failure;

/// Whether the user asks programs for text without colours, by the `NO_COLOR` convention.
pub(crate) fn no_color() -> bool {
    variable("NO_COLOR").is_some()
}

/// Whether this process was started as a Lambda function.
pub(crate) fn is_function() -> bool {
    variable("AWS_LAMBDA_RUNTIME_API").is_some()
}

/// What the user says to programs of `OpenAI`: variables and the template's parameters for them.
pub(crate) fn openai() -> Vec<(String, String)> {
    let pairs = [
        ("OPENAI_API_KEY", "OpenAiApiKey"),
        ("OPENAI_BASE_URL", "OpenAiBaseUrl"),
        ("OPENAI_MODEL", "OpenAiModel"),
    ];
    parameters(pairs)
}

/// What the user says to programs that send traces: variables and the template's parameters for them.
pub(crate) fn otlp() -> Vec<(String, String)> {
    let pairs = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "OtlpEndpoint"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "OtlpHeaders"),
    ];
    parameters(pairs)
}

/// How much the functions log, if the user says so.
pub(crate) fn log_filter() -> Option<String> {
    variable("HOLDPOINT_LOG")
}

/// Starts the log of the local stack, on standard error.
pub(crate) fn start_log() {
    let filter = log_filter().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("warn"));
    // A second start in one process keeps the first log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}

/// This executable, which becomes each of the functions.
pub(crate) fn own_executable() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::OwnExecutable)
}

/// The clock.
pub(crate) fn clock() -> fn() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is where the command reads the clock")]
    Timestamp::now
}

/// A key's text that nobody has seen yet.
pub(crate) fn new_key_text() -> KeyText {
    let mut id = [0; ID_BYTES];
    let mut secret = [0; SECRET_BYTES];
    let random = shared::boot::random();
    random.fill(&mut id);
    random.fill(&mut secret);
    KeyText::new(id, secret)
}

/// A name that no other request has.
pub(crate) fn new_idempotency_key() -> String {
    let mut bytes = [0; 16];
    shared::boot::random().fill(&mut bytes);
    Uuid::from_bytes(bytes).to_string()
}

/// Parameters of the template whose variables are set.
fn parameters<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    let read = |(name, parameter): (&str, &str)| Some((parameter.to_owned(), variable(name)?));
    pairs.into_iter().filter_map(read).collect()
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is where the command reads variables")]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}
