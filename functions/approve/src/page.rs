//! The page behind a review link. Looking changes nothing; only its form decides.

use axum::Extension;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use shared::app::App;
use shared::csrf::{self, CsrfNonce};
use shared::digest::Digest;
use shared::error::Error;
use shared::http::origin::is_loopback;
use shared::http::page;
use shared::id::IntentId;
use shared::intent::command::Seen;
use shared::intent::human_task::{COMMENT_CHARS_MAX, Outcome};
use shared::intent::{Intent, Rejection};
use shared::link::{Link, LinkToken};
use shared::principal::{Assurance, Principal, Role};

use super::draft::{Decision, Draft};
use super::{Reviews, reply};

const COOKIE_NAME: &str = "holdpoint_review";

/// The link in the path; what is no text is no link.
type Token = Result<Path<String>, PathRejection>;

/// The form of the page, as it was posted.
type Posted = Result<Form<Vec<(String, String)>>, FormRejection>;

/// Shows what is asked. It reads, and writes nothing: mail scanners and previews open links too.
pub(super) async fn show(
    State(app): State<App>,
    Extension(reviews): Extension<Reviews>,
    headers: HeaderMap,
    token: Token,
) -> Response {
    let Ok(Path(token)) = token else { return reply::not_found() };
    let link = match LinkToken::verify(&token, &reviews.secret, app.now()) {
        Ok(link) => link,
        Err(error) => return reply::bad_link(&error),
    };
    let intent = match load(&app, &link).await {
        Ok(intent) => intent,
        Err(error) => return failed(&error),
    };
    if let Some(page) = reply::standing(&intent) {
        return page;
    }
    let hold = intent.open_hold().filter(|hold| hold.version == link.hold_version);
    let Some(hold) = hold else { return reply::stale() };
    let nonce = CsrfNonce::from_bytes(app.random());
    let form = csrf::csrf_token(&reviews.secret, &nonce, &token);
    let draft = Draft::new(&intent, hold);
    let mut response = reply::review(&intent, hold, &link, &form, app.now(), &draft);
    if let Ok(cookie) = HeaderValue::from_str(&cookie(&nonce, &token, &headers)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

/// Takes the reviewer's decision, once.
pub(super) async fn decide(
    State(app): State<App>,
    Extension(reviews): Extension<Reviews>,
    headers: HeaderMap,
    token: Token,
    form: Posted,
) -> Response {
    let Ok(Path(token)) = token else { return reply::not_found() };
    let link = match LinkToken::verify(&token, &reviews.secret, app.now()) {
        Ok(link) => link,
        Err(error) => return reply::bad_link(&error),
    };
    let posted = form.ok().and_then(|Form(pairs)| Decision::read(pairs));
    let Some(decision) = posted else {
        return reply::bad_request("form", "The form is not complete.", "Open the link again.");
    };
    let genuine = nonce(&headers)
        .is_some_and(|nonce| csrf::verify(&reviews.secret, &nonce, &token, &decision.csrf));
    if !genuine || is_cross_site(&headers) {
        return reply::forged();
    }
    let intent = match load(&app, &link).await {
        Ok(intent) => intent,
        Err(error) => return failed(&error),
    };
    let mut draft = decision.draft(&intent);
    let answered = take(&app, &link, &decision, &draft).await;
    // Another reviewer may have been first: the page says who, so it looks at the state as it is now.
    match (answered, load(&app, &link).await) {
        (Ok(intent), _) => reply::decided(&intent),
        (Err(Error::Rejected(Rejection::FormInvalid(faults))), Ok(intent)) => {
            draft.faults = faults;
            reply::again(&intent, &link, &decision.csrf, app.now(), &draft)
        }
        (Err(error), Ok(intent)) => reply::refused(&error, &intent),
        (Err(_), Err(error)) => failed(&error),
    }
}

async fn take(app: &App, link: &Link, decision: &Decision, draft: &Draft) -> Result<Intent, Error> {
    let outcome = Outcome::parse(&decision.outcome)
        .map_err(|_| Error::field("outcome", "is none of the buttons of the page"))?;
    let digest = Digest::try_from(decision.digest.clone())
        .map_err(|error| Error::field("digest", error.to_string()))?;
    if draft.comment.chars().count() > COMMENT_CHARS_MAX {
        let detail = format!("A comment has at most {COMMENT_CHARS_MAX} characters.");
        return Err(Error::field("comment", detail));
    }
    // A link decides the hold point that it was issued for, and no later one.
    if decision.version != link.hold_version {
        return Err(Error::Rejected(Rejection::StaleView));
    }
    let seen = Seen { version: decision.version, digest };
    let id = IntentId::new(link.intent_id);
    app.answer(&reviewer(link), id, draft.answer(outcome), Some(seen)).await
}

/// The reviewer whom the link names. Holding the link proves a mailbox, not a person, and the
/// decision says so.
fn reviewer(link: &Link) -> Principal {
    Principal {
        tenant: link.tenant.clone(),
        name: link.reviewer.clone(),
        role: Role::Reviewer,
        address: None,
        assurance: Assurance::Link,
    }
}

async fn load(app: &App, link: &Link) -> Result<Intent, Error> {
    if link.tenant != app.tenant() {
        return Err(Error::NotFound("intent"));
    }
    let stored = app.load(IntentId::new(link.intent_id)).await?;
    Ok(stored.intent)
}

fn failed(error: &Error) -> Response {
    if error.is_retryable() { reply::trouble() } else { reply::not_found() }
}

fn nonce(headers: &HeaderMap) -> Option<CsrfNonce> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim() == COOKIE_NAME)?;
    CsrfNonce::from_cookie_value(value.trim())
}

/// Whether a browser says that the form was sent from another site.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| site != "same-origin")
}

/// The cookie that ties the form to this browser, for this page alone.
fn cookie(nonce: &CsrfNonce, token: &str, headers: &HeaderMap) -> String {
    let host = headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or("");
    let secure = if is_loopback(host) { "" } else { "; Secure" };
    let (value, path) = (nonce.to_cookie_value(), page::path(token));
    format!("{COOKIE_NAME}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}")
}
