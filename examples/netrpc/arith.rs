//! The structs of the demonstration, which are Go's `Args` and `Quotient`.

use super::gob::{Record, Value, record};

record!(
    /// The argument of `Arith.Multiply` and `Arith.Divide`.
    pub Args = "Args" { a = "A": i64, b = "B": i64 }
);
record!(
    /// The reply of `Arith.Divide`.
    pub Quotient = "Quotient" { quo = "Quo": i64, rem = "Rem": i64 }
);
