//! What the loop does, told through its public functions.

mod agents;
mod conversation;
mod decisions;
mod interleaving;
mod replies;
mod storage;
mod team;
