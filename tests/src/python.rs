//! Python environments of the tests' own, pinned, under the target folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use shared::digest::Digest;

use crate::binaries::target;

/// A Python with exactly what a requirements file names.
#[derive(Debug)]
pub struct Python {
    folder: PathBuf,
}

impl Python {
    /// The environment for `requirements`, made if it is not there yet. A file with other contents
    /// gets another environment.
    ///
    /// A machine without Python has none, and says so; where tests count, that is a failure.
    pub fn with(requirements: &Path) -> Option<Self> {
        if Command::new("python3").arg("--version").output().is_err() {
            let missing = "python3 is not there; install Python 3.11 or later with its venv module";
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("NOT TESTED, what {} is for: {missing}", requirements.display());
            return None;
        }
        let text = std::fs::read(requirements).expect("the requirements are there");
        let name = Digest::of_bytes(&text).hex()[..16].to_owned();
        let folder = target().join("python").join(name);
        std::fs::create_dir_all(&folder).expect("the target folder takes folders");
        // Two tests may want the same environment at the same time; one makes it.
        let lock = File::create(folder.join("lock")).expect("a lock file");
        lock.lock().expect("the lock is ours in the end");
        let done = folder.join("done");
        if !done.exists() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder.join("venv")));
            let pip = folder.join("venv/bin/pip");
            let quiet = ["install", "--quiet", "--disable-pip-version-check", "-r"];
            run(Command::new(pip).args(quiet).arg(requirements));
            File::create(done).expect("a mark");
        }
        Some(Self { folder })
    }

    /// A program of the environment, such as `python` or `cfn-lint`.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join("venv/bin").join(name));
        command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
        command
    }

    /// Where its packages are.
    pub fn packages(&self) -> PathBuf {
        let print = ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"];
        let printed = self.program("python").args(print).output().expect("python runs");
        PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim())
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed with {status}");
}
