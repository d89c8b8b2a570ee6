//! Lambda entry point of `send-intent`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    send_intent::run().await
}
