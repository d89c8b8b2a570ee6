//! Only the test binary lives here.
