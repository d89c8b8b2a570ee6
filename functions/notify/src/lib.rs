//! `notify`: tells reviewers what waits for them, and posts to webhooks and to agents.
//!
//! Notices go to one address that the deployer sets, signed by Standard Webhooks 1.0: a mailer, a
//! chat bridge, the local stack. One link per notice leads to a page; nothing in a notice decides.
//!
//! Webhooks and turns go to addresses that others name, by a courier that connects to nothing private.
//! They come from a queue of their own, so that no slow receiver holds up a notice.

mod delivery;
mod news;
mod notice;
mod push;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use shared::app::App;
use shared::boot::{self, Boot};
use shared::callback::{Carrier, Courier, Lookup, Reply};
use shared::dead_letter::Reason;
use shared::error::Error;
use shared::id::IntentId;
use shared::link::LinkSecret;
use shared::message::{Message, Notice};
use shared::queue::{Failure, QueueError, Queues, each};
use standardwebhooks::Webhook;
use tracing::info;

/// What the function needs.
#[derive(Clone, Debug)]
pub struct Notifier {
    /// The app.
    pub app: App,
    /// Signs review links.
    pub secret: LinkSecret,
    /// Where notices go; `None` sends none.
    pub target: Option<Target>,
    /// What links begin with.
    pub public_url: String,
    /// Posts to webhooks and to agents.
    pub courier: Courier,
    /// Where later attempts go.
    pub queues: Queues,
}

/// Where notices go.
#[derive(Clone)]
pub struct Target {
    /// The address.
    pub url: String,
    /// Signs the notices.
    pub secret: Vec<u8>,
    /// Posts them.
    pub carrier: Carrier,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target")
    }
}

/// Why a notice was not sent; it comes again.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The app failed.
    #[error(transparent)]
    App(#[from] Error),
    /// The receiver did not take it. The address stays out of the log.
    #[error("the receiver did not take the notice: {0:?}")]
    Refused(Reply),
    /// The notice cannot be signed.
    #[error("the notice cannot be signed")]
    Unsigned(#[from] standardwebhooks::WebhookError),
    /// The receiver of a webhook did not take it, and the last attempt has been made.
    #[error("the receiver did not take it: {0:?}")]
    Untaken(Reply),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The message belongs in another queue.
    #[error("the message belongs in another queue")]
    Misplaced,
}

impl Failure for NotifyError {
    fn reason(&self) -> Reason {
        match self {
            Self::App(error) => error.reason(),
            Self::Refused(_) => Reason::unanswered("the receiver of notices"),
            Self::Unsigned(_) => Reason::Misdeployed,
            Self::Untaken(reply) => Reason::Untaken { status: reply.status() },
            Self::Queue(error) => error.reason(),
            Self::Misplaced => Reason::Misplaced,
        }
    }
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::start().await;
    let (app, queues) = (boot.app()?, boot.queues());
    // Another client in the same process may have chosen the provider already; it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = match boot::setting("NOTICE_URL") {
        Some(url) => Some(target(url)?),
        None => None,
    };
    let public_url = boot::public_url().unwrap_or_default();
    let courier = Courier::new(boot::callback_reach()?, Lookup::system())?;
    let secret = boot::link_secret()?;
    let notifier = Notifier { app, secret, target, public_url, courier, queues };
    let handler = move |event: LambdaEvent<SqsEvent>| {
        let notifier = notifier.clone();
        async move { Ok::<_, lambda_runtime::Error>(Box::pin(handle(&notifier, event.payload)).await) }
    };
    lambda_runtime::run_concurrent(service_fn(handler)).await
}

fn target(url: String) -> Result<Target, lambda_runtime::Error> {
    let secret = boot::setting("NOTICE_SECRET").ok_or(boot::BootError::Missing("NOTICE_SECRET"))?;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(Target { url, secret: secret.into_bytes(), carrier: Carrier::network(client) })
}

/// Works through notices, deliveries and turns.
pub async fn handle(notifier: &Notifier, event: SqsEvent) -> SqsBatchResponse {
    let work = |message| Box::pin(notifier.work(message));
    Box::pin(each(&notifier.app, &notifier.queues, event, work)).await
}

impl Notifier {
    async fn work(&self, message: Message) -> Result<(), NotifyError> {
        match message {
            Message::Notice { intent, notice, .. } => self.tell(intent, &notice).await,
            Message::Delivery(due) => self.deliver(due).await,
            Message::News(news) => self.report(news).await,
            Message::Push { intent, .. } => Box::pin(self.push(intent)).await,
            Message::Turn { .. }
            | Message::Wake { .. }
            | Message::Recover { .. }
            | Message::RecoverAll { .. }
            | Message::AskEnded { .. }
            | Message::ParentEnded { .. } => Err(NotifyError::Misplaced),
        }
    }

    async fn tell(&self, intent: IntentId, notice: &Notice) -> Result<(), NotifyError> {
        let found = self.app.store().load(self.app.tenant(), intent).await.map_err(Error::from)?;
        let Some(target) = &self.target else {
            info!(intent_id = %intent, "no NoticeUrl is set, nobody was told");
            return Ok(());
        };
        // A notice may come late; what was decided or has ended needs none.
        let intents = found.iter().map(|stored| &stored.intent);
        let letters = intents.flat_map(|intent| notice::letters(self, intent, notice));
        for letter in letters {
            target.post(&letter, self.app.now().as_second()).await?;
        }
        Ok(())
    }

    /// How long until `due_at`; `None` once it has come.
    fn early(&self, due_at: Timestamp) -> Option<Duration> {
        let early = Duration::try_from(due_at.duration_since(self.app.now())).ok();
        early.filter(|early| !early.is_zero())
    }
}

impl Target {
    async fn post(&self, letter: &notice::Letter, now_s: i64) -> Result<(), NotifyError> {
        let body = letter.body.to_string();
        let webhook = Webhook::from_bytes(self.secret.clone())?;
        let signature = webhook.sign(&letter.id, now_s, body.as_bytes())?;
        let request = self
            .carrier
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &letter.id)
            .header("webhook-timestamp", now_s.to_string())
            .header("webhook-signature", signature)
            .body(body);
        let reply = self.carrier.send(request).await;
        if reply.is_taken() { Ok(()) } else { Err(NotifyError::Refused(reply)) }
    }
}
