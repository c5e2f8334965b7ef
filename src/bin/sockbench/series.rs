//! What is measured side by side: a network, and how its ends wait. The words are those of the
//! arguments and of the CSV files.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    pub network: &'static str,
    pub wait: &'static str,
    title: &'static str,
}

pub const NETWORKS: [&str; 3] = ["unix", "tcp", "pipe"];
pub const WAITS: [&str; 2] = ["block", "spin"];

pub const UNIX: Series = Series { network: "unix", wait: "block", title: "Unix, block" };
pub const TCP: Series = Series { network: "tcp", wait: "block", title: "TCP, block" };
/// Two pipes, one in each direction. They only block: `Spin` polls sockets.
pub const PIPE: Series = Series { network: "pipe", wait: "block", title: "pipe, block" };
pub const UNIX_SPIN: Series = Series { network: "unix", wait: "spin", title: "Unix, spin" };
pub const TCP_SPIN: Series = Series { network: "tcp", wait: "spin", title: "TCP, spin" };
/// No network between two processes: one thread at both ends of a pair of Unix sockets.
pub const ONE_THREAD: Series =
    Series { network: "one-thread", wait: "none", title: "one thread, no wake-up" };

/// In the order of every table.
pub const ALL: [Series; 6] = [UNIX, TCP, PIPE, UNIX_SPIN, TCP_SPIN, ONE_THREAD];

impl Series {
    pub fn find(network: &str, wait: &str) -> Option<Series> {
        ALL.into_iter().find(|one| one.network == network && one.wait == wait)
    }

    pub fn spins(&self) -> bool {
        self.wait == "spin"
    }

    /// The first part of its title: `Unix`.
    pub fn network_title(&self) -> &'static str {
        self.title.split(',').next().unwrap_or_default()
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.title)
    }
}
