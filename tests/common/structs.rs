//! Structs for tests of the RPC.

/// A struct with its names in Go, in one go.
macro_rules! go_struct {
    ($rust:ident = $go:literal { $($field:ident = $name:literal: $type:ty),* $(,)? }) => {
        #[derive(Debug, Default, PartialEq)]
        struct $rust {
            $($field: $type),*
        }
        record!($rust = $go { $($field = $name),* });
    };
}
