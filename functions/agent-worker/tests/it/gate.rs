//! The worker's way to the table, and the place where it dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Where, in the request that it does not survive, the worker dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Death {
    /// The table never sees the request.
    BeforeSending,
    /// The table does what it asks, and the worker never hears of it.
    AfterSending,
}

/// Lets a number of requests pass; then nothing passes until it is opened again, as for a process
/// that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicI64,
    after_sending: AtomicBool,
    died: AtomicBool,
}

const UNLIMITED: i64 = i64::MAX;

impl Gate {
    pub(crate) fn open() -> Self {
        Self(Arc::new(Inner {
            left: AtomicI64::new(UNLIMITED),
            after_sending: AtomicBool::new(false),
            died: AtomicBool::new(false),
        }))
    }

    /// The worker survives `requests` more.
    pub(crate) fn dies_after(&self, requests: i64, death: Death) {
        self.0.left.store(requests, Ordering::SeqCst);
        self.0.after_sending.store(death == Death::AfterSending, Ordering::SeqCst);
        self.0.died.store(false, Ordering::SeqCst);
    }

    /// Whether the worker died; the next one lives.
    pub(crate) fn was_fatal(&self) -> bool {
        let died = self.0.died.swap(false, Ordering::SeqCst);
        if died {
            self.0.left.store(UNLIMITED, Ordering::SeqCst);
        }
        died
    }
}

impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let left = self.0.left.fetch_sub(1, Ordering::SeqCst);
        let passes = left > 0 || (left == 0 && self.0.after_sending.load(Ordering::SeqCst));
        if passes {
            return Ok(());
        }
        self.0.died.store(true, Ordering::SeqCst);
        Err("the worker died before it sent this".into())
    }

    fn read_after_transmit(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.0.left.load(Ordering::SeqCst) >= 0 {
            return Ok(());
        }
        self.0.died.store(true, Ordering::SeqCst);
        Err("the worker died before it heard of this".into())
    }
}
