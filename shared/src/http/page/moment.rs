//! Instants as people read them.

use jiff::Timestamp;
use maud::{Markup, html};

/// An instant in UTC to the minute, rounded down so that no deadline looks later than it is. The
/// element carries the exact value.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! {
        time datetime=(at) { (at.strftime("%A %-d %B %Y, %H:%M UTC")) }
    }
}

/// How long there is until `until`, rounded down, in at most two units.
pub(super) fn time_left(now: Timestamp, until: Timestamp) -> String {
    let minutes = now.duration_until(until).as_secs().max(0) / 60;
    let (days, hours) = (minutes / 1440, minutes / 60 % 24);
    match (days, hours, minutes % 60) {
        (0, 0, 0) => "less than a minute".into(),
        (0, 0, minutes) => counted(minutes, "minute"),
        (0, hours, minutes) => joined(hours, "hour", minutes, "minute"),
        (days, hours, _) => joined(days, "day", hours, "hour"),
    }
}

fn joined(large: i64, large_unit: &str, small: i64, small_unit: &str) -> String {
    match small {
        0 => counted(large, large_unit),
        _ => format!("{} {}", counted(large, large_unit), counted(small, small_unit)),
    }
}

fn counted(count: i64, unit: &str) -> String {
    match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn check(seconds: i64, shown: &str) {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(time_left(now, now + SignedDuration::from_secs(seconds)), shown);
    }

    #[test]
    fn time_left_is_rounded_down_to_two_units() {
        check(-5, "less than a minute");
        check(0, "less than a minute");
        check(59, "less than a minute");
        check(60, "1 minute");
        check(119, "1 minute");
        check(3_599, "59 minutes");
        check(3_600, "1 hour");
        check(2 * 3_600 + 14 * 60 + 59, "2 hours 14 minutes");
        check(86_400, "1 day");
        check(86_400 + 59 * 60, "1 day");
        check(3 * 86_400 + 3_600, "3 days 1 hour");
        check(400 * 86_400, "400 days");
    }

    #[test]
    fn an_instant_names_its_zone_and_carries_its_exact_value() {
        let at: Timestamp = "2026-11-22T14:00:59.25Z".parse().unwrap();
        assert_eq!(
            moment(at).into_string(),
            "<time datetime=\"2026-11-22T14:00:59.25Z\">Sunday 22 November 2026, 14:00 UTC</time>"
        );
    }
}
