#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "streamsock needs Unix-domain sockets: it builds for Linux, macOS and the BSDs, not for this target"
);

mod addr;
mod conn;
mod listener;
mod serve;
mod socket_file;
#[allow(unsafe_code)]
pub mod sockopt;
mod spin;

pub use addr::Addr;
pub use conn::Conn;
pub use listener::{Incoming, Listener};
pub use serve::serve;
pub use spin::Spin;
