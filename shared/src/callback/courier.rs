//! Posting a signed body to a callback.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use standardwebhooks::{Webhook, WebhookError};

use super::resolver::Guarded;
use super::{CallbackUrl, Carrier, Lookup, Reach, Reply, SigningSecret};

/// One thing to post. Repeating it with the same id is safe: the receiver knows what it has.
#[derive(Clone, Debug)]
pub struct SignedPost {
    /// Where to.
    pub url: CallbackUrl,
    /// Signs it.
    pub secret: SigningSecret,
    /// The same for the same thing, however often it is posted: the receiver's idempotency key.
    pub id: String,
    /// JSON.
    pub body: String,
}

/// Posts to callbacks, and to nowhere beyond its reach.
#[derive(Clone, Debug)]
pub struct Courier {
    reach: Reach,
    carrier: Carrier,
}

impl Courier {
    /// A courier for callbacks within `reach`, which finds addresses by `lookup`.
    pub fn new(reach: Reach, lookup: Lookup) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Guarded { reach, lookup }))
            .https_only(reach == Reach::Public)
            // A proxy would look the name up by itself, and a redirect would lead elsewhere.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // No connection outlives its post, so each one is asked about.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { reach, carrier: Carrier::network(client) })
    }

    /// The same posts by another carrier, which then answers for where they go.
    #[must_use]
    pub fn by(self, carrier: Carrier) -> Self {
        Self { carrier, ..self }
    }

    /// Posts once, signed by Standard Webhooks 1.0 and by the contract's own header.
    ///
    /// # Errors
    ///
    /// When it cannot be signed. Whatever the receiver does is a [`Reply`].
    pub async fn post(&self, post: &SignedPost, now: Timestamp) -> Result<Reply, WebhookError> {
        // The resolver never sees an address that stands in the URL itself.
        if CallbackUrl::parse(post.url.text(), self.reach).is_err() {
            return Ok(Reply::Blocked);
        }
        let now_s = now.as_second();
        let webhook = Webhook::from_bytes(post.secret.key())?;
        let signature = webhook.sign(&post.id, now_s, post.body.as_bytes())?;
        let request = self
            .carrier
            .post(post.url.text())
            .header("content-type", "application/json")
            .header("webhook-id", &post.id)
            .header("webhook-timestamp", now_s.to_string())
            .header("webhook-signature", signature)
            .header("x-axme-signature", post.axme_signature())
            .body(post.body.clone());
        Ok(self.carrier.send(request).await)
    }
}

impl SignedPost {
    /// The contract's signature: over the body alone, with the secret's text as the key.
    fn axme_signature(&self) -> String {
        // A key of any length fits; the other case cannot happen and would sign with nothing.
        let code = Hmac::<Sha256>::new_from_slice(self.secret.reveal().as_bytes());
        let code = code.map(|code| code.chain_update(&self.body).finalize().into_bytes());
        let code = code.map(|bytes| HEXLOWER.encode(&bytes)).unwrap_or_default();
        format!("sha256={code}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_signature_is_the_one_that_its_guides_compute() {
        // What `openssl dgst -sha256 -hmac SECRET` says of the same text.
        let post = SignedPost {
            url: CallbackUrl::parse("https://example.com/", Reach::Public).unwrap(),
            secret: SigningSecret::parse("Jefe-Jefe-Jefe-Jefe").unwrap(),
            id: "msg_1".to_owned(),
            body: "what do ya want for nothing?".to_owned(),
        };
        assert_eq!(
            post.axme_signature(),
            "sha256=3d130ab485fcadc54cf6d4101d0bd5eaa913b7f5d29559e205ee52a0d586f4ec"
        );
    }
}
