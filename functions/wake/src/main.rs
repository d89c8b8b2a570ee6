//! Lambda entry point of `wake`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    wake::run().await
}
