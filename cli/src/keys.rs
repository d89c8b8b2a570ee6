//! `holdpoint keys`: who may call the service.

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::account::AccountId;
use shared::address::Address;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::environment;
use crate::failure::{Failure, Verdict};
use crate::intents::address;
use crate::terminal::{self, Terminal, field};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print its token, once (key: admin).
    Create(CreateArguments),
    /// Revoke a key for good (key: admin).
    Revoke {
        /// The key's public ID: the middle of `hp_ID_secret`.
        #[arg(value_name = "ID", value_parser = key_id)]
        id: String,
    },
    /// Make the first administrator's key, without any service.
    ///
    /// Deploy with the digest as the template's parameter `AdminKeySha256`, and keep the key.
    Bootstrap,
}

/// A key to make.
#[derive(Args, Debug)]
pub(crate) struct CreateArguments {
    /// What it may do.
    #[arg(long, value_enum, required_unless_present = "service_account")]
    role: Option<KeyRole>,
    /// Who holds it; decisions carry this name.
    #[arg(long, required_unless_present = "service_account")]
    name: Option<String>,
    /// The service account whose agent it speaks for, in place of role, name and address.
    #[arg(long, value_name = "ID", conflicts_with_all = ["role", "name", "address"])]
    service_account: Option<AccountId>,
    /// The one address that an agent's key speaks for [default: every address]
    #[arg(long, value_parser = address)]
    address: Option<Address>,
    /// From when on it is refused, such as 2030-01-31T17:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    expires_at: Option<Timestamp>,
}

/// The roles, as they are written on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KeyRole {
    /// Sends intents and resumes them with results. Never decides.
    Agent,
    /// Reads what waits for people, and decides.
    Reviewer,
    /// Keeps keys, agents and routes. Never decides.
    Admin,
}

/// Runs the command.
pub(crate) async fn run(
    command: KeysCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match command {
        KeysCommand::Bootstrap => {
            let key = environment::new_key_text();
            let (text, digest) = (key.reveal(), key.digest());
            let answer = json!({"key": text, "admin_key_sha256": digest});
            terminal
                .answer(&answer, || format!("key             {text}\nAdminKeySha256  {digest}"))?;
        }
        KeysCommand::Create(arguments) => {
            let (path, body) = request(&arguments);
            let client = Client::new(&deployment.target(Role::Admin)?)?;
            let answer = client.post(&path, &body).await?;
            terminal.answer(&answer, || {
                let key = |name: &str| field(&answer, &format!("/key/{name}"));
                let (role, name, token) = (key("role"), key("name"), key("token"));
                format!("{token}\nThe key of {name} ({role}). It is shown this once; keep it.")
            })?;
        }
        KeysCommand::Revoke { id } => {
            let client = Client::new(&deployment.target(Role::Admin)?)?;
            let answer = client.post(&format!("/v1/keys/{id}/revoke"), &json!({})).await?;
            terminal.answer(&answer, || {
                let (name, at) =
                    (field(&answer, "/key/name"), terminal::instant(&answer, "/key/revoked_at"));
                format!(
                    "the key of {name} is revoked since {at}; functions may take it for 5 s more"
                )
            })?;
        }
    }
    Ok(Verdict::Done)
}

/// Where the key is asked for, and how.
fn request(arguments: &CreateArguments) -> (String, Value) {
    if let Some(id) = arguments.service_account {
        let body = json!({"expires_at": arguments.expires_at});
        return (format!("/v1/service-accounts/{id}/keys"), body);
    }
    let body = json!({
        "role": arguments.role.map(|role| role.role().name()),
        "name": arguments.name,
        "address": arguments.address.as_ref().map(Address::uri),
        "expires_at": arguments.expires_at,
    });
    ("/v1/keys".to_owned(), body)
}

impl KeyRole {
    fn role(self) -> Role {
        match self {
            Self::Agent => Role::Agent,
            Self::Reviewer => Role::Reviewer,
            Self::Admin => Role::Admin,
        }
    }
}

fn key_id(text: &str) -> Result<String, String> {
    let formed =
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if formed { Ok(text.to_owned()) } else { Err("a key's ID is hex digits".to_owned()) }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let detail = "not an RFC 3339 time with an offset, such as 2030-01-31T17:00:00Z";
    text.parse().map_err(|_| detail.to_owned())
}
