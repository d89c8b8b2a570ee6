//! The properties that the fuzzer tries, on any toolchain: for every seed, for seeds that were changed, and for anything.

use std::collections::BTreeSet;
use std::path::PathBuf;

use properties::TARGETS;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use tests::binaries::checkout;

/// Inputs of each kind for each target; all of them take some seconds.
const CASES: u32 = 300;
/// The most changes to a seed.
const CHANGES_MAX: usize = 6;

#[test]
fn every_target_has_a_file_and_seeds_and_nobody_else_has() {
    let names: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("seeds"), names);
    let manifest = std::fs::read_to_string(fuzz("Cargo.toml")).unwrap();
    for name in &names {
        let path = fuzz(&format!("fuzz_targets/{name}.rs"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("properties::{name}(bytes)")), "{text}");
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not built");
    }
}

#[test]
fn the_properties_hold_for_every_seed() {
    let mut faults = vec![];
    for (name, property) in TARGETS {
        for (path, seed) in files(name).into_iter().zip(seeds(name)) {
            // What is wrong with one says nothing about the others.
            if std::panic::catch_unwind(|| property(&seed)).is_err() {
                faults.push(path.display().to_string());
            }
        }
    }
    assert!(faults.is_empty(), "they do not hold for {}", faults.join(", "));
}

#[test]
fn the_properties_hold_for_changed_seeds() {
    let words = words();
    let mut faults = vec![];
    for (name, property) in TARGETS {
        let changes = prop::collection::vec(change(&words), 1..=CHANGES_MAX);
        let inputs = (select(seeds(name)), changes).prop_map(|(seed, changes)| {
            changes.iter().fold(seed, |bytes, change| change.applied_to(bytes))
        });
        faults.extend(fault(name, property, &inputs));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_properties_hold_for_anything() {
    let mut faults = vec![];
    for (name, property) in TARGETS {
        let bytes = prop::collection::vec(any::<u8>(), 0..200);
        let text = ".{0,100}".prop_map(String::into_bytes);
        let json = json().prop_map(String::into_bytes);
        faults.extend(fault(name, property, &prop_oneof![bytes, text, json]));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every run tries the same inputs; `fuzz/run` looks for others.
const SEED: u64 = 1;

/// The smallest input that was found for which the property does not hold.
fn fault(
    name: &str,
    property: fn(&[u8]),
    inputs: &impl Strategy<Value = Vec<u8>>,
) -> Option<String> {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(SEED),
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(inputs, |bytes| {
        property(&bytes);
        Ok(())
    });
    match tried {
        Ok(()) => None,
        Err(TestError::Fail(reason, bytes)) => {
            Some(format!("{name} of {:?}: {reason}", String::from_utf8_lossy(&bytes)))
        }
        Err(TestError::Abort(reason)) => Some(format!("{name}: {reason}")),
    }
}

/// What happens to some bytes.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index, u8),
    Twice(Index, u8),
    Word(Index, Vec<u8>),
}

fn change(words: &[Vec<u8>]) -> impl Strategy<Value = Change> + use<> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        (any::<Index>(), 1..32_u8).prop_map(|(at, count)| Change::Cut(at, count)),
        (any::<Index>(), 1..32_u8).prop_map(|(at, count)| Change::Twice(at, count)),
        (any::<Index>(), select(words.to_vec())).prop_map(|(at, word)| Change::Word(at, word)),
    ]
}

impl Change {
    fn applied_to(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let len = bytes.len();
        let place = |at: &Index| at.index(len + 1);
        let range = |at: &Index, count: u8| place(at)..len.min(place(at) + usize::from(count));
        match self {
            Self::Byte(at, byte) => {
                if let Some(at) = bytes.get_mut(place(at)) {
                    *at = *byte;
                }
            }
            Self::Cut(at, count) => {
                let range = range(at, *count);
                bytes.drain(range);
            }
            Self::Twice(at, count) => {
                let range = range(at, *count);
                let again = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, again);
            }
            Self::Word(at, word) => {
                let at = place(at);
                bytes.splice(at..at, word.iter().copied());
            }
        }
        bytes
    }
}

/// JSON of any shape.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec!["null", "true", "false", "0", "-1", "1.5", "1e3", "9007199254740993", "\"\""])
            .prop_map(str::to_owned),
        "[a-z_]{0,8}".prop_map(|word| format!("\"{word}\"")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("[a-z_]{1,12}", inner), 0..4).prop_map(|fields| {
                let fields = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

fn fuzz(path: &str) -> PathBuf {
    checkout().join("fuzz").join(path)
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    std::fs::read_dir(fuzz(folder)).unwrap().map(|entry| stem(entry.unwrap().path())).collect()
}

fn files(name: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(fuzz(&format!("seeds/{name}"))).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    files(name).into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The fuzzer's dictionary.
fn words() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(fuzz("words.dict")).unwrap();
    let quoted = |line: &str| line.strip_prefix('"')?.strip_suffix('"').map(unescaped);
    text.lines().filter_map(quoted).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let hex = after.strip_prefix('x').and_then(|after| after.split_at_checked(2));
        rest = if let Some((hex, after)) = hex {
            bytes.push(u8::from_str_radix(hex, 16).unwrap());
            after
        } else {
            let (one, after) = after.split_at(1);
            bytes.extend(one.bytes());
            after
        };
    }
    bytes.extend(rest.bytes());
    bytes
}
