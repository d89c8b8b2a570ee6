//! Whole stories through the real parts, in one binary.

mod contract;
