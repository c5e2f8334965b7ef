//! The structs of the demonstration, and what Go calls them and their fields.

use super::gob::record;

/// What `Arith.Multiply` and `Arith.Divide` take.
#[derive(Debug, Default, PartialEq)]
pub struct Args {
    pub a: i64,
    pub b: i64,
}
record!(Args = "Args" { a = "A", b = "B" });

/// What `Arith.Divide` returns.
#[derive(Debug, Default, PartialEq)]
pub struct Quotient {
    pub quo: i64,
    pub rem: i64,
}
record!(Quotient = "Quotient" { quo = "Quo", rem = "Rem" });
