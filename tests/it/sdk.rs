//! The published client, unmodified, against the stack in its own processes: each of its methods that
//! the contract's served parts name. The stories themselves are in `tests/python/sdk`.

use tests::binaries::checkout;
use tests::{Program, Python, Running};

/// Runs the stories of one module, against a stack of their own.
#[track_caller]
fn stories(module: &str) {
    let folder = checkout().join("tests/python/sdk");
    let Some(python) = Python::with(&folder.join("requirements.txt")) else { return };
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("data"));
    let connection = &stack.connection;
    let mut command = python.program("python");
    command
        .args(["-m", "unittest", "--verbose", module])
        .current_dir(folder)
        .env("HOLDPOINT_URL", &connection.base_url)
        .env("HOLDPOINT_AGENT_KEY", &connection.agent_key)
        .env("HOLDPOINT_REVIEWER_KEY", &connection.reviewer_key)
        .env("HOLDPOINT_ADMIN_KEY", &connection.admin_key);
    let ended = Program::run(&mut command).with_code(0);
    assert!(ended.err.contains("... ok"), "no story ran: {}", ended.err);
}

#[test]
fn intents_are_sent_followed_and_steered() {
    stories("test_intents");
}

#[test]
fn agents_are_kept_listen_and_beat() {
    stories("test_agents");
}

#[test]
fn people_and_agents_share_an_inbox() {
    stories("test_inbox");
}

#[test]
fn webhooks_arrive_signed() {
    stories("test_webhooks");
}

#[test]
fn scenarios_and_mcp_run() {
    stories("test_scenarios");
}

#[test]
fn the_public_demonstrations_run_to_their_ends() {
    stories("test_demos");
}

#[test]
fn every_method_of_the_client_is_called() {
    stories("test_coverage");
}
