//! Who may try what in a state: everybody around the intents, whether or not the core will have it.

use shared::id::IntentId;

use crate::agent::{Act, token};
use crate::deed::Deed;
use crate::model::Check;
use crate::shape::root;
use crate::state::{Mail, State};

impl Check {
    /// Everything that may be tried.
    pub(crate) fn deeds(&self, state: &State) -> Vec<Deed> {
        let mut deeds = vec![];
        for (id, stored) in &state.table {
            deeds.push(Deed::Wake(*id));
            let envelope = &stored.intent.envelope;
            if !envelope.only_asks() && envelope.workflow.is_none() {
                self.deeds_of_agent(state, *id, &mut deeds);
            }
        }
        for mail in state.queue.keys() {
            match mail {
                // Others look at these.
                Mail::Turn(_) | Mail::Push(_) => {}
                Mail::News { parent, child } => {
                    deeds.push(Deed::News { parent: *parent, child: *child });
                }
                Mail::ParentEnded(child) => deeds.push(Deed::ParentEnded(*child)),
            }
        }
        for by in &self.shape.people {
            let shown = state.shown.iter().cloned();
            deeds.extend(shown.map(|shown| Deed::Decide { by: *by, shown }));
            if by.cancels() {
                deeds.push(Deed::Cancel { by: *by, on: root() });
            }
        }
        deeds.extend(state.posted.iter().cloned().map(Deed::Taken));
        let others = self.shape.others.iter();
        deeds.extend(others.map(|what| Deed::Other { on: root(), what: *what }));
        deeds.retain(|deed| state.repeats_left > 0 || !deed.repeats());
        deeds
    }

    fn deeds_of_agent(&self, state: &State, on: IntentId, deeds: &mut Vec<Deed>) {
        let leases = self.shape.acts.contains(&Act::Start);
        for process in 0..self.shape.processes {
            let lease = state.leases.get(&process).filter(|(of, _)| *of == on);
            let fence = lease.map(|(_, fence)| *fence);
            for act in &self.shape.acts {
                let unleased = act.is_unleased();
                let fence = if unleased { None } else { fence };
                let turns = [Mail::Turn(on), Mail::Push(on)];
                let offered = !unleased || turns.iter().any(|it| state.queue.contains_key(it));
                let able = unleased || !leases || fence.is_some();
                let ran = |call_id: &str| {
                    state.ran.contains(&(call_id.to_owned(), token(process, fence)))
                };
                let reports = match act {
                    Act::Finish(place) => {
                        self.shape.asks.get(*place).is_some_and(|ask| ran(&ask.call_id))
                    }
                    Act::Start
                    | Act::Step
                    | Act::Acknowledge
                    | Act::Suspend
                    | Act::AwaitTool
                    | Act::AwaitTime(_)
                    | Act::PutOff(_)
                    | Act::Claim(_)
                    | Act::HandOn
                    | Act::Complete
                    | Act::Fail => true,
                };
                if offered && able && reports {
                    deeds.push(Deed::Agent { process, fence, on, act: *act });
                }
            }
        }
    }
}
