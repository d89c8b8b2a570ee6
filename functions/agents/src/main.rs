//! Lambda entry point of `agents`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    agents::run().await
}
