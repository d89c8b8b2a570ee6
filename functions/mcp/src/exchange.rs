//! One message of a client, and its answer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use axum::response::Response;
use rmcp::model::{ClientJsonRpcMessage, ErrorCode, ProtocolVersion};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::origin::NearOrigin;
use shared::http::{AnyBody, Caller};
use shared::principal::Role;

use crate::batch;
use crate::desk::Desk;
use crate::refusal::{self, refuse as refuse_message};

/// Who may ask people.
const ASKERS: [Role; 2] = [Role::Agent, Role::Admin];
/// The methods of this path: there is no stream to open and no session to end.
const ALLOW: &str = "POST";
/// Where the protocol's own headers begin.
const PROTOCOL_HEADERS: &str = "mcp-";

/// Takes one message, or several at once where the protocol's version has batches.
pub(super) async fn take(
    State(app): State<App>,
    _: NearOrigin,
    caller: Caller,
    headers: HeaderMap,
    body: Result<AnyBody, Error>,
) -> Result<Response, Error> {
    let by = caller.with_role(&app, &ASKERS)?;
    let exchange = Exchange { desk: Desk { app, by }, headers: protocols_own(headers) };
    match body {
        Ok(AnyBody(Value::Array(messages))) => Ok(batch::answer(&exchange, messages).await),
        Ok(AnyBody(message)) => Ok(exchange.answer(message).await),
        Err(Error::Invalid(fault)) => {
            Ok(refuse_message(None, ErrorCode::PARSE_ERROR, &fault.detail))
        }
        Err(error) => Err(error),
    }
}

/// Tells a client that looks for a stream or a session that there is none.
pub(super) async fn refuse(_: NearOrigin, _: Caller) -> Error {
    Error::MethodNotAllowed { allow: ALLOW.to_owned() }
}

/// Who asks, and under which version of the protocol.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    desk: Desk,
    headers: HeaderMap,
}

impl Exchange {
    /// Answers one message.
    pub(super) async fn answer(&self, mut message: Value) -> Response {
        complete(&mut message);
        // The library's own words for what is no message at all name no remedy.
        if serde_json::from_value::<ClientJsonRpcMessage>(message.clone()).is_err() {
            let detail =
                "this is no message; send {\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": …}";
            return refuse_message(message.get("id"), ErrorCode::INVALID_REQUEST, detail);
        }
        let desk = self.desk.clone();
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            // Whoever could be misled by a name has no key; `NearOrigin` has looked at the origin.
            .disable_allowed_hosts();
        let service = StreamableHttpService::new(
            move || Ok(desk.clone()),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        let response = service.handle(self.request(&message)).await.map(Body::new);
        refusal::in_json(response, message.get("id")).await
    }

    /// Whether the client's version of the protocol has batches. Clients of those versions name none.
    pub(super) fn has_batches(&self) -> bool {
        let version = self.headers.get("mcp-protocol-version").and_then(|v| v.to_str().ok());
        version.is_none_or(|version| version <= ProtocolVersion::V_2025_03_26.as_str())
    }

    /// The message for the library. It asks its clients to accept an event stream too, which the
    /// contract's client does not; no answer here is one.
    fn request(&self, message: &Value) -> Request<Body> {
        let mut request = Request::new(Body::from(message.to_string()));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.clone_from(&self.headers);
        let text = HeaderValue::from_static;
        headers.insert(ACCEPT, text("application/json, text/event-stream"));
        headers.insert(CONTENT_TYPE, text("application/json"));
        headers.insert(HOST, text("localhost"));
        request
    }
}

/// The headers that belong to the protocol. Keys and the like stay here.
fn protocols_own(headers: HeaderMap) -> HeaderMap {
    let is_own = |name: &str| name.starts_with(PROTOCOL_HEADERS);
    let mut own = HeaderMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| is_own(name.as_str())) {
        own.append(name, value.clone());
    }
    own
}

/// Adds to an `initialize` what the protocol requires and the contract's client leaves out.
fn complete(message: &mut Value) {
    if message.get("method").and_then(Value::as_str) != Some("initialize") {
        return;
    }
    if let Some(Value::Object(params)) = message.get_mut("params") {
        let nobody = || json!({"name": "unknown", "version": "unknown"});
        params.entry("capabilities").or_insert_with(|| json!({}));
        params.entry("clientInfo").or_insert_with(nobody);
    }
}
