//! The tables: shape × rules → states and verdict, and what of the core the shapes come across.

mod coverage;
mod flaws;
mod shapes;
