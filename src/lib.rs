#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "streamsock needs Unix-domain sockets: it builds for Linux, macOS and the BSDs, not for this target"
);

#[cfg(unix)]
mod addr;
#[cfg(unix)]
mod conn;
#[cfg(unix)]
mod listener;
#[cfg(unix)]
mod serve;
#[cfg(unix)]
mod socket_file;
#[cfg(unix)]
#[allow(unsafe_code)]
pub mod sockopt;
#[cfg(unix)]
mod spin;

#[cfg(unix)]
pub use addr::Addr;
#[cfg(unix)]
pub use conn::Conn;
#[cfg(unix)]
pub use listener::{Incoming, Listener};
#[cfg(unix)]
pub use serve::serve;
#[cfg(unix)]
pub use spin::Spin;
