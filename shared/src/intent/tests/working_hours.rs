//! Working hours: when they begin next, on ordinary days and where clocks are changed, and what they
//! do to reminders.

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::super::react;
use super::super::working_hours::{HOLIDAYS_MAX, SpelledHours, WEEKDAYS, WorkingHours};
use super::flow::{self, Stage};
use super::time::calendar;
use super::*;

const BERLIN: &str = "Europe/Berlin";
const OFFICE: &[&str] = &["mon", "tue", "wed", "thu", "fri"];
/// Half an hour, a skipped day, a quarter of an hour, changes over midnight and none at all.
const ZONES: [&str; 8] = [
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "UTC",
];

fn spelled(zone: &str, days: &[&str], (from, to): (&str, &str)) -> SpelledHours {
    SpelledHours {
        time_zone: zone.to_owned(),
        days: days.iter().map(|day| (*day).to_owned()).collect(),
        from: from.to_owned(),
        to: to.to_owned(),
        holidays: None,
    }
}

fn hours(zone: &str, days: &[&str], times: (&str, &str)) -> WorkingHours {
    spelled(zone, days, times).try_into().unwrap()
}

fn office() -> WorkingHours {
    hours(BERLIN, OFFICE, ("09:00", "17:00"))
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn opens(hours: &WorkingHours, asked: &str, expected: &str) {
    assert_eq!(hours.next_opening(moment(asked)), Some(moment(expected)), "from {asked} on");
}

#[test]
fn a_moment_outside_of_the_hours_leads_to_the_next_opening_and_one_inside_stays() {
    let office = office();
    opens(&office, "2030-01-04T07:59:59Z", "2030-01-04T08:00:00Z");
    opens(&office, "2030-01-04T08:00:00Z", "2030-01-04T08:00:00Z");
    opens(&office, "2030-01-04T15:59:59.999Z", "2030-01-04T15:59:59.999Z");
    opens(&office, "2030-01-04T16:00:00Z", "2030-01-07T08:00:00Z");
    opens(&office, "2030-01-05T23:30:00Z", "2030-01-07T08:00:00Z");
    opens(&office, "2030-06-29T12:00:00Z", "2030-07-01T07:00:00Z");
    let kathmandu = hours("Asia/Kathmandu", &["wed"], ("09:00", "17:00"));
    opens(&kathmandu, "2030-01-01T00:00:00Z", "2030-01-02T03:15:00Z");
    let whole_days = hours("UTC", &["sat", "sun"], ("00:00", "24:00"));
    opens(&whole_days, "2030-01-04T12:00:00Z", "2030-01-05T00:00:00Z");
    opens(&whole_days, "2030-01-06T23:59:59Z", "2030-01-06T23:59:59Z");
    opens(&whole_days, "2030-01-07T00:00:00Z", "2030-01-12T00:00:00Z");
    let mut closed = spelled(BERLIN, OFFICE, ("09:00", "17:00"));
    closed.holidays = Some(vec!["2030-12-25".to_owned(), "2030-12-26".to_owned()]);
    opens(&closed.try_into().unwrap(), "2030-12-24T16:00:00Z", "2030-12-27T08:00:00Z");
}

#[test]
fn an_opening_that_the_clocks_skip_is_the_first_moment_after_the_gap() {
    let night = hours(BERLIN, &["sun"], ("02:30", "04:00"));
    opens(&night, "2030-03-30T12:00:00Z", "2030-03-31T01:00:00Z");
    let night = hours("America/New_York", &["sun"], ("02:30", "04:00"));
    opens(&night, "2030-03-09T12:00:00Z", "2030-03-10T07:00:00Z");
    let half_an_hour = hours("Australia/Lord_Howe", &["sun"], ("02:15", "04:00"));
    opens(&half_an_hour, "2030-10-05T12:00:00Z", "2030-10-05T15:30:00Z");
    // All of the hours are skipped, and with Apia's day all of the day.
    let short = hours(BERLIN, &["sun"], ("02:10", "02:50"));
    opens(&short, "2030-03-30T12:00:00Z", "2030-04-07T00:10:00Z");
    let friday = hours("Pacific/Apia", &["fri"], ("09:00", "17:00"));
    opens(&friday, "2011-12-29T12:00:00Z", "2012-01-05T19:00:00Z");
    let weekend = hours("Pacific/Apia", &["fri", "sat"], ("00:00", "17:00"));
    opens(&weekend, "2011-12-30T08:00:00Z", "2011-12-30T10:00:00Z");
}

#[test]
fn an_opening_that_the_clocks_show_twice_begins_at_the_first_and_again_at_the_second() {
    let night = hours(BERLIN, &["sun"], ("02:30", "02:45"));
    opens(&night, "2030-10-26T12:00:00Z", "2030-10-27T00:30:00Z");
    opens(&night, "2030-10-27T00:45:00Z", "2030-10-27T01:30:00Z");
    opens(&night, "2030-10-27T01:45:00Z", "2030-11-03T01:30:00Z");
    let half_an_hour = hours("Australia/Lord_Howe", &["sun"], ("01:45", "03:00"));
    opens(&half_an_hour, "2030-04-06T12:00:00Z", "2030-04-06T14:45:00Z");
    opens(&half_an_hour, "2030-04-06T15:00:00Z", "2030-04-06T15:15:00Z");
    // The clocks are set back to a time before the end, when it has passed.
    let evening = hours("America/New_York", &["sun"], ("00:30", "01:20"));
    opens(&evening, "2030-11-03T05:20:00Z", "2030-11-03T06:00:00Z");
}

#[test]
fn a_year_without_a_working_day_has_no_opening() {
    let first: Date = "2030-01-07".parse().unwrap();
    let mondays: Vec<String> = first.series(7.days()).take(60).map(|it| it.to_string()).collect();
    let never =
        SpelledHours { holidays: Some(mondays), ..spelled(BERLIN, &["mon"], ("09:00", "17:00")) };
    let never: WorkingHours = never.try_into().unwrap();
    assert_eq!(never.next_opening(moment("2030-01-01T00:00:00Z")), None);
    opens(&never, "2031-01-01T00:00:00Z", "2031-03-03T08:00:00Z");

    let reminders = Reminders { after_s: Some(30), interval_s: 60, max: 3 };
    let opened_at = moment("2030-01-01T00:00:00Z").as_second();
    let given = asked(reminders, never, opened_at, 366 * 24 * 3_600);
    let deadline_at = opened_at + 366 * 24 * 3_600;
    assert_eq!(calendar(&given), [(deadline_at, vec!["TimedOut"])], "nobody is ever told");
    check(&given, (Command::Wake, deadline_at - 1), Ok(&[]));
}

#[test]
fn what_cannot_be_meant_is_refused_by_its_member() {
    let good = spelled(BERLIN, OFFICE, ("09:00", "17:00"));
    let check = |field: &str, change: &dyn Fn(&mut SpelledHours)| {
        let mut bad = good.clone();
        change(&mut bad);
        let refused = WorkingHours::try_from(bad.clone()).expect_err(&format!("{bad:?}"));
        assert_eq!(refused.field, field, "{refused}");
    };
    for zone in ["", "Berlin", "Europe/Atlantis", "+01:00", "Etc/Unknown", "../etc/passwd"] {
        check("time_zone", &|hours| hours.time_zone = zone.to_owned());
    }
    check("days", &|hours| hours.days.clear());
    check("days[5]", &|hours| hours.days.push("Mon".to_owned()));
    for time in ["", "9:00", "09", "09:60", "24:01", "-1:00", "09:00:00", "+9:00", "noon"] {
        check("from", &|hours| hours.from = time.to_owned());
        check("to", &|hours| hours.to = time.to_owned());
    }
    check("to", &|hours| hours.to = "09:00".to_owned());
    check("to", &|hours| (hours.from, hours.to) = ("22:00".to_owned(), "06:00".to_owned()));
    for date in ["", "25.12.2030", "2030-02-29", "2030-12-25T00:00:00", "12-25"] {
        check("holidays[0]", &|hours| hours.holidays = Some(vec![date.to_owned()]));
    }
    let many = vec!["2030-12-25".to_owned(); HOLIDAYS_MAX + 1];
    check("holidays", &|hours| hours.holidays = Some(many.clone()));
}

#[test]
fn hours_are_stored_as_they_are_shown() {
    let sent = SpelledHours {
        days: vec!["fri".to_owned(), "mon".to_owned(), "fri".to_owned()],
        holidays: Some(vec!["2030-12-26".to_owned(), "2030-12-25".to_owned()]),
        ..spelled("europe/berlin", OFFICE, ("08:05", "24:00"))
    };
    let hours: WorkingHours = sent.try_into().unwrap();
    let stored = r#"{"time_zone":"Europe/Berlin","days":["mon","fri"],"from":"08:05","to":"24:00","holidays":["2030-12-25","2030-12-26"]}"#;
    assert_eq!(serde_json::to_string(&hours).unwrap(), stored);
    assert_eq!(serde_json::from_str::<WorkingHours>(stored).unwrap(), hours);
    let envelope = Envelope { working_hours: Some(hours), ..held(Placement::OnArrival) };
    let text = serde_json::to_string(&envelope).unwrap();
    assert_eq!(serde_json::from_str::<Envelope>(&text).unwrap(), envelope);
}

// What they do to reminders.

/// A question that was asked at `opened_at`.
fn asked(
    reminders: Reminders,
    working_hours: WorkingHours,
    opened_at: i64,
    ttl_s: i64,
) -> Vec<Step> {
    let envelope = Envelope {
        reminders,
        working_hours: Some(working_hours),
        escalate_to: Some(address("boss")),
        deadline_at: at(opened_at + ttl_s),
        ..held(Placement::OnArrival)
    };
    vec![(create(envelope), opened_at)]
}

#[test]
fn reminders_and_the_escalation_of_a_weekend_come_on_monday_morning_each_once() {
    let friday = moment("2030-01-04T15:00:00Z").as_second();
    let monday = moment("2030-01-07T08:00:00Z").as_second();
    let day = 24 * 3_600;
    // One on Friday, two at the weekend, and the escalation on Monday afternoon.
    let reminders = Reminders { after_s: Some(1_800), interval_s: 24 * 3_600, max: 3 };
    let given = asked(reminders, office(), friday, 14 * day);
    let expected = [
        (friday + 1_800, vec!["Reminded"]),
        (monday, vec!["Reminded"]),
        (friday + 1_800 + 3 * day, vec!["Escalated"]),
        (friday + 14 * day, vec!["TimedOut"]),
    ];
    assert_eq!(calendar(&given), expected);
    let monday_comes = [(Command::Wake, friday + 1_800), (Command::Wake, monday)];
    let story = Story::of(&then(&given, &monday_comes));
    let last = story.events.last().map(|event| &event.kind);
    assert_eq!(last, Some(&EventKind::Reminded { count: 3 }), "two in one");

    let all_at_once = Reminders { after_s: Some(8 * 3_600), interval_s: 3_600, max: 5 };
    let given = asked(all_at_once, office(), friday, 7 * day);
    let expected = [
        (monday, vec!["Reminded"]),
        (monday, vec!["Escalated"]),
        (friday + 7 * day, vec!["TimedOut"]),
    ];
    assert_eq!(calendar(&given), expected);
}

#[test]
fn the_deadline_is_never_moved() {
    let friday = moment("2030-01-04T17:00:00Z").as_second();
    let reminders = Reminders { after_s: Some(60), interval_s: 60, max: 3 };
    let given = asked(reminders, office(), friday, 24 * 3_600);
    assert_eq!(calendar(&given), [(friday + 24 * 3_600, vec!["TimedOut"])]);
}

#[test]
fn a_step_and_a_question_have_their_own_hours_or_those_of_the_intent() {
    let saturday = moment("2030-01-05T12:00:00Z").as_second();
    let reminders = Reminders { after_s: Some(60), interval_s: 60, max: 1 };
    let whole = hours("UTC", &WEEKDAYS, ("00:00", "24:00"));
    let monday = moment("2030-01-07T08:00:00Z");
    for (of_intent, own, expected) in [
        (None, None, at(saturday + 60)),
        (Some(office()), None, monday),
        (None, Some(office()), monday),
        (Some(office()), Some(whole), at(saturday + 60)),
    ] {
        let step = Stage { working_hours: own.clone(), ..flow::human("sign") };
        let envelope = Envelope {
            reminders,
            working_hours: of_intent.clone(),
            deadline_at: at(saturday + DEADLINE),
            ..flow::flow(&[step])
        };
        let story = Story::of(&[(create(envelope), saturday)]);
        assert_eq!(react::wake_at(story.intent()), Some(expected), "of a step");

        let envelope = Envelope {
            working_hours: of_intent,
            deadline_at: at(saturday + DEADLINE),
            ..streamed()
        };
        let parent = Story::of(&[(create(envelope), saturday)]);
        let request = AskRequest { reminders, working_hours: own, ..ask("c") };
        let child = request.envelope(parent.intent(), "deployer-key", at(saturday));
        let story = Story::of(&[(create(child), saturday)]);
        assert_eq!(react::wake_at(story.intent()), Some(expected), "of a question");
    }
}

// What holds for all hours.

#[derive(Clone, Debug)]
struct Any {
    hours: WorkingHours,
    spelled: SpelledHours,
    /// In order.
    moments: [Timestamp; 2],
}

impl Any {
    /// Whether people work, by the clock on the wall and the calendar beside it.
    fn works_at(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(zone(&self.spelled.time_zone));
        let clock = local.strftime("%H:%M").to_string();
        let day = local.strftime("%a").to_string().to_lowercase();
        let date = local.strftime("%Y-%m-%d").to_string();
        let holidays = self.spelled.holidays.clone().unwrap_or_default();
        let Self { spelled: SpelledHours { days, from, to, .. }, .. } = self;
        days.contains(&day) && !holidays.contains(&date) && *from <= clock && clock < *to
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

/// Hours of any kind, and moments of which half lie around a change of the clocks.
fn any() -> impl Strategy<Value = Any> {
    let minutes = (0..24 * 60_i32, 1..24 * 60_i32);
    let days = proptest::sample::subsequence(WEEKDAYS.to_vec(), 1..=7);
    let dates = proptest::collection::vec(0..400_i64, 0..5);
    let around = (any_second(), proptest::bool::ANY, -40 * 3_600..40 * 3_600_i64);
    let base = (proptest::sample::select(ZONES.to_vec()), days, minutes);
    (base, dates, around, 0..3 * 24 * 3_600_i64).prop_map(
        |((name, days, (from, length)), dates, (second, at_change, offset), apart)| {
            let change = zone(name).following(at(second)).next().map(|it| it.timestamp());
            let near = change.filter(|_| at_change).unwrap_or(at(second));
            let first = near.as_second() + offset;
            let to = (from + length).min(24 * 60);
            let clock = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
            let (from, to) = (clock(from), clock(to));
            let today = at(first).to_zoned(zone(name)).date();
            let holiday = |day: &i64| today.saturating_add(day.days()).to_string();
            let holidays: Vec<_> = dates.iter().map(holiday).collect();
            let spelled =
                SpelledHours { holidays: Some(holidays), ..spelled(name, &days, (&from, &to)) };
            let moments = [at(first), at(first + apart)];
            Any { hours: spelled.clone().try_into().unwrap(), spelled, moments }
        },
    )
}

/// From 2009 to 2039.
fn any_second() -> impl Strategy<Value = i64> {
    1_230_768_000..2_200_000_000_i64
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_next_opening_is_the_first_moment_in_the_hours(any in any()) {
        let [asked, _] = any.moments;
        let opening = any.hours.next_opening(asked).expect("few holidays");
        prop_assert!(asked <= opening);
        prop_assert!(any.works_at(opening), "{opening} of {:?}", any.spelled);
        prop_assert_eq!(any.works_at(asked), opening == asked);
        prop_assert_eq!(any.hours.next_opening(opening), Some(opening), "it stays");
        // Hours begin with whole minutes, whatever the clocks are set to.
        let before = asked.as_second()..opening.as_second().min(asked.as_second() + 3 * 24 * 3_600);
        for second in before.step_by(60) {
            prop_assert!(!any.works_at(at(second)), "already at {}", at(second));
        }
        let just_before = at(opening.as_second() - 1);
        prop_assert!(opening == asked || !any.works_at(just_before));
    }

    #[test]
    fn who_asks_later_is_not_sent_earlier(any in any()) {
        let [first, second] = any.moments.map(|asked| any.hours.next_opening(asked).unwrap());
        prop_assert!(first <= second);
    }
}
