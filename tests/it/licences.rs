//! What the dependencies allow us to do, and where they come from.

use std::process::Command;

use serde_json::Value;
use tests::binaries::checkout;

/// Licences under which anybody may use, change and pass on what we build.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];
/// Packages under another licence: name, licence, and why it may stay.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];
/// Where every package comes from.
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";
/// The machines that the programs are built for.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/// Whether an SPDX expression can be met by allowed licences alone. Both operators are read as SPDX
/// says: AND binds more tightly. The slash of older crates means OR.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words };
    let allowed = reader.any();
    assert!(reader.words.is_empty(), "`{expression}` is no licence expression");
    allowed
}

/// What is left of an expression.
struct Reader<'a> {
    words: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn any(&mut self) -> bool {
        let mut allowed = self.all();
        while self.skip("OR") {
            allowed |= self.all();
        }
        allowed
    }

    fn all(&mut self) -> bool {
        let mut allowed = self.one();
        while self.skip("AND") {
            allowed &= self.one();
        }
        allowed
    }

    fn one(&mut self) -> bool {
        if self.skip("(") {
            let allowed = self.any();
            assert!(self.skip(")"), "a bracket is not closed");
            return allowed;
        }
        let name = self.take().to_owned();
        let name = if self.skip("WITH") { format!("{name} WITH {}", self.take()) } else { name };
        ALLOWED.contains(&name.as_str())
    }

    fn skip(&mut self, word: &str) -> bool {
        let next = self.words.first() == Some(&word);
        if next {
            self.take();
        }
        next
    }

    fn take(&mut self) -> &'a str {
        let (first, rest) = self.words.split_first().expect("an expression ends in a licence");
        self.words = rest;
        first
    }
}

/// What cargo knows of every package that a build for `platform` uses.
fn packages(platform: &str) -> Vec<Value> {
    let arguments = ["metadata", "--locked", "--offline", "--format-version", "1"];
    let asked = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--filter-platform", platform])
        .current_dir(checkout())
        .output()
        .expect("cargo runs");
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let told: Value = serde_json::from_slice(&asked.stdout).expect("cargo tells JSON");
    told["packages"].as_array().expect("a list").clone()
}

#[test]
fn every_dependency_may_be_used_and_passed_on() {
    let mut refused = Vec::new();
    for platform in PLATFORMS {
        let packages = packages(platform);
        assert!(packages.len() > 100, "cargo lists {} packages only", packages.len());
        for package in packages {
            let name = package["name"].as_str().unwrap_or_default();
            let licence = package["license"].as_str().unwrap_or_default();
            let excepted = EXCEPTIONS.iter().any(|(n, l, _)| (*n, *l) == (name, licence));
            if licence.is_empty() || !(is_allowed(licence) || excepted) {
                refused.push(format!("{name}: `{licence}`"));
            }
        }
    }
    assert!(refused.is_empty(), "\n{}", refused.join("\n"));
}

#[test]
fn every_dependency_comes_from_the_one_registry_with_a_checksum() {
    let lock = std::fs::read_to_string(checkout().join("Cargo.lock")).expect("a lock file");
    let count = |start: &str| lock.lines().filter(|line| line.starts_with(start)).count();
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let other: Vec<_> = sources.filter(|source| source.trim_matches('"') != SOURCE).collect();
    assert!(other.is_empty(), "{other:?}");
    assert_eq!(count("source = "), count("checksum = "));
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for (expression, allowed) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("MIT/Apache-2.0", true),
        ("MIT OR GPL-3.0-only AND ISC", true),
        ("(MIT OR GPL-3.0-only) AND MPL-2.0", false),
        ("(MIT OR GPL-3.0-only) AND (ISC OR MPL-2.0)", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}
