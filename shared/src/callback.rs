//! Posting to addresses that others have named.
//!
//! Whoever names a callback could make Holdpoint knock at doors inside the deployer's own network.
//! So [`CallbackUrl`] refuses what is written badly or leads there by its own words, and [`Courier`]
//! asks again before each connection, when a name has become an address.

#[cfg(feature = "callback")]
mod carrier;
#[cfg(feature = "callback")]
mod courier;
mod reach;
mod reply;
#[cfg(feature = "callback")]
mod resolver;
mod secret;
mod url;

#[cfg(feature = "callback")]
pub use carrier::Carrier;
#[cfg(feature = "callback")]
pub use courier::{Courier, SignedPost};
pub use reach::Reach;
pub use reply::Reply;
#[cfg(feature = "callback")]
pub use resolver::Lookup;
pub use secret::{InvalidSecret, SECRET_BYTES, SECRET_CHARS_MAX, SECRET_CHARS_MIN, SigningSecret};
pub use url::{CALLBACK_URL_BYTES_MAX, CallbackUrl, InvalidCallbackUrl};
