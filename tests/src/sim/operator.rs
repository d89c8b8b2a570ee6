//! Whoever looks at the dead letters once everything is mended.

use fastrand::Rng;
use serde_json::Value;

use super::mail::NEWS;
use super::stage::{Asked, Stage};

/// Sends again what was buried and what no timer heals. What a timer heals stays buried, so that it is
/// seen to do so; news are healed by none.
pub(super) async fn redrive(stage: &Stage, rng: &mut Rng) {
    let key = &stage.keys.admin;
    let mut path = "/v1/dead-letters?limit=200".to_owned();
    loop {
        let asked = Asked { method: "GET", key, path: &path, body: None, name: None };
        let (_, list) = stage.insist(rng, asked).await.expect("nothing goes wrong any more");
        for letter in list["dead_letters"].as_array().expect("a list") {
            let intent = letter["intent_id"].as_str().unwrap_or_default();
            let kind = letter["kind"].as_str().unwrap_or_default();
            if !NEWS.contains(&kind) && stage.shelf.has_timer(intent) {
                continue;
            }
            let id = letter["dead_letter_id"].as_str().expect("a name");
            let path = format!("/v1/dead-letters/{id}/redrive");
            let asked = Asked { method: "POST", key, path: &path, body: None, name: None };
            drop(stage.insist(rng, asked).await);
        }
        let Value::String(next) = &list["next_cursor"] else { return };
        path = format!("/v1/dead-letters?limit=200&cursor={next}");
    }
}
