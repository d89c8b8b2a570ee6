//! Nothing of the core is forgotten: whatever is not modelled has a reason.

use std::collections::BTreeSet;

use model::coverage::{COMMANDS, EVENTS, MESSAGES, Modelled, Name};
use model::{Check, Rules, Shape};
use stateright::{Checker, Model};

/// As much of each shape as shows what happens in it.
const STATES_MAX: usize = 4_000;

const SHAPES: [fn() -> Shape; 17] = [
    Shape::question,
    Shape::prolonged,
    Shape::reassigned,
    Shape::working_hours,
    Shape::sign_off,
    Shape::ask,
    Shape::leased_ask,
    Shape::withdrawn,
    Shape::talk,
    Shape::pushed,
    Shape::pushed_often,
    Shape::pushed_and_put_off,
    Shape::streamed,
    Shape::stepped,
    Shape::handed_on,
    Shape::detour,
    Shape::family,
];

#[test]
fn every_command_event_and_message_is_come_across_or_has_a_reason() {
    let mut covered: BTreeSet<Name> = BTreeSet::new();
    for shape in SHAPES {
        let check = Check::new(shape(), Rules::OfTheCore);
        let checker = check.checker().target_state_count(STATES_MAX).spawn_bfs().join();
        covered.extend(checker.model().covered());
    }
    let all = [COMMANDS, EVENTS, MESSAGES].concat();
    let (yes, no): (Vec<_>, Vec<_>) =
        all.iter().partition(|(_, modelled)| *modelled == Modelled::Yes);
    let expected: BTreeSet<Name> = yes.into_iter().map(|(name, _)| name).collect();
    assert_eq!(covered, expected);
    for (name, modelled) in no {
        let Modelled::No(reason) = modelled else { continue };
        assert!(reason.contains(' '), "{name:?} needs a reason");
    }
}
