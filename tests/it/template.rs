//! `template.yaml`: what is deployed is what was built, with no right more than it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_yaml_ng::{Mapping, Value};
use shared::metric::{self, Metric};
use shared::retry::ATTEMPTS_MAX;
use tests::Python;
use tests::binaries::checkout;

/// Variables that functions read and the template leaves to their defaults, and why.
const NOT_IN_TEMPLATE: [(&str, &str); 2] = [
    ("WORKER_LEASE_SECONDS", "the default fits the cloud; the local stack misses workers sooner"),
    ("HOLDPOINT_LOG", "for whoever looks for a fault, on one function and for a while"),
];
/// How variables begin that others define: Lambda sets its own, and of OpenTelemetry's the template sets
/// those that most deployments want.
const OTHERS: [&str; 2] = ["AWS_", "OTEL_"];
/// A message must stay invisible for this many times its consumer's timeout, says AWS, or batches
/// come twice while they are worked on.
const VISIBILITY_PER_TIMEOUT: u64 = 6;

#[test]
fn the_linters_have_nothing_to_say() {
    let requirements = checkout().join("tests/python/sam/requirements.txt");
    let Some(python) = Python::with(&requirements) else { return };
    let validate = ["validate", "--lint", "--region", "us-east-1", "--template", "template.yaml"];
    quiet(python.program("sam").args(validate));
    quiet(python.program("cfn-lint").args(["--regions", "us-east-1", "--", "template.yaml"]));
}

/// Runs a linter without a network or an account; it must find nothing.
fn quiet(linter: &mut Command) {
    let linter = linter
        .current_dir(checkout())
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let found = linter.output().expect("the linter runs");
    let told = [found.stdout, found.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(found.status.success(), "{linter:?} found\n{}", told.concat());
}

#[test]
fn every_function_is_a_package_and_every_package_a_function() {
    let folders = fs::read_dir(checkout().join("functions")).expect("there are functions");
    let folders = folders.map(|entry| entry.expect("a folder").path());
    let packages: BTreeSet<_> = folders.filter(|path| path.is_dir()).map(|p| package(&p)).collect();
    let functions: BTreeSet<_> = functions().values().map(binary).collect();
    assert_eq!(functions, packages);
    let unconditional = self::functions().into_values().filter(|f| f.get("Condition").is_none());
    assert_eq!(functions.len(), unconditional.count(), "two functions share a package");
}

/// The name in a package's manifest, which is the name of its folder and of its binary.
fn package(folder: &Path) -> String {
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let line = manifest.lines().find_map(|line| line.strip_prefix("name = "));
    let name = line.expect("a name").trim_matches('"').to_owned();
    assert_eq!(folder.file_name().and_then(|name| name.to_str()), Some(name.as_str()));
    name
}

#[test]
fn every_variable_that_is_set_is_read_and_every_one_that_is_read_is_set() {
    let globals = at(&template(), &["Globals", "Function", "Environment", "Variables"]);
    let mut set = names(&globals);
    for function in functions().values() {
        set.extend(names(&at(function, &["Properties", "Environment", "Variables"])));
    }
    let mut sources = vec![checkout().join("shared/src/boot.rs")];
    rust_files(&checkout().join("shared/src/boot"), &mut sources);
    rust_files(&checkout().join("functions"), &mut sources);
    let mut read = BTreeSet::new();
    for source in sources.iter().filter(|path| !path.components().any(|c| c.as_os_str() == "tests"))
    {
        read.extend(variables_of(&fs::read_to_string(source).expect("a source file")));
    }
    assert!(set.len() > 8 && read.len() > 8, "set: {set:?}, read: {read:?}");
    read.retain(|name| set.contains(name) || !OTHERS.iter().any(|it| name.starts_with(it)));
    let left_out: BTreeSet<_> = NOT_IN_TEMPLATE.map(|(name, _)| name.to_owned()).into();
    assert_eq!(&set | &left_out, read);
    assert!(set.is_disjoint(&left_out), "{left_out:?} are set after all");
}

/// Names of variables in a source: literals in capitals that open an argument list. What cargo sets is
/// read when a program is built, and never when it runs.
fn variables_of(source: &str) -> BTreeSet<String> {
    let openings = source.split("(\"").skip(1);
    let literals = openings.filter_map(|rest| rest.split_once('"').map(|(name, _)| name));
    let is_variable = |name: &&str| {
        name.len() > 2
            && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && name.contains('_')
            && !name.starts_with("CARGO_")
    };
    literals.filter(is_variable).map(str::to_owned).collect()
}

#[test]
fn no_function_may_do_or_touch_everything() {
    let mut statements_seen = 0;
    for (name, function) in functions() {
        for policy in list(&at(&function, &["Properties", "Policies"])) {
            let statements = list(&at(&policy, &["Statement"]));
            assert!(!statements.is_empty(), "{name} has a policy that others write: {policy:?}");
            for statement in statements {
                statements_seen += 1;
                check_statement(&name, &statement);
            }
        }
    }
    assert!(statements_seen >= functions().len(), "{statements_seen} statements only");
}

fn check_statement(function: &str, statement: &Value) {
    let actions = list(&at(statement, &["Action"]));
    assert!(!actions.is_empty(), "{function}: {statement:?}");
    let mut writes = false;
    for action in &actions {
        let action = action.as_str().expect("an action is a word");
        assert!(!action.contains('*'), "{function} may do {action}");
        writes |= ["dynamodb:Put", "dynamodb:Update", "dynamodb:Delete", "dynamodb:Condition"]
            .iter()
            .any(|verb| action.starts_with(verb));
    }
    for resource in list(&at(statement, &["Resource"])) {
        let text = serde_yaml_ng::to_string(&resource).expect("a resource is YAML");
        assert!(!text.contains('*'), "{function} may touch {text}");
    }
    if writes {
        let keys = ["Condition", "ForAllValues:StringLike", "dynamodb:LeadingKeys"];
        let keys = list(&at(statement, &keys));
        assert!(!keys.is_empty(), "{function} may write every item");
        for key in keys {
            let key = key.as_str().expect("a key is text");
            assert!(key.starts_with("*#") && key.len() > 4, "{function} may write {key}");
        }
    }
}

#[test]
fn every_queue_has_dead_letters_and_every_dead_letter_an_alarm() {
    let queues = of_type("AWS::SQS::Queue");
    let alarms = alarms_on("ApproximateNumberOfMessagesVisible");
    let ages = alarms_on("ApproximateAgeOfOldestMessage");
    let mut consumed = BTreeMap::new();
    let mut dead = BTreeSet::new();
    let mut buried = BTreeSet::new();
    for (name, function) in functions() {
        let Value::Mapping(events) = at(&function, &["Properties", "Events"]) else { continue };
        for event in events.values() {
            let kind = at(event, &["Type"]).as_str().unwrap_or_default().to_owned();
            match kind.as_str() {
                "SQS" => {
                    let queue = target(&at(event, &["Properties", "Queue"]));
                    if binary(&function) == "dead-letters" {
                        buried.insert(queue.clone());
                    }
                    consumed.insert(queue, timeout(&function));
                    assert_reports(&name, event);
                }
                "DynamoDB" => {
                    let on_failure =
                        ["Properties", "DestinationConfig", "OnFailure", "Destination"];
                    dead.insert(target(&at(event, &on_failure)));
                    assert_reports(&name, event);
                }
                "HttpApi" | "ScheduleV2" => {}
                other => panic!("{name} has an event of type {other}; say here what it needs"),
            }
        }
    }
    for (name, timeout_s) in &consumed {
        let queue = queues.get(name).unwrap_or_else(|| panic!("{name} is no queue"));
        if !buried.contains(name) {
            let redrive = at(queue, &["Properties", "RedrivePolicy"]);
            dead.insert(target(&at(&redrive, &["deadLetterTargetArn"])));
            // What is tried more often here is never tried by the queue, and what less often is
            // given up by it without a reason.
            let attempts = at(&redrive, &["maxReceiveCount"]).as_u64();
            assert_eq!(attempts, Some(ATTEMPTS_MAX.into()), "{name}");
            assert!(ages.contains(name), "nobody hears that {name} does not drain");
        }
        let visibility_s = at(queue, &["Properties", "VisibilityTimeout"]).as_u64().unwrap_or(0);
        assert!(visibility_s >= timeout_s * VISIBILITY_PER_TIMEOUT, "{name}: {visibility_s} s");
    }
    assert_eq!(dead, buried, "dead letters that nobody buries, or no dead letters");
    for name in queues.keys() {
        assert!(consumed.contains_key(name), "{name} is not consumed");
    }
    for name in &dead {
        assert!(queues.contains_key(name), "{name} is no queue");
        assert!(alarms.contains(name), "nobody hears of dead letters in {name}");
    }
}

/// The queues with an alarm on this metric.
fn alarms_on(metric: &str) -> BTreeSet<String> {
    let alarms = of_type("AWS::CloudWatch::Alarm").into_values();
    alarms
        .filter(|alarm| at(alarm, &["Properties", "MetricName"]).as_str() == Some(metric))
        .flat_map(|alarm| list(&at(&alarm, &["Properties", "Dimensions"])))
        .map(|dimension| target(&at(&dimension, &["Value"])))
        .collect()
}

#[test]
fn every_metric_of_our_own_has_an_alarm_under_its_name() {
    let line = metric::line(Metric::DeadLetters { origin: "turns" }, 1, Timestamp::UNIX_EPOCH);
    let described = &line["_aws"]["CloudWatchMetrics"][0];
    let ours = of_type("AWS::CloudWatch::Alarm").into_values().find(|alarm| {
        let part = |name: &str| at(alarm, &["Properties", name]);
        part("Namespace").as_str() == described["Namespace"].as_str()
            && part("MetricName").as_str() == described["Metrics"][0]["Name"].as_str()
    });
    assert!(ours.is_some(), "nobody hears of what was given up");
    assert_eq!(described["Dimensions"][0], serde_json::json!([]), "the alarm is on the sum of all");
}

/// One bad message must not bring its whole batch back.
fn assert_reports(function: &str, event: &Value) {
    let types = list(&at(event, &["Properties", "FunctionResponseTypes"]));
    let partial = types.iter().any(|kind| kind.as_str() == Some("ReportBatchItemFailures"));
    assert!(partial, "{function} answers for whole batches only");
}

fn timeout(function: &Value) -> u64 {
    let own = at(function, &["Properties", "Timeout"]).as_u64();
    let global = || at(&template(), &["Globals", "Function", "Timeout"]).as_u64();
    own.or_else(global).expect("a timeout")
}

fn template() -> Value {
    let text = fs::read_to_string(checkout().join("template.yaml")).expect("a template");
    serde_yaml_ng::from_str(&text).expect("the template is YAML")
}

fn functions() -> BTreeMap<String, Value> {
    of_type("AWS::Serverless::Function")
}

fn binary(function: &Value) -> String {
    let name = at(function, &["Metadata", "BuildProperties", "Binary"]);
    name.as_str().expect("a function names its binary").to_owned()
}

/// Resources of one type, by logical id.
fn of_type(wanted: &str) -> BTreeMap<String, Value> {
    let Value::Mapping(resources) = at(&template(), &["Resources"]) else { panic!("no resources") };
    let is_wanted = |resource: &Value| at(resource, &["Type"]).as_str() == Some(wanted);
    let found = resources.into_iter().filter(|(_, resource)| is_wanted(resource));
    found.map(|(name, resource)| (name.as_str().expect("a name").to_owned(), resource)).collect()
}

/// What stands at a path; null if nothing does.
fn at(value: &Value, path: &[&str]) -> Value {
    let mut value = value;
    for name in path {
        match value.get(*name) {
            Some(inner) => value = inner,
            None => return Value::Null,
        }
    }
    value.clone()
}

/// A list, or the one thing that stands in its place.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => vec![],
        Value::Sequence(items) => items.clone(),
        Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Mapping(_)
        | Value::Tagged(_) => vec![value.clone()],
    }
}

/// The logical id behind `!Ref X` or `!GetAtt X.Y`.
fn target(value: &Value) -> String {
    let Value::Tagged(tagged) = value else { panic!("no reference: {value:?}") };
    let named = tagged.value.as_str().expect("a reference names something");
    named.split('.').next().unwrap_or_default().to_owned()
}

fn names(mapping: &Value) -> BTreeSet<String> {
    let keys = mapping.as_mapping().into_iter().flat_map(Mapping::keys);
    keys.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}
