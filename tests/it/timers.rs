//! Timers: exact to the second, across restarts, many of them, and with nothing but TTL left.

mod exact;
mod many;
mod queue;
mod ttl_alone;
