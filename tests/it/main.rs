//! Whole stories.

