//! Lambda entry point of `inbox`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    inbox::run().await
}
