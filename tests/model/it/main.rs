//! The tables: shape × rules → states and verdict.

mod flaws;
mod shapes;
