//! Lambda entry point of `intents`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    intents::run().await
}
