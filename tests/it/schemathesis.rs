//! The API's description against the running service, tried by a generator: examples, edges and
//! random requests under each role's key, and nothing may contradict what is described.

use std::time::Duration;

use serde_json::{Value, json};
use shared::http::openapi;
use tests::binaries::checkout;
use tests::{Program, Python, Running};

/// How long one key's requests may take, on a machine that does other things.
const RUN_MAX: Duration = Duration::from_mins(6);

#[test]
fn the_service_does_what_its_description_says() {
    let folder = checkout().join("tests/python/schemathesis");
    let Some(python) = Python::with(&folder.join("requirements.txt")) else { return };
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("data"));
    let connection = &stack.connection;
    let holders = [
        ("agent", &connection.agent_key),
        ("reviewer", &connection.reviewer_key),
        ("admin", &connection.admin_key),
    ];
    // At the same time: a part of it is waiting for streams.
    let runs = holders.map(|(role, key)| {
        let own = data.path().join(role);
        std::fs::create_dir(&own).expect("a folder");
        let mut command = python.program("schemathesis");
        command
            .arg("--config-file")
            .arg(folder.join("schemathesis.toml"))
            .args(["run", &format!("{}/openapi.json", connection.base_url), "--no-color"])
            .args(["--header", &format!("x-api-key: {key}")])
            .current_dir(own);
        for id in operations(role) {
            command.args(["--include-operation-id", &id]);
        }
        Program::start(&mut command)
    });
    for run in runs {
        let ended = run.end_within(RUN_MAX);
        assert_eq!(ended.code, Some(0), "\n{}\n{}", ended.out, ended.err);
        assert!(ended.out.contains("No issues found"), "{}", ended.out);
    }
}

/// The operations that keys with this role may call; others refuse them before they look further.
fn operations(role: &str) -> Vec<String> {
    let document = openapi::document();
    let paths = document["paths"].as_object().expect("it has paths").values();
    let operations = paths.flat_map(|methods| methods.as_object().expect("methods").values());
    let may = |operation: &&Value| {
        let roles = operation["x-roles"].as_array();
        roles.is_none_or(|roles| roles.contains(&json!(role)))
    };
    let id = |operation: &Value| operation["operationId"].as_str().expect("a name").to_owned();
    operations.filter(may).map(id).collect()
}
