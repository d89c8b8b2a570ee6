//! What one caller finds here: the protocol's side of the tools.

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CustomRequest,
    CustomResult, ErrorCode, ErrorData, Implementation, InitializeRequestParams, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool as Described,
};
use rmcp::service::{RequestContext, RoleServer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::app::App;
use shared::http::Problem;
use shared::principal::Principal;

use crate::tool::Tool;

/// What the server says of itself to a model.
const INSTRUCTIONS: &str = "\
Holdpoint asks a person before something is done that needs a yes. Call request_approval before the \
action, then wait_for_approval until the status is no longer waiting. Go ahead only if `approved` is \
true, and only with exactly what was asked. A rejection is final. Waiting may take hours or days: an \
approval outlives this conversation, and its approval_id finds it again.";

/// One caller at the desk where people are asked.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) app: App,
    pub(super) by: Principal,
}

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        let holdpoint = Implementation::new("holdpoint", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(holdpoint.with_title("Holdpoint"))
            .with_instructions(INSTRUCTIONS)
    }

    fn get_tool(&self, name: &str) -> Option<Described> {
        Tool::named(name).map(Tool::describe)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(Tool::ALL.map(Tool::describe).to_vec()))
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = Tool::named(&call.name).ok_or_else(|| {
            let names = Tool::ALL.map(Tool::name).join(", ");
            let detail = format!("there is no tool of this name; call one of {names}");
            ErrorData::invalid_params(detail, None)
        })?;
        let arguments = call.arguments.unwrap_or_default();
        let result = match tool.call(&self.app, &self.by, arguments).await {
            Ok(answer) => CallToolResult::structured(answer),
            // A fault that a model can mend is a result that it reads.
            Err(error) => {
                let problem = Problem::told(&error);
                let text = format!("{}: {}", problem.code, problem.detail);
                CallToolResult::error(vec![ContentBlock::text(text)])
            }
        };
        Ok(result.into())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        // A method that is served comes here too, if its parameters cannot be read.
        let params = request.params.unwrap_or_default();
        let fault = match request.method.as_str() {
            "initialize" => fault::<InitializeRequestParams>(params),
            "tools/call" => fault::<CallToolRequestParams>(params),
            _ => {
                let detail = "this method is not served; initialize, ping, tools/list and \
                              tools/call are";
                return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, detail, None));
            }
        };
        Err(ErrorData::invalid_params(format!("params: {fault}"), None))
    }
}

/// What is wrong with parameters that are no `T`.
fn fault<T: DeserializeOwned>(params: Value) -> String {
    match serde_path_to_error::deserialize::<_, T>(params) {
        Ok(_) => "cannot be read".to_owned(),
        Err(error) => error.to_string(),
    }
}
