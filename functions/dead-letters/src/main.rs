//! Lambda entry point of `dead-letters`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    dead_letters::run().await
}
