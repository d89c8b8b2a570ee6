//! The deployment's template, less one part.

use tests::binaries::checkout;

/// The schedule's event, as the template has it.
const SCHEDULE: &str = "        Sweep:\n          Type: ScheduleV2\n";

/// The template without the schedule that hands timers to the queue.
pub(super) fn without_schedule() -> String {
    let template = std::fs::read_to_string(checkout().join("template.yaml")).expect("a template");
    let (before, after) = template.split_once(SCHEDULE).expect("the schedule is there");
    // Its properties stand deeper than the next thing of any kind.
    let is_inside = |line: &&str| line.starts_with("          ");
    let after: Vec<_> = after.lines().skip_while(is_inside).collect();
    format!("{before}{}\n", after.join("\n"))
}
