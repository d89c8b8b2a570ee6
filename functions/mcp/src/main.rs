//! Lambda entry point of `mcp`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    mcp::run().await
}
