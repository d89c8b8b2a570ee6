//! Identifiers of requests, unique within and across runs.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::Error;

/// A random start and a count: no id costs a system call, and none is given twice.
#[derive(Debug)]
pub(crate) struct Ids {
    start: u64,
    count: AtomicU64,
}

impl Ids {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self { start: getrandom::u64().map_err(Error::Random)?, count: AtomicU64::new(0) })
    }

    pub(crate) fn next(&self) -> Uuid {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let bits = (u128::from(self.start) << 64) | u128::from(count);
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}
