//! The page behind a review link: looking changes nothing, and only its own form decides, once.

mod forms;
mod page;

use std::time::Duration;

use serde_json::{Value, json};
use shared::intent::Status;
use shared::intent::human_task::Outcome;
use shared::link::LinkSecret;
use shared::principal::Assurance;
use tests::World;

use self::page::{Page, assert_protected, shows};
use crate::harness::{
    bare, events, key, link, link_to, names, path_of, question, stored, text, turn,
};

async fn ask(world: &World) -> String {
    question(world, "agent_core", json!({"title": "Deploy to production?"})).await
}

#[tokio::test]
async fn looking_changes_nothing_however_often_and_by_whom() {
    let world = World::new().await;
    let id = ask(&world).await;
    let path = path_of(&world, &link(&world, &id, "ana").await);
    let before = world.table.items().await;
    for _ in 0..20 {
        for method in ["GET", "HEAD"] {
            let request = bare(method, &path).header("user-agent", "Link-Preview/1.0");
            let answer = world.send(request, text("")).await;
            assert_eq!(answer.status.as_u16(), 200);
            assert_eq!(answer.text.is_empty(), method == "HEAD");
            assert_protected(&answer);
        }
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
            let answer = world.send(bare(method, &path), text("")).await;
            assert_eq!(answer.status.as_u16(), 405, "{method}");
            assert_eq!(answer.headers["allow"], "GET, POST", "{method}");
        }
    }
    assert_eq!(world.table.items().await, before);
    assert_eq!(stored(&world, &id).await.status(), Status::Waiting);
}

#[tokio::test]
async fn the_page_shows_the_whole_action_and_no_agents_markup() {
    let world = World::new().await;
    let sent = json!({
        "intent_type": "deploy.<b>request</b>.v1",
        "to_agent": "agent_core",
        "payload": {"service": "<script>alert(1)</script>", "hidden": "a\u{202e}b"},
        "human_task": {"title": "Deploy \"api\" & <i>more</i>"},
    });
    let id = crate::harness::create(&world, &sent).await;
    let path = path_of(&world, &link(&world, &id, "ana").await);
    let answer = world.send(bare("GET", &path), text("")).await;
    for part in ["<script", "<i>", "<b>", "\u{202e}"] {
        assert!(!answer.text.contains(part), "{part}");
    }
    for part in ["&lt;script&gt;alert(1)", "⟨U+202E⟩", "contains hidden characters", "local-agent"]
    {
        assert!(answer.text.contains(part), "{part} in {}", answer.text);
    }
}

#[tokio::test]
async fn the_cookie_is_for_this_page_alone_and_out_of_reach_of_scripts() {
    let world = World::new().await;
    let id = ask(&world).await;
    let path = path_of(&world, &link(&world, &id, "ana").await);
    for (host, secure) in
        [("127.0.0.1:8080", false), ("localhost", false), ("approve.example.com", true)]
    {
        let request = axum::http::Request::get(&path).header("host", host);
        let answer = world.send(request, text("")).await;
        let cookie = answer.headers["set-cookie"].to_str().unwrap();
        let attributes: Vec<_> = cookie.split("; ").skip(1).collect();
        let place = format!("Path={path}");
        let mut expected = vec![place.as_str(), "HttpOnly", "SameSite=Strict"];
        expected.extend(secure.then_some("Secure"));
        assert_eq!(attributes, expected, "{host}");
    }
}

#[tokio::test]
async fn a_link_that_opens_nothing_says_nothing_of_what_exists() {
    let world = World::new().await;
    let id = ask(&world).await;
    let good = link(&world, &id, "ana").await;
    let token = good.sign(&world.secret).unwrap().as_str().to_owned();
    let other_secret = LinkSecret::from_bytes(&[8; 32]).unwrap();
    let mut nobodys = good.clone();
    nobodys.intent_id = crate::harness::nobody().uuid();
    let mut strangers = good.clone();
    "another-tenant".clone_into(&mut strangers.tenant);
    let flipped = |at: usize| {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(changed).unwrap()
    };
    let before = world.table.items().await;
    let mut pages = Vec::new();
    for wrong in [
        "x".to_owned(),
        "%FF".to_owned(),
        "r1.".to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        flipped(4),
        flipped(30),
        flipped(token.len() - 10),
        "r1.".to_owned() + &"A".repeat(5000),
        good.sign(&other_secret).unwrap().as_str().to_owned(),
        nobodys.sign(&world.secret).unwrap().as_str().to_owned(),
        strangers.sign(&world.secret).unwrap().as_str().to_owned(),
    ] {
        let path = format!("/approve/{wrong}");
        let looked = world.send(bare("GET", &path), text("")).await;
        shows(&looked, 404, "Link not valid");
        assert_protected(&looked);
        assert!(!looked.headers.contains_key("set-cookie"));
        pages.push(looked.text);
        let form = Page::open(&world, &id, "ana").await;
        let posted = Page { path, ..form }.press(&world, "approved", "").await;
        // A form for a link that opens nothing is as wrong as the link, or was never its form.
        assert!([400, 404].contains(&posted.status.as_u16()), "{wrong}: {}", posted.text);
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "the pages must not tell one fault from another");
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_form_that_is_not_the_reviewers_own_decides_nothing() {
    let world = World::new().await;
    let (id, second) = (ask(&world).await, ask(&world).await);
    let page = Page::open(&world, &id, "ana").await;
    let other = Page::open(&world, &second, "ana").await;
    let form = page.form("approved", "");
    let cookie = ("cookie", page.cookie.as_str());
    let before = world.table.items().await;
    let forged = Page { csrf: "A".repeat(43), ..page.clone() }.form("approved", "");
    let empty = Page { csrf: String::new(), ..page.clone() }.form("approved", "");
    let borrowed = Page { csrf: other.csrf.clone(), ..page.clone() }.form("approved", "");
    for (what, form, headers) in [
        ("no cookie", &form, vec![]),
        ("another cookie", &form, vec![("cookie", other.cookie.as_str())]),
        ("an empty cookie", &form, vec![("cookie", "holdpoint_review=")]),
        ("a wrong token", &forged, vec![cookie]),
        ("an empty token", &empty, vec![cookie]),
        ("another page's token", &borrowed, vec![("cookie", other.cookie.as_str())]),
        ("cross-site", &form, vec![cookie, ("sec-fetch-site", "cross-site")]),
        ("same-site", &form, vec![cookie, ("sec-fetch-site", "same-site")]),
        ("no site", &form, vec![cookie, ("sec-fetch-site", "none")]),
    ] {
        let answer = page.post(&world, form, &headers).await;
        assert_eq!(answer.status.as_u16(), 400, "{what}");
        shows(&answer, 400, "Decision not taken");
    }
    assert_eq!(world.table.items().await, before);
    let headers = [("cookie", "a=b; other=c"), cookie, ("sec-fetch-site", "same-origin")];
    shows(&page.post(&world, &form, &headers).await, 200, "Decision recorded");
}

#[tokio::test]
async fn a_view_that_is_out_of_date_decides_nothing() {
    let world = World::new().await;
    let id = ask(&world).await;
    let page = Page::open(&world, &id, "ana").await;
    let before = world.table.items().await;
    let older = Page { version: "2".to_owned(), ..page.clone() };
    let other = Page { digest: "0".repeat(64), ..page.clone() };
    for stale in [older, other] {
        shows(&stale.press(&world, "approved", "").await, 409, "Request has changed");
    }
    for (field, wrong) in [
        ("outcome", page.press(&world, "maybe", "").await),
        ("outcome", page.press(&world, "", "").await),
        ("comment", page.press(&world, "approved", &"x".repeat(2001)).await),
        (
            "digest",
            Page { digest: "x".to_owned(), ..page.clone() }.press(&world, "approved", "").await,
        ),
    ] {
        shows(&wrong, 400, "Decision not taken");
        assert!(wrong.text.contains(&format!(">{field}<")), "{field} in {}", wrong.text);
    }
    assert_eq!(world.table.items().await, before);
    shows(&page.press(&world, "approved", "").await, 200, "Decision recorded");
}

#[tokio::test]
async fn a_link_for_one_hold_point_decides_no_other() {
    let world = World::new().await;
    let id = ask(&world).await;
    let page = Page::open(&world, &id, "ana").await;
    let mut link = link(&world, &id, "ana").await;
    link.hold_version += 2;
    let path = path_of(&world, &link);
    shows(&world.send(bare("GET", &path), text("")).await, 409, "Request has changed");
    // A form made for this link, which names the hold point that does wait.
    let nonce = shared::csrf::CsrfNonce::from_bytes([1; 16]);
    let token = path.trim_start_matches("/approve/");
    let csrf = shared::csrf::csrf_token(&world.secret, &nonce, token);
    let cookie = format!("holdpoint_review={}", nonce.to_cookie_value());
    let crossed = Page { path, cookie, csrf, ..page };
    shows(&crossed.press(&world, "approved", "").await, 409, "Request has changed");
    assert_eq!(stored(&world, &id).await.status(), Status::Waiting);
}

#[tokio::test]
async fn one_decision_counts_and_everybody_else_is_told_whose_it_was() {
    let world = World::new().await;
    let id = ask(&world).await;
    let page = Page::open(&world, &id, "ana").await;
    let second = Page::open(&world, &id, "ben").await;
    let third = Page::open(&world, &id, "ana").await;
    let answer = page.press(&world, "approved", "looks%20good%0D%0Ato%20me").await;
    shows(&answer, 200, "Decision recorded");
    let after = world.table.items().await;
    let decided = events(&world, &id).await;

    shows(&page.press(&world, "approved", "").await, 200, "Decision recorded");
    shows(&third.press(&world, "approved", "").await, 200, "Decision recorded");
    let changed = page.press(&world, "rejected", "").await;
    shows(&changed, 409, "Already decided");
    let late = second.press(&world, "approved", "").await;
    shows(&late, 409, "Already decided");
    assert!(late.text.contains("ana") && late.text.contains("looks good"), "{}", late.text);
    let looked = world.send(bare("GET", &second.path), text("")).await;
    shows(&looked, 200, "Already decided");
    assert!(!looked.text.contains("<form"));
    let api = json!({"decision": "reject"});
    let path = format!("/v1/approvals/{id}/decision");
    let by_key = world.post(&world.reviewer, &path, &api).await;
    crate::harness::refused(&by_key, 409, "already_decided");

    assert_eq!(world.table.items().await, after);
    assert_eq!(events(&world, &id).await, decided);
    let decision = stored(&world, &id).await.decided().unwrap().decision.clone();
    assert_eq!(decision.comment.as_deref(), Some("looks good\nto me"));
    assert_eq!((decision.by.as_str(), decision.outcome), ("ana", Outcome::APPROVED));
}

#[tokio::test]
async fn a_decision_says_whether_a_link_or_a_key_made_it() {
    let world = World::new().await;
    let (by_link, by_key) = (ask(&world).await, ask(&world).await);
    Page::open(&world, &by_link, "ana").await.press(&world, "rejected", "").await;
    let path = format!("/v1/approvals/{by_key}/decision");
    world.post(&world.reviewer, &path, &json!({"decision": "reject"})).await;
    for (id, assurance) in [(by_link, Assurance::Link), (by_key, Assurance::Key)] {
        let intent = stored(&world, &id).await;
        assert_eq!(intent.status(), Status::Failed);
        assert_eq!(intent.decided().unwrap().decision.assurance, assurance);
        let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
        assert_eq!(read["decision"]["assurance"], assurance.name());
    }
}

#[tokio::test]
async fn a_decision_before_the_deadline_counts_and_one_at_it_does_not() {
    for (ms, status, title, ended) in [
        (59_000, 200, "Decision recorded", Status::Completed),
        (59_999, 200, "Decision recorded", Status::Completed),
        (60_000, 410, "Link expired", Status::Waiting),
        (61_000, 410, "Link expired", Status::Waiting),
    ] {
        let world = World::new().await;
        let body = json!({"intent_type": "t", "to_agent": "agent_core", "ttl_seconds": 60});
        let id = crate::harness::create(&world, &body).await;
        let page = Page::open(&world, &id, "ana").await;
        // The core refuses it by itself, even where the link would still open.
        let intent = stored(&world, &id).await;
        let later = intent.envelope.deadline_at.checked_add(Duration::from_hours(1)).unwrap();
        let long = Page::open_link(&world, &link_to(&intent, "ana", later)).await;
        world.pass(Duration::from_millis(ms));
        shows(&page.press(&world, "approved", "").await, status, title);
        if status == 410 {
            shows(&long.press(&world, "approved", "").await, 410, "Too late to decide");
            let path = format!("/v1/approvals/{id}/decision");
            let api = world.post(&world.reviewer, &path, &json!({"decision": "approve"})).await;
            crate::harness::refused(&api, 410, "deadline_passed");
        }
        assert_eq!(stored(&world, &id).await.status(), ended, "{ms}");
    }
}

#[tokio::test]
async fn a_request_that_was_withdrawn_or_ended_needs_no_decision() {
    let world = World::new().await;
    let id = ask(&world).await;
    let page = Page::open(&world, &id, "ana").await;
    let path = format!("/v1/intents/{id}/resolve");
    let canceled = world.post(&world.agent, &path, &json!({"status": "CANCELED"})).await;
    assert_eq!(canceled.status.as_u16(), 200, "{}", canceled.text);
    let before = world.table.items().await;
    shows(&world.send(bare("GET", &page.path), text("")).await, 410, "No decision needed");
    shows(&page.press(&world, "approved", "").await, 410, "No decision needed");
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_comment_is_required_where_the_task_says_so() {
    let world = World::new().await;
    let id = question(&world, "agent_core", json!({"required_comment": true})).await;
    let page = Page::open(&world, &id, "ana").await;
    for empty in ["", "%20", "%0D%0A", "%E2%80%83"] {
        let answer = page.press(&world, "approved", empty).await;
        shows(&answer, 400, "Decision not taken");
        assert!(answer.text.contains(">comment<"));
    }
    // A line break is two characters on the wire and one in the limit.
    let comment = format!("{}%0D%0A{}", "x".repeat(1000), "y".repeat(999));
    shows(&page.press(&world, "rejected", &comment).await, 200, "Decision recorded");
    let stored = stored(&world, &id).await;
    let comment = stored.decided().unwrap().decision.comment.clone().unwrap();
    assert_eq!((comment.chars().count(), comment.contains('\r')), (2000, false));
}

#[tokio::test]
async fn an_outcome_that_the_task_does_not_take_is_refused_as_such() {
    let world = World::new().await;
    let task = json!({"allowed_outcomes": ["approved", "approved"]});
    let id = question(&world, "agent_core", task).await;
    let page = Page::open(&world, &id, "ana").await;
    let looked = world.send(bare("GET", &page.path), text("")).await;
    assert_eq!(looked.text.matches("name=\"outcome\"").count(), 1, "{}", looked.text);
    let answer = page.press(&world, "rejected", "").await;
    shows(&answer, 400, "Decision not taken");
    assert!(answer.text.contains(">outcome<"), "{}", answer.text);
}

#[tokio::test]
async fn who_asks_cannot_answer_and_neither_can_those_who_were_not_asked() {
    let world = World::new().await;
    let task = json!({"assignees": ["ana", "local-agent", "local-reviewer"]});
    let id = question(&world, "agent_core", task).await;
    let before = world.table.items().await;
    for (reviewer, reason) in [("local-agent", "who asks"), ("ben", "other reviewers")] {
        let answer = Page::open(&world, &id, reviewer).await.press(&world, "approved", "").await;
        shows(&answer, 403, "Not yours to decide");
        assert!(answer.text.contains(reason), "{}", answer.text);
    }
    assert_eq!(world.table.items().await, before);
    shows(
        &Page::open(&world, &id, "ana").await.press(&world, "approved", "").await,
        200,
        "Decision recorded",
    );
}

#[tokio::test]
async fn the_one_whose_result_waits_cannot_release_it() {
    let world = World::new().await;
    let route = json!({"human_task": {"title": "Sign off"}});
    world.put(&world.admin, "/v1/routes/careful", &route).await;
    let id = turn(&world, "careful").await;
    let role = shared::principal::Role::Agent;
    let agent = key(&world, "carl", role, Some("careful")).await;
    let path = format!("/v1/intents/{id}/resume");
    let held = world.post(&agent, &path, &json!({"action": "complete", "n": 1})).await;
    assert_eq!(held.json()["status"], "WAITING", "{}", held.text);
    let own = Page::open(&world, &id, "carl").await.press(&world, "approved", "").await;
    shows(&own, 403, "Not yours to decide");
    let page = Page::open(&world, &id, "ana").await;
    shows(&page.press(&world, "approved", "").await, 200, "Decision recorded");
    assert_eq!(names(&world, &id).await.last().map(String::as_str), Some("intent.completed"));
}

#[tokio::test]
async fn a_task_list_has_what_its_reader_may_decide_even_behind_a_hundred_others() {
    let world = World::new().await;
    for _ in 0..101 {
        question(&world, "agent_core", json!({"assignees": ["ben"]})).await;
        world.pass(Duration::from_millis(1));
    }
    let mine = question(&world, "agent_core", json!({"assignees": ["local-reviewer"]})).await;
    let tasks = world.get(&world.reviewer, "/v1/me/tasks").await.json();
    let ids: Vec<&Value> =
        tasks["tasks"].as_array().unwrap().iter().map(|task| &task["intent_id"]).collect();
    assert_eq!(ids, [&json!(mine)]);
    let url = tasks["tasks"][0]["approve_url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1").unwrap();
    shows(&world.send(bare("GET", path), text("")).await, 200, "Review request");
}

#[tokio::test]
async fn who_a_task_was_escalated_to_finds_it_and_may_decide() {
    let world = World::new().await;
    let body = json!({
        "intent_type": "t",
        "to_agent": "agent_core",
        "human_task": {"assignees": ["ben"]},
        "escalate_to": "local-reviewer",
        "remind_after_seconds": 60,
        "max_reminders": 0,
    });
    let id = crate::harness::create(&world, &body).await;
    let tasks = async || world.get(&world.reviewer, "/v1/me/tasks").await.json()["tasks"].clone();
    assert_eq!(tasks().await, json!([]));
    world.pass(Duration::from_mins(1));
    let command = shared::intent::Command::Wake;
    world.app.execute(id.parse().unwrap(), &command, &[]).await.unwrap();
    assert_eq!(tasks().await[0]["intent_id"], json!(id));
    let path = format!("/v1/approvals/{id}/decision");
    let decided = world.post(&world.reviewer, &path, &json!({"decision": "approve"})).await;
    assert_eq!(decided.json()["status"], "COMPLETED", "{}", decided.text);
}
