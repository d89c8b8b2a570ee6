//! Shapes about how agents get their turns, and what they wait for.

use shared::intent::envelope::{Delivery, Envelope};

use super::{Shape, ask, envelope};
use crate::agent::Act;
use crate::other::Other;
use crate::person::Person;

impl Shape {
    /// Turns that are posted to their agent, which asks a person in the course of them.
    pub fn pushed() -> Self {
        let envelope = Envelope { delivery: Delivery::Push, ..envelope(4000) };
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Complete],
            processes: 1,
            people: vec![Person::Rita],
            others: vec![Other::MoveOn],
            repeats_max: 1,
            ..Self::quiet("pushed", envelope, &[0, 30, 100, 4000])
        }
    }

    /// A turn that is posted as often as the contract has pauses, and once before them. The sender hurries
    /// the posts, and moves it on.
    pub fn pushed_often() -> Self {
        let envelope =
            Envelope { delivery: Delivery::Push, delivery_attempts_max: None, ..envelope(4000) };
        Self {
            acts: vec![Act::Complete],
            processes: 1,
            people: vec![Person::Sender],
            others: vec![Other::MoveOn, Other::HurryOffers],
            repeats_max: 1,
            ..Self::quiet("pushed often", envelope, &[0, 10, 30, 150, 750, 1350, 4000])
        }
    }

    /// Turns that are posted, put off while their agent is stopped, and stand still for a tool.
    pub fn pushed_and_put_off() -> Self {
        let envelope = Envelope { delivery: Delivery::Push, ..envelope(4000) };
        Self {
            acts: vec![Act::PutOff(60), Act::AwaitTool, Act::Acknowledge, Act::Fail],
            processes: 1,
            people: vec![Person::Sender],
            others: vec![Other::MoveOn],
            repeats_max: 2,
            ..Self::quiet("pushed, put off", envelope, &[0, 30, 60, 90, 210, 4000])
        }
    }

    /// What an agent's stream shows: it says that it has it, waits for a tool and for a moment, or is
    /// given up.
    pub fn streamed() -> Self {
        Self {
            acts: vec![
                Act::Acknowledge,
                Act::AwaitTool,
                Act::AwaitTime(60),
                Act::Complete,
                Act::Fail,
            ],
            processes: 2,
            people: vec![Person::Sender],
            others: vec![Other::GiveUp, Other::MoveOn],
            repeats_max: 3,
            ..Self::quiet("streamed", envelope(100), &[0, 59, 60, 61, 99, 100])
        }
    }

    /// Turns that two workers run step by step, stop for the next invocation, and put off.
    pub fn stepped() -> Self {
        let envelope = Envelope { delivery: Delivery::Worker, ..envelope(4000) };
        Self {
            acts: vec![
                Act::Start,
                Act::Step,
                Act::AwaitTime(60),
                Act::AwaitTool,
                Act::PutOff(130),
                Act::Complete,
            ],
            processes: 2,
            others: vec![Other::HurryOffers],
            repeats_max: 2,
            ..Self::quiet("stepped", envelope, &[0, 60, 120, 130, 240, 4000])
        }
    }

    /// An intent that one agent hands on to another, which has its turns posted and hands it back. The
    /// sender may let the other resume it before.
    pub fn handed_on() -> Self {
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::HandOn, Act::Complete],
            processes: 2,
            people: vec![Person::Rita],
            others: vec![Other::Grant],
            hands_on: Some(Delivery::Push),
            repeats_max: 2,
            ..Self::quiet("handed on", envelope(4000), &[0, 30, 4000])
        }
    }
}
