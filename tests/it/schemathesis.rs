//! The API's description against the running service, tried by a generator: examples, edges and
//! random requests under each role's key, and nothing may contradict what is described.

use tests::binaries::checkout;
use tests::{Program, Python, Running};

/// How long one key's requests may take, in seconds.
const SECONDS_MAX: &str = "100";

#[test]
fn the_service_does_what_its_description_says() {
    let folder = checkout().join("tests/python/schemathesis");
    let Some(python) = Python::with(&folder.join("requirements.txt")) else { return };
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("data"));
    let connection = &stack.connection;
    let keys = [&connection.agent_key, &connection.reviewer_key, &connection.admin_key];
    // At the same time: most of it is waiting for streams.
    let runs: Vec<Program> = keys
        .into_iter()
        .enumerate()
        .map(|(place, key)| {
            let own = data.path().join(place.to_string());
            std::fs::create_dir(&own).expect("a folder");
            let mut command = python.program("schemathesis");
            command
                .arg("--config-file")
                .arg(folder.join("schemathesis.toml"))
                .args(["run", &format!("{}/openapi.json", connection.base_url), "--no-color"])
                .args(["--header", &format!("x-api-key: {key}"), "--max-time", SECONDS_MAX])
                .current_dir(own);
            Program::start(&mut command)
        })
        .collect();
    for run in runs {
        let ended = run.end();
        assert_eq!(ended.code, Some(0), "\n{}\n{}", ended.out, ended.err);
        assert!(ended.out.contains("No issues found"), "{}", ended.out);
    }
}
