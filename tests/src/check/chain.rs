//! The chain of commits, from its beginning to the head that the snapshot names.

use shared::store::{Commit, genesis};

use super::life::Life;
use super::{Rule, Violation};

pub(super) fn check(life: &Life, found: &mut Vec<Violation>) {
    let mut broken = |detail: String| found.push(Violation::new(Rule::Chain, life.id, detail));
    let mut previous = genesis(life.id);
    let mut seq = 0;
    for (link, version) in life.links.iter().zip(1..) {
        if link.commit.version != version {
            broken(format!("commit {version} says that it is number {}", link.commit.version));
        }
        if link.commit.previous != previous {
            broken(format!("commit {version} names another one before it"));
        }
        for record in &link.commit.records {
            seq += 2;
            if record.event.seq != seq {
                broken(format!("event {} stands where {seq} belongs", record.event.seq));
                seq = record.event.seq;
            }
        }
        if link.sk != format!("C#{seq:020}") {
            broken(format!("commit {version} ends with event {seq} and stands at {}", link.sk));
        }
        previous = Commit::digest(&link.text);
    }
    let count = u64::try_from(life.links.len()).unwrap_or(u64::MAX);
    if life.version != count {
        broken(format!("its snapshot counts {} commits, there are {count}", life.version));
    }
    if life.head != previous.hex() {
        broken("the head is another commit".to_owned());
    }
}
