//! Lambda entry point of `approve`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    approve::run().await
}
