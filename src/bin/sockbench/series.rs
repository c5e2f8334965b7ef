//! What is measured side by side: a network, and how its ends wait.

use std::fmt;

/// What has a fixed name, in arguments and in the CSV files.
pub trait Named: Copy + Eq + 'static {
    const ALL: &'static [Self];

    fn name(self) -> &'static str;

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Unix,
    Tcp,
    /// Two pipes, one in each direction.
    Pipe,
    /// No network between two processes: one thread at both ends of a pair of Unix sockets.
    OneThread,
}

impl Named for Network {
    const ALL: &'static [Network] =
        &[Network::Unix, Network::Tcp, Network::Pipe, Network::OneThread];

    fn name(self) -> &'static str {
        match self {
            Network::Unix => "unix",
            Network::Tcp => "tcp",
            Network::Pipe => "pipe",
            Network::OneThread => "one-thread",
        }
    }
}

/// How an end waits for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Block,
    Spin,
    /// There is nobody to wait for.
    Never,
}

impl Named for Wait {
    const ALL: &'static [Wait] = &[Wait::Block, Wait::Spin, Wait::Never];

    fn name(self) -> &'static str {
        match self {
            Wait::Block => "block",
            Wait::Spin => "spin",
            Wait::Never => "none",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    pub network: Network,
    pub wait: Wait,
}

impl Series {
    pub const ONE_THREAD: Series = Series { network: Network::OneThread, wait: Wait::Never };

    /// In the order of every table. A pipe only blocks: `Spin` polls sockets.
    pub fn all(networks: &[Network], waits: &[Wait]) -> Vec<Series> {
        let series = waits
            .iter()
            .flat_map(|&wait| networks.iter().map(move |&network| Series { network, wait }));
        series.filter(|one| one.network != Network::Pipe || one.wait == Wait::Block).collect()
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            Network::OneThread => f.pad("one thread, no wake-up"),
            network => f.pad(&format!("{}, {}", network.title(), self.wait.name())),
        }
    }
}

impl Network {
    /// As a sentence has it.
    pub fn title(self) -> &'static str {
        match self {
            Network::Unix => "Unix",
            Network::Tcp => "TCP",
            Network::Pipe => "pipe",
            Network::OneThread => "one thread",
        }
    }
}
