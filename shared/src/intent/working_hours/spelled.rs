//! Working hours as they are sent, shown and stored, and what is wrong with them.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::WorkingHours;

/// The words for the days of the week, from Monday on.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// The most holidays that may be named.
pub const HOLIDAYS_MAX: usize = 100;

const MINUTES_PER_HOUR: i16 = 60;
const MINUTES_PER_DAY: i16 = 24 * MINUTES_PER_HOUR;

/// Working hours, spelled out.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct SpelledHours {
    /// Whose clocks they go by: a name of the IANA database.
    pub time_zone: String,
    /// The days of the week, each by its word.
    pub days: Vec<String>,
    /// When they begin, as `HH:MM`.
    pub from: String,
    /// When they end, as `HH:MM`, on the same day.
    pub to: String,
    /// Dates on which nobody works, as `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holidays: Option<Vec<String>>,
}

/// What is wrong with working hours.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field} {detail}")]
pub struct WrongHours {
    /// The member that is wrong.
    pub field: String,
    /// Why, and what to send.
    pub detail: String,
}

/// A minute of the day by the clocks on the wall; the last one is the end of the day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Minute(i16);

impl TryFrom<SpelledHours> for WorkingHours {
    type Error = WrongHours;

    fn try_from(spelled: SpelledHours) -> Result<Self, WrongHours> {
        let hours = Self {
            zone: zone(&spelled.time_zone)?,
            days: days(&spelled.days)?,
            from: minute("from", &spelled.from)?,
            to: minute("to", &spelled.to)?,
            holidays: holidays(spelled.holidays.as_deref().unwrap_or_default())?,
        };
        if hours.from >= hours.to {
            let detail = "is not after `from`; hours end on the day on which they begin, at 24:00 \
                          at the latest";
            return Err(wrong("to", detail));
        }
        Ok(hours)
    }
}

impl From<WorkingHours> for SpelledHours {
    fn from(hours: WorkingHours) -> Self {
        let word = |day: &i8| WEEKDAYS.get(usize::try_from(*day).ok()?.checked_sub(1)?);
        let holidays: Vec<String> = hours.holidays.iter().map(Date::to_string).collect();
        Self {
            time_zone: hours.zone.iana_name().unwrap_or("UTC").to_owned(),
            days: hours.days.iter().filter_map(word).map(|word| (*word).to_owned()).collect(),
            from: hours.from.to_string(),
            to: hours.to.to_string(),
            holidays: Some(holidays).filter(|holidays| !holidays.is_empty()),
        }
    }
}

impl Minute {
    /// The minute that is under way at `time`.
    pub(super) fn of(time: Time) -> Self {
        Self(i16::from(time.hour()) * MINUTES_PER_HOUR + i16::from(time.minute()))
    }

    /// Its beginning on a date; the end of the day is the next date's.
    pub(super) fn on(self, date: Date) -> Option<DateTime> {
        date.to_datetime(Time::midnight()).checked_add(self.0.minutes()).ok()
    }

    fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.split_once(':')?;
        let number = |digits: &str| {
            let plain = digits.len() == 2 && digits.bytes().all(|it| it.is_ascii_digit());
            digits.parse::<i16>().ok().filter(|_| plain)
        };
        let (hour, minute) = (number(hour)?, number(minute)?);
        let whole = hour * MINUTES_PER_HOUR + minute;
        (minute < MINUTES_PER_HOUR && whole <= MINUTES_PER_DAY).then_some(Self(whole))
    }
}

impl std::fmt::Display for Minute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / MINUTES_PER_HOUR, self.0 % MINUTES_PER_HOUR)
    }
}

/// The zone of this name in the database that comes with the program.
fn zone(name: &str) -> Result<TimeZone, WrongHours> {
    let known = TimeZoneDatabase::bundled().get(name).ok().filter(|zone| !zone.is_unknown());
    known.ok_or_else(|| {
        wrong("time_zone", "is no time zone of the IANA database; send one such as Europe/Berlin")
    })
}

fn days(words: &[String]) -> Result<BTreeSet<i8>, WrongHours> {
    let number = |(place, word): (usize, &String)| {
        let known = (1_i8..).zip(WEEKDAYS).find(|(_, known)| known == word);
        known.map(|(number, _)| number).ok_or_else(|| {
            let detail = format!("is no day of the week; send {}", WEEKDAYS.join(", "));
            wrong(format!("days[{place}]"), detail)
        })
    };
    if words.is_empty() {
        return Err(wrong("days", "names no day; send at least one, such as mon"));
    }
    words.iter().enumerate().map(number).collect()
}

fn minute(field: &str, text: &str) -> Result<Minute, WrongHours> {
    Minute::parse(text).ok_or_else(|| {
        wrong(field, "is no time of the day; send hours and minutes from 00:00 to 24:00")
    })
}

fn holidays(texts: &[String]) -> Result<BTreeSet<Date>, WrongHours> {
    if texts.len() > HOLIDAYS_MAX {
        let detail = format!("has {}; send at most {HOLIDAYS_MAX}", texts.len());
        return Err(wrong("holidays", detail));
    }
    let date = |(place, text): (usize, &String)| {
        let parsed = text.parse::<Date>().ok().filter(|date| date.to_string() == *text);
        parsed.ok_or_else(|| {
            wrong(format!("holidays[{place}]"), "is no date; send one such as 2030-12-25")
        })
    };
    texts.iter().enumerate().map(date).collect()
}

fn wrong(field: impl Into<String>, detail: impl Into<String>) -> WrongHours {
    WrongHours { field: field.into(), detail: detail.into() }
}
