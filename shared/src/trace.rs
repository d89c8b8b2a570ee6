//! The trace that a unit of work belongs to: one id, from the request that began it through every hop.
//!
//! It is written as W3C Trace Context has it (`traceparent`), so that what a caller began goes on here, and
//! what begins here goes on in whatever is called.

#[cfg(feature = "store")]
mod current;
#[cfg(feature = "otel")]
pub mod otlp;
#[cfg(feature = "store")]
mod span;
#[cfg(feature = "store")]
mod unit;

use std::fmt;

use data_encoding::HEXLOWER;

#[cfg(feature = "store")]
pub use current::{about, current, follows};
#[cfg(feature = "store")]
pub use span::{Exporter, Kind, LINKS_MAX, Span, Value};
#[cfg(feature = "store")]
pub use unit::Unit;

/// The name of the header, of the message's attribute and of the item's attribute that carry a trace.
pub const TRACEPARENT: &str = "traceparent";
/// The field of a unit's span that names its intent.
pub const INTENT_ID: &str = "intent_id";
/// Random bytes that a new trace takes.
pub const TRACE_BYTES: usize = ID_BYTES + SPAN_BYTES;
/// Random bytes that each further unit of work takes.
pub const SPAN_BYTES: usize = 8;

const ID_BYTES: usize = 16;
/// Characters of a `traceparent` of version 00, which every later version begins with.
const CHARS: usize = 55;

/// A place in a trace: the trace, and the unit of work in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Trace {
    id: [u8; ID_BYTES],
    span: [u8; SPAN_BYTES],
    flags: u8,
}

impl Trace {
    /// The first unit of work of a new trace.
    pub fn begin(random: [u8; TRACE_BYTES]) -> Self {
        let (mut id, mut span) = ([0; ID_BYTES], [0; SPAN_BYTES]);
        for (place, byte) in id.iter_mut().chain(&mut span).zip(random) {
            *place = byte;
        }
        // Nothing but zeros is no id.
        if let (Some(id), Some(span)) = (id.last_mut(), span.last_mut()) {
            *id |= 1;
            *span |= 1;
        }
        Self { id, span, flags: SAMPLED }
    }

    /// Reads a `traceparent` (W3C Trace Context, section 3.2); `None` for whatever is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (known, more) = (text.get(..CHARS)?, text.get(CHARS..)?);
        let mut parts = known.split('-');
        let mut part = || parts.next();
        let (version, id, span, flags) = (part()?, part()?, part()?, part()?);
        let is_later = version != "00" && more.starts_with('-');
        let [version] = bytes(version)?;
        let [flags] = bytes(flags)?;
        let trace = Self { id: bytes(id)?, span: bytes(span)?, flags };
        let is_whole = part().is_none() && (more.is_empty() || is_later);
        let says_something = trace.id != [0; ID_BYTES] && trace.span != [0; SPAN_BYTES];
        (is_whole && says_something && version != u8::MAX).then_some(trace)
    }

    /// Another unit of work in the same trace, which this one led to.
    #[must_use]
    pub fn next(&self, random: [u8; SPAN_BYTES]) -> Self {
        let mut span = random;
        if let Some(last) = span.last_mut() {
            *last |= 1;
        }
        Self { span, ..*self }
    }

    /// The same place, in a trace that is recorded or is not.
    #[must_use]
    pub fn recorded(&self, is_recorded: bool) -> Self {
        let others = self.flags & !SAMPLED;
        Self { flags: if is_recorded { others | SAMPLED } else { others }, ..*self }
    }

    /// Whether whoever began the trace may have recorded it.
    pub fn is_recorded(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// Whether both are parts of one trace.
    pub fn is_with(&self, other: &Self) -> bool {
        self.id == other.id
    }

    /// The bytes of the trace's id.
    pub fn id_bytes(&self) -> [u8; ID_BYTES] {
        self.id
    }

    /// The bytes of the id of this unit of work.
    pub fn span_bytes(&self) -> [u8; SPAN_BYTES] {
        self.span
    }

    /// The trace's id, as logs have it: the same at every hop.
    pub fn id(&self) -> String {
        HEXLOWER.encode(&self.id)
    }

    /// The id of this unit of work.
    pub fn span_id(&self) -> String {
        HEXLOWER.encode(&self.span)
    }
}

/// The flag which says that whoever began the trace may have recorded it.
const SAMPLED: u8 = 1;

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.id(), self.span_id(), self.flags & SAMPLED)
    }
}

/// Exactly so many bytes, in lower-case hexadecimal.
fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_trace_is_written_as_it_was_read_and_goes_on_under_its_id() {
        let trace = Trace::parse(EXAMPLE).unwrap();
        assert_eq!(trace.to_string(), EXAMPLE);
        let next = trace.next([7; SPAN_BYTES]);
        assert_eq!((next.id(), next.span_id()), (trace.id(), "0707070707070707".to_owned()));
        assert_eq!(Trace::parse(&next.to_string()), Some(next));
    }

    #[test]
    fn a_later_version_may_have_more() {
        let later = EXAMPLE.replacen("00", "cc", 1);
        for text in [later.clone(), format!("{later}-what-comes")] {
            assert_eq!(Trace::parse(&text).unwrap().to_string(), EXAMPLE, "{text}");
        }
        assert_eq!(Trace::parse(&format!("{later}.what")), None);
    }

    #[test]
    fn what_is_no_trace_is_none() {
        let zeros = "0".repeat(32);
        for text in [
            String::new(),
            "00".to_owned(),
            EXAMPLE.to_uppercase(),
            format!("{EXAMPLE}-more"),
            EXAMPLE.replacen("00", "ff", 1),
            EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &zeros),
            EXAMPLE.replace("00f067aa0ba902b7", "0000000000000000"),
            EXAMPLE.replace("-01", "-0x"),
            EXAMPLE.replace('-', "_"),
            "ä".repeat(CHARS),
        ] {
            assert_eq!(Trace::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn whether_it_is_recorded_goes_on_with_it() {
        let trace = Trace::parse(EXAMPLE).unwrap();
        assert!(trace.is_recorded() && trace.recorded(true) == trace);
        let dropped = trace.recorded(false).next([7; SPAN_BYTES]);
        assert!(!dropped.is_recorded() && dropped.is_with(&trace));
        assert_eq!(Trace::parse(&dropped.to_string()), Some(dropped), "{dropped}");
    }

    #[test]
    fn ids_are_never_nothing() {
        let trace = Trace::begin([0; TRACE_BYTES]).next([0; SPAN_BYTES]);
        assert_eq!(Trace::parse(&trace.to_string()), Some(trace));
    }
}
