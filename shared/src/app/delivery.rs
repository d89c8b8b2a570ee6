//! How agents are to get their intents.

use super::App;
use crate::callback::{CallbackUrl, SECRET_BYTES, SigningSecret};
use crate::error::Error;
use crate::intent::envelope::Delivery;
use crate::route::{Push, Route};

/// How an agent is to get its intents; what is not named stays as it is.
#[derive(Clone, Debug, Default)]
pub struct NewDelivery {
    /// In which way.
    pub mode: Option<Delivery>,
    /// Where its turns are posted.
    pub callback_url: Option<CallbackUrl>,
    /// The caller's own secret.
    pub secret: Option<SigningSecret>,
}

/// How an agent gets its intents from now on.
#[derive(Debug)]
pub(super) struct Arranged {
    pub(super) delivery: Delivery,
    pub(super) push: Option<Push>,
    /// The secret, if it was made for this.
    pub(super) made: Option<SigningSecret>,
}

impl NewDelivery {
    /// Whether it names anything.
    pub fn is_named(&self) -> bool {
        self.mode.is_some() || self.callback_url.is_some() || self.secret.is_some()
    }
}

impl App {
    /// How the agent of route `known` gets its intents if it is to be as `new` says. A secret belongs to
    /// its address: another address has another one.
    pub(super) fn arrange(
        &self,
        new: &NewDelivery,
        known: Option<&Route>,
    ) -> Result<Arranged, Error> {
        let delivery = new.mode.or(known.map(|route| route.delivery)).unwrap_or(Delivery::Stream);
        if delivery != Delivery::Push {
            refuse_callback(new, "belongs to delivery_mode http; send both, or neither")?;
            return Ok(Arranged { delivery, push: None, made: None });
        }
        let had = known.and_then(|route| route.push.as_ref());
        let url = new.callback_url.as_ref().or(had.map(|push| &push.url));
        let url = url.cloned().ok_or_else(|| {
            let detail = "is missing; delivery_mode http posts to it, so send one such as \
                          https://agents.example.com/holdpoint";
            Error::field("callback_url", detail)
        })?;
        let kept = had.filter(|push| push.url.normal() == url.normal()).map(|push| &push.secret);
        if let Some(secret) = new.secret.as_ref().or(kept).cloned() {
            return Ok(Arranged { delivery, push: Some(Push { url, secret }), made: None });
        }
        let secret = SigningSecret::new(self.random::<SECRET_BYTES>());
        let made = Some(secret.clone());
        Ok(Arranged { delivery, push: Some(Push { url, secret }), made })
    }
}

/// How intents for an address that leads to `agent` get there. Where they are posted is the agent's
/// own, so that an intent goes there by whichever address it came.
pub(super) fn arrange_alias(new: &NewDelivery, agent: Option<&Route>) -> Result<Arranged, Error> {
    refuse_callback(new, "belongs to the agent; send it to the agent's own address")?;
    let delivery = new.mode.or(agent.map(|agent| agent.delivery)).unwrap_or(Delivery::Stream);
    if delivery == Delivery::Push && agent.is_none_or(|agent| agent.push.is_none()) {
        let detail = "is http, and the agent has no callback_url; register the agent with one";
        return Err(Error::field("delivery_mode", detail));
    }
    Ok(Arranged { delivery, push: None, made: None })
}

fn refuse_callback(new: &NewDelivery, detail: &str) -> Result<(), Error> {
    if new.callback_url.is_some() {
        return Err(Error::field("callback_url", detail));
    }
    if new.secret.is_some() {
        return Err(Error::field("secret", detail));
    }
    Ok(())
}
