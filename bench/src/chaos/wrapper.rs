//! What a function is started through: it leads it to the proxies and sets its clock.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::Failure;

/// How far a function's clock may be from the right time, in milliseconds.
pub(super) const SKEW_MS_MAX: i64 = 2_000;
/// The functions, as the template names their programs.
const TEMPLATE: &str = include_str!("../../../template.yaml");
/// Where Debian keeps libraries of each architecture.
const LIBRARIES: &str = "/usr/lib";
/// The library that sets a process's clock, in one of those folders.
const LIBFAKETIME: &str = "faketime/libfaketime.so.1";
const EXECUTABLE: u32 = 0o755;
/// Where the library keeps what it shares between processes, and leaves it if they are killed.
const SHARED_MEMORY: &str = "/dev/shm";
const SHARED_NAMES: [&str; 2] = ["faketime_shm_", "sem.faketime_sem_"];

/// A written wrapper.
#[derive(Debug)]
pub(super) struct Wrapper {
    pub(super) path: PathBuf,
    /// By how much each function's clock is wrong, in milliseconds; empty if none can be set.
    pub(super) skew_ms: BTreeMap<String, i64>,
    /// Where the script writes down which processes it became.
    pids: PathBuf,
}

impl Wrapper {
    /// Writes the script that stands for `exe`.
    pub(super) fn write(
        folder: &Path,
        exe: &Path,
        (table, queues): (SocketAddr, SocketAddr),
        seed: u64,
    ) -> Result<Self, Failure> {
        let library = library();
        let skew_ms = if library.is_some() { skews(seed) } else { BTreeMap::new() };
        let mut lines = vec!["#!/bin/sh".to_owned()];
        for (name, there) in [("DYNAMODB", table), ("SQS", queues)] {
            let variable = format!("AWS_ENDPOINT_URL_{name}");
            lines.push(format!("export {variable}=\"http://{there}/${{{variable}#http://}}\""));
        }
        if let Some(library) = library {
            lines.push("case \"$2\" in".to_owned());
            for (function, ms) in &skew_ms {
                let (sign, ms) = (if *ms < 0 { '-' } else { '+' }, ms.unsigned_abs());
                let (seconds, ms) = (ms / 1_000, ms % 1_000);
                lines.push(format!("{function}) export FAKETIME={sign}{seconds}.{ms:03} ;;"));
            }
            lines.push("esac\nexport FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned());
            lines.push(format!("export LD_PRELOAD='{}'", library.display()));
        }
        let pids = folder.join("pids");
        lines.push(format!("echo $$ >>'{}'", pids.display()));
        lines.push(format!("exec '{}' \"$@\"\n", exe.display()));
        let path = folder.join("function");
        fs::write(&path, lines.join("\n"))
            .map_err(Failure::system("write the functions' wrapper"))?;
        let permissions = fs::Permissions::from_mode(EXECUTABLE);
        fs::set_permissions(&path, permissions)
            .map_err(Failure::system("make the functions' wrapper executable"))?;
        Ok(Self { path, skew_ms, pids })
    }
}

impl Drop for Wrapper {
    fn drop(&mut self) {
        let pids = fs::read_to_string(&self.pids).unwrap_or_default();
        for (pid, name) in pids.lines().flat_map(|pid| SHARED_NAMES.map(|name| (pid, name))) {
            // Processes that ended in good order have removed their own.
            let _ = fs::remove_file(format!("{SHARED_MEMORY}/{name}{pid}"));
        }
    }
}

fn skews(seed: u64) -> BTreeMap<String, i64> {
    let mut random = Rng::with_seed(seed);
    let binaries = TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("Binary: "));
    binaries.map(|name| (name.to_owned(), random.i64(-SKEW_MS_MAX..=SKEW_MS_MAX))).collect()
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).ok()?;
    folders.filter_map(|folder| Some(folder.ok()?.path().join(LIBFAKETIME))).find(|it| it.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_sets_the_same_clocks_within_the_bound() {
        let skew = skews(7);
        assert_eq!(skew, skews(7));
        assert!(skew.len() > 10 && skew.values().all(|ms| ms.abs() <= SKEW_MS_MAX), "{skew:?}");
        assert!(skew.contains_key("wake"), "{skew:?}");
    }
}
