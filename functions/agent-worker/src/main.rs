//! The `agent-worker` function, as it is deployed.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    agent_worker::run().await
}
