//! A host of the Responses API, over HTTP.

use std::fmt;
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::{ApiErrorResponse, OpenAIError};
use async_trait::async_trait;
use serde_json::Value;
use shared::agent;
use shared::boot::BootError;
use tracing::instrument::WithSubscriber;
use tracing::subscriber::NoSubscriber;

use super::{Model, ModelError};

/// How long opening a connection may take. How long an answer may take is the turn's to say.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The most tokens that one reply may have, reasoning included.
const OUTPUT_TOKENS_MAX: u64 = 16_000;
/// The longest error code of the host that is repeated to people, in characters.
const CODE_CHARS_MAX: usize = 64;

/// How a host is reached.
#[derive(Clone, Eq, PartialEq)]
pub struct OpenAiSettings {
    /// The key. It goes into the `Authorization` header and nowhere else.
    pub api_key: String,
    /// The address before `/responses`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
}

/// The client. Bodies stay untyped: items of a run have to go back as they came.
#[derive(Debug)]
pub struct OpenAi {
    client: Client<OpenAIConfig>,
    profile: agent::Model,
}

impl OpenAi {
    /// A client with a connection pool of its own.
    ///
    /// Certificates are checked with ring against the system's roots, as those of AWS are.
    pub fn new(settings: OpenAiSettings) -> Result<Self, BootError> {
        let OpenAiSettings { api_key, base_url, model } = settings;
        // A header cannot hold anything else, and the library panics when it finds out.
        if !api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "a key is made of visible ASCII characters, without spaces".to_owned();
            return Err(BootError::Wrong { name: "OPENAI_API_KEY", detail });
        }
        // An error means that the process has a provider already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).build();
        let http = http.map_err(|error| BootError::Wrong {
            name: "OPENAI_API_KEY",
            detail: format!("no HTTPS client can be made for the model's host: {error}"),
        })?;
        let config = OpenAIConfig::default()
            .with_api_key(api_key)
            .with_api_base(base_url.trim_end_matches('/'));
        let reasoning = is_reasoning(&model);
        let profile = agent::Model { name: model, reasoning, output_tokens_max: OUTPUT_TOKENS_MAX };
        Ok(Self { client: Client::build(http, config), profile })
    }
}

#[async_trait]
impl Model for OpenAi {
    fn profile(&self) -> agent::Model {
        self.profile.clone()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        let responses = self.client.responses();
        let answer = responses.create_byot::<&Value, Value>(request);
        // The library logs the bodies of answers that it cannot read; no body may be in our log.
        answer.with_subscriber(NoSubscriber::default()).await.map_err(read)
    }
}

impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// Whether a model of this name gives reasoning items; other models refuse a request for them.
fn is_reasoning(model: &str) -> bool {
    let o_series =
        model.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    o_series || (model.starts_with("gpt-5") && !model.contains("chat"))
}

/// Reads an error that the library's own retries did not help against.
fn read(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::ApiError(answer) => refusal(&answer),
        OpenAIError::Reqwest(error) if error.is_builder() => {
            ModelError::Refused("OPENAI_BASE_URL is no address".to_owned())
        }
        OpenAIError::Reqwest(error) if error.is_timeout() => {
            ModelError::Unavailable("it took too long".to_owned())
        }
        OpenAIError::Reqwest(error) if error.is_connect() => {
            ModelError::Unavailable("it cannot be reached".to_owned())
        }
        OpenAIError::Reqwest(_) => ModelError::Unavailable("the connection broke".to_owned()),
        // The library does not say with which status: a proxy's page for a failure looks like this.
        OpenAIError::JSONDeserialize(..) => {
            ModelError::Unavailable("its answer is not the API's JSON".to_owned())
        }
        OpenAIError::InvalidArgument(_)
        | OpenAIError::FileSaveError(_)
        | OpenAIError::FileReadError(_)
        | OpenAIError::StreamError(_) => {
            ModelError::Refused("the client could not send it".to_owned())
        }
    }
}

fn refusal(answer: &ApiErrorResponse) -> ModelError {
    let status = answer.status_code.as_u16();
    let code = [&answer.api_error.code, &answer.api_error.r#type].into_iter().flatten().next();
    let said = code.map(|code| format!(" ({})", word(code))).unwrap_or_default();
    let is_quota = answer.api_error.r#type.as_deref() == Some("insufficient_quota");
    match status {
        429 if is_quota => {
            ModelError::Refused(format!("status 429{said}: the account has no quota left"))
        }
        408 | 409 | 425 | 429 | 500.. => ModelError::Unavailable(format!("status {status}{said}")),
        401 | 403 => ModelError::Refused(format!(
            "status {status}{said}: check OPENAI_API_KEY and what it may use"
        )),
        404 => {
            ModelError::Refused(format!("status 404{said}: check OPENAI_BASE_URL and OPENAI_MODEL"))
        }
        _ => ModelError::Refused(format!("status {status}{said}")),
    }
}

/// The characters of a code; whatever else a host puts there is left out.
fn word(code: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    code.chars().filter(fits).take(CODE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, reasons: bool) {
        assert_eq!(is_reasoning(model), reasons, "{model}");
    }

    #[test]
    fn reasoning_is_asked_of_models_that_give_it() {
        check("gpt-5-mini", true);
        check("o4-mini", true);
        check("gpt-5-chat-latest", false);
        check("gpt-4.1", false);
        check("olmo-2", false);
    }

    fn settings(api_key: &str) -> OpenAiSettings {
        OpenAiSettings {
            api_key: api_key.to_owned(),
            base_url: "https://model.example/v1/".to_owned(),
            model: "gpt-5-mini".to_owned(),
        }
    }

    #[test]
    fn a_key_that_no_header_can_hold_is_refused_at_the_start() {
        assert!(OpenAi::new(settings("sk-1\n")).is_err());
        assert!(OpenAi::new(settings("sk-1")).is_ok());
    }

    #[test]
    fn the_key_is_not_printed() {
        let settings = settings("sk-secret");
        assert!(!format!("{settings:?}").contains("sk-secret"));
        let client = OpenAi::new(settings).unwrap();
        assert!(!format!("{client:?}").contains("sk-secret"));
    }

    #[test]
    fn a_code_of_the_host_is_short_and_plain() {
        assert_eq!(word("invalid_api_key"), "invalid_api_key");
        assert_eq!(word("<b>\u{202e}no\n"), "bno");
        assert_eq!(word(&"x".repeat(100)).len(), CODE_CHARS_MAX);
    }
}
