//! The time, by the clock that the stack's processes read as well.

use jiff::Timestamp;

/// The clock.
pub(crate) fn clock() -> fn() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a stack in processes has the system's clock")]
    Timestamp::now
}

/// The time.
pub(crate) fn now() -> Timestamp {
    clock()()
}
