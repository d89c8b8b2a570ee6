//! What is wrong with a deployment, and what to do about it.
//!
//! The facts are read by whoever can; what they mean is decided here.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

/// How long the schedule may rest: it runs each minute, and one run may fail.
pub const SWEEP_RESTS_MAX: Duration = Duration::from_mins(3);
/// How late a wake-up may be before something is wrong: the schedule hands it over in its last minute,
/// and a message that fails comes again.
pub const WAKE_LATE_MAX: Duration = Duration::from_mins(2);

/// What is known of a deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Now, by the deployment's clock.
    pub now: Timestamp,
    /// When the schedule looked at the timers last.
    pub swept_at: Option<Timestamp>,
    /// Wake-ups that are later than [`WAKE_LATE_MAX`], and how many there are at least.
    pub late_wakes: Waiting,
    /// Messages that were given up and not sent again since.
    pub dead_letters: Waiting,
    /// Agents that were heard once and are not any more.
    pub silent_agents: Vec<String>,
    /// Agents that an administrator has killed.
    pub killed_agents: Vec<String>,
    /// What the deployer has set.
    pub settings: Settings,
}

/// Things that wait for too long.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// How many.
    pub count: usize,
    /// Whether there may be more.
    pub or_more: bool,
    /// Since when the oldest waits.
    pub since: Option<Timestamp>,
}

/// Settings that deserve a look.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the template by itself")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// The first administrator's key is still in the template's parameters.
    pub first_key: bool,
    /// Reviewers are told of new tasks.
    pub notices: bool,
    /// Webhooks may go to private addresses.
    pub private_callbacks: bool,
    /// The built-in agent follows fixed rules, without a model.
    pub scripted_model: bool,
    /// Requests of a key are limited.
    pub rate_limit: bool,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, and deserves a look.
    Warning,
    /// Somebody waits for what will not happen.
    Failure,
}

/// What one check found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it stands.
    pub level: Level,
    /// What was seen.
    pub detail: String,
    /// What to do, unless it is as it should be.
    pub remedy: Option<String>,
}

impl Finding {
    /// Something that is as it should be.
    pub fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, detail: detail.into(), remedy: None }
    }

    /// Something that deserves a look.
    pub fn warning(check: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        let (detail, remedy) = (detail.into(), Some(remedy.to_owned()));
        Self { check, level: Level::Warning, detail, remedy }
    }

    /// Something that is broken.
    pub fn failure(check: &'static str, detail: impl Into<String>, remedy: &str) -> Self {
        Self { level: Level::Failure, ..Self::warning(check, detail, remedy) }
    }
}

/// What each check finds, in the order in which somebody would go through them.
pub fn diagnose(facts: &Facts) -> Vec<Finding> {
    let settings = &facts.settings;
    let mut findings =
        vec![schedule(facts), wakes(facts), dead_letters(facts), silent(facts), killed(facts)];
    findings.extend([
        setting("first key", !settings.first_key, FIRST_KEY),
        setting("notices", settings.notices, NOTICES),
        setting("callbacks", !settings.private_callbacks, CALLBACKS),
        setting("model", !settings.scripted_model, MODEL),
        setting("rate limit", settings.rate_limit, RATE_LIMIT),
    ]);
    findings
}

fn schedule(facts: &Facts) -> Finding {
    let check = "schedule";
    let remedy = "see RUNBOOK.md, \"The schedule rests\": is the rule of the function `wake` enabled, \
                  and what does its log say?";
    let Some(swept_at) = facts.swept_at else {
        return Finding::failure(check, "it has never looked at the timers", remedy);
    };
    let rested = since(swept_at, facts.now);
    if rested > SWEEP_RESTS_MAX {
        let detail = format!("it looked at the timers {} ago", span(rested));
        return Finding::failure(check, detail, remedy);
    }
    Finding::ok(check, format!("it looked at the timers {} ago", span(rested)))
}

fn wakes(facts: &Facts) -> Finding {
    let check = "wake-ups";
    if facts.late_wakes.count == 0 {
        return Finding::ok(check, "none is late");
    }
    let remedy = "see RUNBOOK.md, \"Wake-ups are late\": deadlines still hold, since each decision looks \
                  at the clock, but reminders and endings do not come";
    let waited = facts.late_wakes.waited(facts.now);
    let detail = match facts.late_wakes.several() {
        None => format!("1 is late by {waited}"),
        Some(count) => format!("{count} are late, the oldest by {waited}"),
    };
    Finding::failure(check, detail, remedy)
}

fn dead_letters(facts: &Facts) -> Finding {
    let check = "dead letters";
    if facts.dead_letters.count == 0 {
        return Finding::ok(check, "there are none");
    }
    let remedy = "look at them with `holdpoint dead list`; once their reason is mended, send them again \
                  with `holdpoint dead redrive ID`";
    let waited = facts.dead_letters.waited(facts.now);
    let detail = match facts.dead_letters.several() {
        None => format!("1 was given up; it was sent {waited} ago"),
        Some(count) => format!("{count} were given up; the oldest was sent {waited} ago"),
    };
    Finding::failure(check, detail, remedy)
}

fn silent(facts: &Facts) -> Finding {
    let check = "agents";
    if facts.silent_agents.is_empty() {
        return Finding::ok(check, "all that were ever heard are still heard");
    }
    let remedy = "start them again, or delete their accounts if they are gone for good";
    let detail = format!("not heard any more: {}", facts.silent_agents.join(", "));
    Finding::warning(check, detail, remedy)
}

fn killed(facts: &Facts) -> Finding {
    let check = "kill switch";
    if facts.killed_agents.is_empty() {
        return Finding::ok(check, "no agent is killed");
    }
    let remedy =
        "let them go on with `holdpoint agents resume ADDRESS`, once you know why they were killed";
    Finding::warning(check, format!("killed: {}", facts.killed_agents.join(", ")), remedy)
}

/// What is said of a setting: as it should be, as it is, and what to do.
type Said = [&'static str; 3];

const FIRST_KEY: Said = [
    "it is not in the parameters any more",
    "it is still in the parameters of the stack",
    "make an administrator's key with `holdpoint keys create`, then deploy with an empty AdminKeySha256",
];
const NOTICES: Said = [
    "reviewers are told of new tasks",
    "nobody is told of new tasks",
    "set NoticeUrl, or see to it that reviewers look at their tasks",
];
const CALLBACKS: Said = [
    "webhooks go to public addresses only",
    "webhooks may go to private addresses and without TLS",
    "set AllowPrivateCallbacks to false, unless everybody who holds a key may reach what is there",
];
const MODEL: Said = [
    "the built-in agent asks a model",
    "the built-in agent follows fixed rules; it asks no model",
    "set OpenAiApiKey, if anything is sent to the built-in agent",
];
const RATE_LIMIT: Said = [
    "the requests of each key are limited",
    "a key may ask as often as it likes",
    "set RateLimitPerMinute",
];

fn setting(check: &'static str, as_it_should_be: bool, [good, other, remedy]: Said) -> Finding {
    if as_it_should_be { Finding::ok(check, good) } else { Finding::warning(check, other, remedy) }
}

impl Waiting {
    /// How many there are, unless it is just one.
    fn several(&self) -> Option<String> {
        match (self.count, self.or_more) {
            (1, false) => None,
            (count, false) => Some(count.to_string()),
            (count, true) => Some(format!("{count} or more")),
        }
    }

    fn waited(&self, now: Timestamp) -> String {
        span(self.since.map_or(Duration::ZERO, |at| since(at, now)))
    }
}

fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or(Duration::ZERO)
}

/// A span in its largest unit, as people say it.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7200 => (seconds / 60, "min"),
        7200..172_800 => (seconds / 3600, "h"),
        172_800.. => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    type Set = fn(&mut Settings);

    /// A deployment to which nothing is wrong.
    fn healthy() -> Facts {
        Facts {
            now: at(1_000_000),
            swept_at: Some(at(999_970)),
            late_wakes: Waiting::default(),
            dead_letters: Waiting::default(),
            silent_agents: vec![],
            killed_agents: vec![],
            settings: Settings {
                first_key: false,
                notices: true,
                private_callbacks: false,
                scripted_model: false,
                rate_limit: true,
            },
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Facts), check: &str, level: Level, detail: &str) {
        let mut facts = healthy();
        change(&mut facts);
        let wrong: Vec<_> =
            diagnose(&facts).into_iter().filter(|found| found.level != Level::Ok).collect();
        let [found] = wrong.as_slice() else { panic!("{wrong:?}") };
        assert_eq!((found.check, found.level, found.detail.as_str()), (check, level, detail));
        assert!(found.remedy.is_some());
    }

    #[test]
    fn nothing_is_found_where_nothing_is_wrong() {
        let found = diagnose(&healthy());
        assert!(found.iter().all(|it| it.level == Level::Ok && it.remedy.is_none()), "{found:?}");
        assert_eq!(found.len(), 10);
    }

    #[test]
    fn whatever_keeps_somebody_waiting_is_a_failure() {
        use Level::Failure;
        check(|it| it.swept_at = None, "schedule", Failure, "it has never looked at the timers");
        let rested = "it looked at the timers 3 min ago";
        check(|it| it.swept_at = Some(at(999_819)), "schedule", Failure, rested);
        let two = Waiting { count: 2, or_more: true, since: Some(at(992_800)) };
        let one = Waiting { count: 1, or_more: false, since: Some(at(0)) };
        let at_least_one = Waiting { or_more: true, ..one };
        for (waiting, late, dead) in [
            (
                two,
                "2 or more are late, the oldest by 2 h",
                "2 or more were given up; the oldest was sent 2 h ago",
            ),
            (one, "1 is late by 11 days", "1 was given up; it was sent 11 days ago"),
            (
                at_least_one,
                "1 or more are late, the oldest by 11 days",
                "1 or more were given up; the oldest was sent 11 days ago",
            ),
        ] {
            check(|it| it.late_wakes = waiting, "wake-ups", Failure, late);
            check(|it| it.dead_letters = waiting, "dead letters", Failure, dead);
        }
    }

    #[test]
    fn whatever_deserves_a_look_is_a_warning() {
        use Level::Warning;
        let gone = "not heard any more: a, b";
        check(|it| it.silent_agents = vec!["a".into(), "b".into()], "agents", Warning, gone);
        check(|it| it.killed_agents = vec!["a".into()], "kill switch", Warning, "killed: a");
        let settings: [(Set, &str, Said); 5] = [
            (|it| it.first_key = true, "first key", FIRST_KEY),
            (|it| it.notices = false, "notices", NOTICES),
            (|it| it.private_callbacks = true, "callbacks", CALLBACKS),
            (|it| it.scripted_model = true, "model", MODEL),
            (|it| it.rate_limit = false, "rate limit", RATE_LIMIT),
        ];
        for (set, name, [_, detail, _]) in settings {
            check(|it| set(&mut it.settings), name, Warning, detail);
        }
    }

    #[test]
    fn a_schedule_that_missed_one_run_is_all_right() {
        let facts = Facts { swept_at: Some(at(999_820)), ..healthy() };
        assert!(diagnose(&facts).iter().all(|found| found.level == Level::Ok));
    }
}
