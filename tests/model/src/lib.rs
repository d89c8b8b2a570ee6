//! The model check: small worlds around an intent, explored to the end by `stateright`.
//!
//! The rules are not written down again here. Every transition asks the real
//! [`decide`](shared::intent::decide()), [`apply`](shared::intent::apply()) and
//! [`react`](shared::intent::react); what is modelled is everything else: who tries what and when, what
//! the table does with it, what becomes of messages, and where somebody crashes.
//!
//! ```text
//! Deed ── load ──► Operation ── decide, by the clock of its function ──► events
//!                                                                          │
//!   timers ◄── table: version, chain, text ◄── commit, if the version is still the one ◄┘
//!                 └──► stream ──► relay ──► queue ──► Deed
//! ```
//!
//! # What is modelled
//!
//! - **Commits**, as `App::execute` and `Store::commit` make them: the version is the lock, a conflict
//!   loads and decides anew, children are born in the transaction of their parent, the state is
//!   stored as text and read back, each commit names the link before it. [`transaction`] is all of it.
//! - **Concurrent deciders.** Any deed may stand between load and decision, and between decision and
//!   commit, for any time, while others are done in one go around it; how many stand there at a
//!   time is a bound of the shape. Each may crash at each of these places, and after the commit
//!   before its answer is heard. People answer whatever they were *ever* shown.
//! - **Messages.** With [`Post::Anyhow`](shape::Post) what was owed once may arrive any number of times,
//!   at any later moment, in any order, or never. That is more than a stream and a queue can do, so a crash
//!   before the relay, or between sending and saying so, is covered. With
//!   [`Post::StepByStep`](shape::Post) stream, relay, queue, two copies, loss and acknowledgement are
//!   steps of their own, to show that nothing hides behind that abstraction.
//! - **Posted turns.** Whenever the message comes, it is looked whether the turn is to be posted. What
//!   was posted once may be taken at any later moment, any number of times, or never.
//! - **Wake-ups** come at any moment, early, late, twice or never. Only [`Promise::Ends`] and its
//!   neighbours rely on timers, and only on those that stand in the table.
//! - **Clocks.** Time is a list of moments, those at which something turns and those around them. Each of
//!   three functions has a clock that is off by at most [`SKEW_SECONDS_MAX`](time::SKEW_SECONDS_MAX) all
//!   through a life. A deadline is kept by the clock of the function that decides. So by the true
//!   time it is kept within that bound: no answer is taken a second after it or later, and nothing is
//!   timed out more than a second before it.
//! - **Silence.** From every state, four ways to the end are followed in which nobody acts any more: nothing
//!   is lost; what is under way is lost; everything is lost and only timers work; a restart loses
//!   the queues and sends what is owed still. Each must end every intent.
//!
//! # What is not
//!
//! - What a commit's condition on `deadline_ms` adds: with the version compared it never refuses alone.
//! - Notices to people, webhooks and the streams of agents: nothing comes back from them, but that an
//!   agent was shown something often enough.
//! - One moment stands for all between it and the next, and each process of an agent comes to one result.
//! - An agent's limit of concurrent turns: it is a count in a conditional write of `store/slot.rs` and no
//!   rule of the core, which has only the wait for a moment that a turn without a slot is put off with.
//!   `tests/it/concurrency.rs` holds it.
//! - Sign-offs inside workflows. The core's own properties have those.
//! - What may be done again and again, and is something new each time, more often than the shape says.
//!
//! [`coverage`] names every command, event and message of the core, and the reason for each that no shape
//! comes across.
//! - Several of several people: the core has no quorum. The shape with two asks is what comes
//!   nearest: a suspension that goes on when both have ended, and one grant for each call.
//!
//! # Shapes and bounds
//!
//! A [`Shape`] is explored in two ways: *at once*, with every deed in one go, at all its moments and by
//! clocks that are apart; and *raced* (see [`Shape::raced`]), with one or two operations in flight,
//! at fewer moments and by exact clocks. Each exploration exhausts its states; the tests in `it/shapes.rs` are
//! the table of them, each with the least number of states and the ends that it must come across.
//!
//! # Flaws
//!
//! [`Flaw`] is the same core with one rule broken. `it/flaws.rs` is the table: for each flaw exactly the
//! promises that the model must find broken. So no promise holds merely because nobody looks.
//!
//! A counterexample is a list of actions from the beginning; a failing test prints it.

pub mod action;
pub mod agent;
pub mod coverage;
pub mod deed;
mod drain;
mod memory;
pub mod model;
pub mod other;
pub mod person;
pub mod promise;
pub mod rules;
pub mod shape;
pub mod state;
mod surroundings;
pub mod time;
pub mod transaction;
pub mod watch;

pub use model::Check;
pub use promise::Promise;
pub use rules::{Flaw, Rules};
pub use shape::Shape;
