//! Working hours: when people are reminded.

mod spelled;

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

pub use spelled::{HOLIDAYS_MAX, SpelledHours, WEEKDAYS, WrongHours};

use super::envelope::TTL_SECONDS_MAX;
use spelled::Minute;

/// How many days are searched for an opening. No intent lives longer than the days ahead; the day
/// before and the day after may lie across a change of the clocks.
const DAYS_SEARCHED: usize = TTL_SECONDS_MAX as usize / (24 * 60 * 60) + 2;

/// The hours in which people work, by the clocks of one place: on some days of the week, between two
/// times of the day, and not on holidays.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "SpelledHours", into = "SpelledHours")]
pub struct WorkingHours {
    zone: TimeZone,
    /// By the numbers that ISO 8601 gives them.
    days: BTreeSet<i8>,
    from: Minute,
    to: Minute,
    holidays: BTreeSet<Date>,
}

impl WorkingHours {
    /// The first moment at or after `at` that lies in the hours; none if they do not begin for longer
    /// than any intent lives.
    pub fn next_opening(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        let today = self.zone.to_datetime(at).date();
        // Where clocks are set back over midnight, yesterday comes again.
        let first = today.yesterday().unwrap_or(today);
        let mut found = None;
        for date in first.series(1.day()).take(DAYS_SEARCHED) {
            let opening = self.openings(date).filter(|opening| *opening >= at).min();
            // For the same reason a day may open before the day before it opens again.
            if found.is_some() {
                return found.into_iter().chain(opening).min();
            }
            found = opening;
        }
        found
    }

    /// Whether people work at this moment.
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        let minute = Minute::of(local.time());
        self.works_on(local.date()) && self.from <= minute && minute < self.to
    }

    fn works_on(&self, date: Date) -> bool {
        let day: Weekday = date.weekday();
        self.days.contains(&day.to_monday_one_offset()) && !self.holidays.contains(&date)
    }

    /// The moments at which the hours of a day begin, or go on after the clocks were changed.
    fn openings(&self, date: Date) -> impl Iterator<Item = Timestamp> {
        let works = self.works_on(date);
        let bounds = [self.from, self.to].into_iter().filter(move |_| works);
        let moments = bounds.filter_map(move |bound| bound.on(date));
        moments.flat_map(|local| self.moments(local)).filter(|at| self.is_open(*at))
    }

    /// The moments at which the clocks show a time, and those at which they were changed around it if
    /// they skip it or show it twice.
    fn moments(&self, local: DateTime) -> Vec<Timestamp> {
        let (early, late) = match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                return offset.to_timestamp(local).into_iter().collect();
            }
            AmbiguousOffset::Gap { before, after } => (after, before),
            AmbiguousOffset::Fold { before, after } => (before, after),
        };
        let (Ok(early), Ok(late)) = (early.to_timestamp(local), late.to_timestamp(local)) else {
            return vec![];
        };
        let changes = self.zone.following(early).map(|change| change.timestamp());
        changes.take_while(|at| *at <= late).chain([early, late]).collect()
    }
}
