//! Which deployment a command talks to, and with which key.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use shared::principal::Role;

use crate::client::Target;
use crate::failure::Failure;

/// The connection file that a local stack keeps in its data folder.
pub(crate) const FILE: &str = "connection.json";
/// Where `holdpoint up` keeps it unless it is told otherwise.
const DEFAULT_FILE: &str = ".holdpoint/connection.json";
/// Only the owner reads keys.
const OWNER_ONLY: u32 = 0o600;

/// The flags that name a deployment.
#[derive(Args, Clone, Debug)]
pub(crate) struct Deployment {
    /// Base URL of the deployment, such as `http://127.0.0.1:8080`.
    #[arg(long, global = true, env = "HOLDPOINT_URL", help_heading = "Deployment")]
    url: Option<String>,
    /// API key; its role must fit the command.
    #[arg(
        long,
        global = true,
        env = "HOLDPOINT_API_KEY",
        hide_env_values = true,
        help_heading = "Deployment"
    )]
    api_key: Option<ApiKey>,
    /// File with a URL and a key for each role, as `holdpoint up` writes it; counts more than
    /// --url and --api-key [default: .holdpoint/connection.json, if there is one and no --url]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Deployment")]
    connection: Option<PathBuf>,
}

/// An API key, which no log and no message shows.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct ApiKey(String);

/// A deployment and a key for each role.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Connection {
    /// Where it answers.
    pub(crate) base_url: String,
    /// For sending intents.
    pub(crate) agent_key: ApiKey,
    /// For deciding.
    pub(crate) reviewer_key: ApiKey,
    /// For keys and routes.
    pub(crate) admin_key: ApiKey,
}

impl Deployment {
    /// Where to send a command that takes a key with `role`.
    pub(crate) fn target(&self, role: Role) -> Result<Target, Failure> {
        self.target_or(role, Path::new(DEFAULT_FILE))
    }

    fn target_or(&self, role: Role, default_file: &Path) -> Result<Target, Failure> {
        if let Some(file) = &self.connection {
            let found = Connection::read(file)?;
            return found.map(|connection| connection.target(role)).ok_or_else(|| Failure::Read {
                path: file.clone(),
                source: io::ErrorKind::NotFound.into(),
            });
        }
        match (&self.url, &self.api_key) {
            (Some(url), Some(key)) => Ok(Target { base_url: url.clone(), key: key.clone() }),
            (Some(_), None) => Err(Failure::Usage(format!(
                "no API key; set HOLDPOINT_API_KEY to a key with the role {}",
                role.name()
            ))),
            (None, key) => {
                let connection = Connection::read(default_file)?.ok_or_else(nowhere)?;
                let target = connection.target(role);
                Ok(Target { key: key.clone().unwrap_or(target.key), ..target })
            }
        }
    }
}

impl ApiKey {
    /// Takes a key as it was given.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the header of a request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ApiKey {
    fn from(text: &str) -> Self {
        Self(text.trim().to_owned())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

impl Connection {
    /// Reads a connection file, if there is one.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Failure::Read { path: path.to_owned(), source }),
        };
        let remedy = "delete it, and `holdpoint up` writes a new one";
        let malformed = |source| Failure::Malformed { path: path.to_owned(), remedy, source };
        serde_json::from_slice(&text).map(Some).map_err(malformed)
    }

    /// Replaces the file as a whole: a reader, or a crash, sees the old content or the new.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let next = path.with_extension("next");
        let replace = || {
            // What an interrupted write left may have another mode.
            match fs::remove_file(&next) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&next)?;
            file.write_all(serde_json::to_string_pretty(self)?.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&next, path)?;
            path.parent().map_or(Ok(()), sync_folder)
        };
        replace().map_err(|source| Failure::Write { path: path.to_owned(), source })
    }

    /// The target with the key that fits `role`.
    pub(crate) fn target(&self, role: Role) -> Target {
        let key = match role {
            Role::Agent => &self.agent_key,
            Role::Reviewer => &self.reviewer_key,
            Role::Admin => &self.admin_key,
        };
        Target { base_url: self.base_url.clone(), key: key.clone() }
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

fn nowhere() -> Failure {
    Failure::Usage(format!(
        "no deployment is named: set HOLDPOINT_URL and HOLDPOINT_API_KEY, or run `holdpoint up` \
         here, which writes {DEFAULT_FILE}"
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn connection() -> Connection {
        Connection {
            base_url: "http://127.0.0.1:1".to_owned(),
            agent_key: ApiKey::new("hp_a"),
            reviewer_key: ApiKey::new("hp_r"),
            admin_key: ApiKey::new("hp_m"),
        }
    }

    fn deployment(url: Option<&str>, key: Option<&str>, file: Option<&Path>) -> Deployment {
        Deployment {
            url: url.map(str::to_owned),
            api_key: key.map(ApiKey::new),
            connection: file.map(Path::to_owned),
        }
    }

    #[test]
    fn a_connection_is_kept_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(Connection::read(&path).unwrap(), None);
        fs::write(path.with_extension("next"), "left by a crash").unwrap();
        connection().write(&path).unwrap();
        connection().write(&path).unwrap();
        assert_eq!(Connection::read(&path).unwrap(), Some(connection()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_connection_is_named_with_its_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, r#"{"base_url": "#).unwrap();
        let message = Connection::read(&path).unwrap_err().to_string();
        assert!(message.contains(FILE) && message.contains("delete it"), "{message}");
    }

    #[test]
    fn keys_are_not_shown_when_they_are_debugged() {
        let shown = format!("{:?}", connection());
        assert!(!shown.contains("hp_"), "{shown}");
    }

    #[test]
    fn each_role_gets_its_own_key_and_flags_count_more_than_the_default_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        connection().write(&file).unwrap();
        let key = |deployment: Deployment, role| {
            let target = deployment.target_or(role, &file).unwrap();
            format!("{} {}", target.base_url, target.key.reveal())
        };
        let none = deployment(None, None, None);
        assert_eq!(key(none.clone(), Role::Agent), "http://127.0.0.1:1 hp_a");
        assert_eq!(key(none.clone(), Role::Reviewer), "http://127.0.0.1:1 hp_r");
        assert_eq!(key(none, Role::Admin), "http://127.0.0.1:1 hp_m");
        let named = deployment(Some("https://x.example"), Some("mine"), None);
        assert_eq!(key(named, Role::Admin), "https://x.example mine");
        let own_key = deployment(None, Some("mine"), None);
        assert_eq!(key(own_key, Role::Admin), "http://127.0.0.1:1 mine");
        let by_file = deployment(Some("https://x.example"), Some("mine"), Some(&file));
        assert_eq!(key(by_file, Role::Agent), "http://127.0.0.1:1 hp_a");
    }

    #[test]
    fn a_missing_deployment_or_key_is_a_usage_error_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join(FILE);
        let message = |deployment: Deployment| {
            deployment.target_or(Role::Reviewer, &absent).unwrap_err().to_string()
        };
        assert!(message(deployment(None, None, None)).contains("holdpoint up"));
        let without_key = message(deployment(Some("https://x.example"), None, None));
        assert!(without_key.contains("role reviewer"), "{without_key}");
        assert!(message(deployment(None, None, Some(&absent))).contains("cannot read"));
    }
}
