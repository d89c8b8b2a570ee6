//! Timers: exact to the second, across restarts, many of them, and with nothing but TTL left; and the
//! hours in which people are reminded.

mod exact;
mod many;
mod queue;
mod ttl_alone;
mod working_hours;
