//! The page as a browser has it.

use shared::http::page::security_headers;
use shared::link::Link;
use tests::{Answer, World};

use crate::harness::{bare, link, path_of, text};

/// What a browser keeps of a page: where it posts, its cookie and its form.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) path: String,
    pub(super) cookie: String,
    pub(super) csrf: String,
    pub(super) version: String,
    pub(super) digest: String,
}

impl Page {
    /// Opens the page that `reviewer` was sent.
    pub(super) async fn open(world: &World, id: &str, reviewer: &str) -> Self {
        Self::open_link(world, &link(world, id, reviewer).await).await
    }

    pub(super) async fn open_link(world: &World, link: &Link) -> Self {
        let path = path_of(world, link);
        let answer = world.send(bare("GET", &path), text("")).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let field = |name| value_of(&answer.text, name);
        let (csrf, version, digest) = (field("csrf"), field("version"), field("digest"));
        Self { path, cookie, csrf, version, digest }
    }

    pub(super) fn form(&self, outcome: &str, comment: &str) -> String {
        let (csrf, version, digest) = (&self.csrf, &self.version, &self.digest);
        format!("csrf={csrf}&version={version}&digest={digest}&outcome={outcome}&comment={comment}")
    }

    pub(super) async fn press(&self, world: &World, outcome: &str, comment: &str) -> Answer {
        self.post(world, &self.form(outcome, comment), &[("cookie", &self.cookie)]).await
    }

    pub(super) async fn post(&self, world: &World, form: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = bare("POST", &self.path);
        request = request.header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = world.send(request, text(form)).await;
        assert_protected(&answer);
        answer
    }
}

pub(super) fn value_of(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("the field");
    rest.split('"').next().unwrap().to_owned()
}

#[track_caller]
pub(super) fn assert_protected(answer: &Answer) {
    for (name, value) in security_headers() {
        let sent = answer.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(sent, Some(value.as_str()), "{name} of {}", answer.text);
    }
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
}

#[track_caller]
pub(super) fn shows(answer: &Answer, status: u16, title: &str) {
    let shown = answer.text.split("<title>").nth(1).and_then(|rest| rest.split(" · ").next());
    assert_eq!((answer.status.as_u16(), shown), (status, Some(title)), "{}", answer.text);
}
