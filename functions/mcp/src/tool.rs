//! The tools. Each looks or asks; none decides.

use std::sync::Arc;

use rmcp::model::{Tool as Described, ToolAnnotations};
use serde_json::{Map, Value};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::create::{self, Arrival, WireCreate};
use shared::http::wire::mcp::{self, schema};
use shared::principal::Principal;

/// The endpoint under which idempotency keys count.
const ENDPOINT: &str = "/mcp";

/// A tool of this server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Tool {
    RequestApproval,
    GetApproval,
    WaitForApproval,
    ListApprovals,
}

impl Tool {
    pub(super) const ALL: [Self; 4] =
        [Self::RequestApproval, Self::GetApproval, Self::WaitForApproval, Self::ListApprovals];

    /// The tool that clients call by this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RequestApproval => "request_approval",
            Self::GetApproval => "get_approval",
            Self::WaitForApproval => "wait_for_approval",
            Self::ListApprovals => "list_approvals",
        }
    }

    /// What clients, and the models behind them, are told of it.
    pub(super) fn describe(self) -> Described {
        let (title, input, output) = match self {
            Self::RequestApproval => ("Ask a person", schema::request(), schema::approval()),
            Self::GetApproval => ("Look at an approval", schema::look(), schema::approval()),
            Self::WaitForApproval => ("Wait for a decision", schema::wait(), schema::approval()),
            Self::ListApprovals => ("List open approvals", schema::list(), schema::approvals()),
        };
        Described::new(self.name(), self.advice(), input)
            .with_title(title)
            .with_raw_output_schema(Arc::new(output))
            .with_annotations(self.hints())
    }

    /// Calls it.
    pub(super) async fn call(
        self,
        app: &App,
        by: &Principal,
        arguments: Map<String, Value>,
    ) -> Result<Value, Error> {
        match self {
            Self::RequestApproval => request(app, by, arguments).await,
            Self::GetApproval => {
                let id = mcp::read_look(arguments)?;
                Ok(mcp::present(&app.asked(by, id).await?))
            }
            Self::WaitForApproval => {
                let (id, wait) = mcp::read_wait(arguments)?;
                let asked = app.asked(by, id).await?;
                Ok(mcp::present(&app.hold_ending(asked, wait).await?))
            }
            Self::ListApprovals => {
                mcp::read_list(arguments)?;
                // One more than is shown tells whether there are more.
                let found = app.open_asked(by, mcp::LISTED_MAX + 1).await?;
                Ok(mcp::present_list(&found))
            }
        }
    }

    /// When to use it and what its answer means, for a model.
    fn advice(self) -> &'static str {
        match self {
            Self::RequestApproval => {
                "Ask a person to approve one action before you do it. Use it for whatever cannot be \
                 undone, costs money, reaches other people, or that you were told to get approved. \
                 Put the whole action into `tool` and `arguments`: the person decides on exactly \
                 that. It returns at once, with an approval_id and the status `waiting`; asking is \
                 not a yes. Then call wait_for_approval. You cannot approve, change or withdraw a \
                 request, and neither can any other agent."
            }
            Self::GetApproval => {
                "Look up an approval that you asked for. `approved` is true only after a person said \
                 yes; with any other status do not act. `rejected` is final. `timed_out` and \
                 `canceled` are not a yes either. `next` says what to do."
            }
            Self::WaitForApproval => {
                "Wait up to `wait_seconds` for the decision on an approval that you asked for. It \
                 returns as soon as somebody decides, and otherwise with the status `waiting`: then \
                 call it again, or go on with other work and come back. Act only if `approved` is \
                 true. `rejected` is final: do not ask for the same again, and do not look for \
                 another way."
            }
            Self::ListApprovals => {
                "List the approvals that you asked for and that still wait for a person, oldest \
                 first. Use it when you no longer have an approval_id. Decided ones are not listed; \
                 look at those with get_approval."
            }
        }
    }

    fn hints(self) -> ToolAnnotations {
        let hints = ToolAnnotations::new();
        match self {
            // It adds a question and changes nothing else; who answers is a person outside.
            Self::RequestApproval => hints.read_only(false).destructive(false).open_world(true),
            Self::GetApproval | Self::WaitForApproval | Self::ListApprovals => {
                hints.read_only(true).open_world(false)
            }
        }
    }
}

/// Asks, as `POST /v1/intents` does.
async fn request(app: &App, by: &Principal, arguments: Map<String, Value>) -> Result<Value, Error> {
    let requested = mcp::read_request(arguments)?;
    let fingerprint = create::fingerprint(&requested.body);
    let intent = WireCreate::from_value(requested.body)?;
    let route = app.resolve(&intent.to()?).await?;
    let (now, correlation_id) = (app.now(), app.random_uuid());
    let default_ttl_s = app.config().default_ttl_s;
    let envelope = intent.read(Arrival { by, now, correlation_id, default_ttl_s }, &route)?;
    let key = requested.idempotency_key.as_deref();
    let made = app.create(by, ENDPOINT, key, fingerprint, envelope).await?;
    Ok(mcp::present(&made.intent))
}
