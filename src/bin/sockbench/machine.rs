//! The machine: what it is, which CPUs the two ends run on, and what else it did meanwhile.

use std::env;
use std::fs;
use std::ops::{Add, Sub};
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::thread;

/// Where the two ends run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpus {
    /// Both on one CPU.
    Same,
    /// Each on a CPU of its own.
    Apart,
    /// Wherever the scheduler puts them, which may differ from one moment to the next.
    Free,
}

pub const CPUS: [(&str, Cpus); 3] =
    [("same", Cpus::Same), ("apart", Cpus::Apart), ("free", Cpus::Free)];

impl Cpus {
    pub fn name(self) -> &'static str {
        CPUS[self as usize].0
    }

    pub fn in_words(self) -> &'static str {
        match self {
            Cpus::Same => "both ends on one CPU",
            Cpus::Apart => "an end on each of two CPUs",
            Cpus::Free => "both ends where the scheduler puts them",
        }
    }
}

/// The CPUs of the two ends.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// The CPU of this process and, in [`Cpus::Same`], of the server. `None`: the scheduler chooses.
    near: Option<usize>,
    /// Another one.
    far: Option<usize>,
    /// What there is to say about them.
    pub note: String,
}

impl Placement {
    /// Leaves it to the scheduler.
    pub fn free(note: &str) -> Placement {
        Placement { note: note.to_string(), ..Placement::default() }
    }

    /// Pins this process to one of the CPUs that it may use. Threads and children inherit that, so
    /// this comes before there are any.
    pub fn pin() -> Placement {
        let allowed = allowed_cpus();
        let Some(&near) = allowed.first() else {
            return Placement::free("the scheduler chooses the CPUs: /proc does not list them");
        };
        let pid = process::id().to_string();
        let mut taskset = Command::new("taskset");
        taskset.args(["-cp", &near.to_string(), &pid]).stdin(Stdio::null());
        let pinned = taskset.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !pinned.is_ok_and(|status| status.success()) {
            return Placement::free(
                "the scheduler chooses the CPUs, since taskset (of util-linux) is not there or fails",
            );
        }
        let siblings = siblings(near);
        let others = || allowed.iter().copied().filter(|cpu| *cpu != near);
        let core = others().find(|cpu| !siblings.contains(cpu));
        let far = core.or(others().next());
        let note = match (far, core) {
            (None, _) => format!("this process may use only CPU {near}"),
            (Some(far), None) => {
                format!("the two CPUs are {near} and {far}, which are two threads of one core")
            }
            (Some(far), Some(_)) => format!("the two CPUs are {near} and {far}"),
        };
        Placement { near: Some(near), far, note }
    }

    /// The placements that it allows, to be measured if nobody asks for others.
    pub fn default_cpus(&self) -> Vec<Cpus> {
        match (self.near, self.far) {
            (Some(_), Some(_)) => vec![Cpus::Same, Cpus::Apart],
            _ => vec![Cpus::Free],
        }
    }

    /// The CPUs that both ends use.
    pub fn cpus(&self, cpus: Cpus) -> Vec<usize> {
        match cpus {
            Cpus::Same => self.near.into_iter().collect(),
            Cpus::Apart => self.near.into_iter().chain(self.far).collect(),
            Cpus::Free => allowed_cpus(),
        }
    }

    /// The CPU of the server, or why there is none; `None` where the scheduler chooses.
    pub fn server(&self, cpus: Cpus) -> Result<Option<usize>, String> {
        match cpus {
            Cpus::Free => Ok(None),
            Cpus::Same if self.near.is_some() => Ok(self.near),
            Cpus::Apart if self.far.is_some() => Ok(self.far),
            _ => Err(format!("{} is not possible: {}", cpus.in_words(), self.note)),
        }
    }
}

/// The CPUs that this process may use; none where /proc does not say.
fn allowed_cpus() -> Vec<usize> {
    let status = read("/proc/self/status");
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).map_or(vec![], cpu_list)
}

/// The CPUs that share a core with this one, itself among them.
fn siblings(cpu: usize) -> Vec<usize> {
    cpu_list(&read(format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")))
}

/// `0-2,5`
fn cpu_list(text: &str) -> Vec<usize> {
    let mut cpus = Vec::new();
    for part in text.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) {
            cpus.extend(first..=last);
        }
    }
    cpus
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What does not change during a run.
pub struct Machine {
    pub processor: String,
    pub cpus: usize,
    pub system: String,
    pub is_virtual: bool,
    /// The load average of the last minute, at the start.
    pub load: Option<f64>,
}

impl Machine {
    pub fn look() -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let field = |name: &str| {
            let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim())
        };
        let release = read("/proc/sys/kernel/osrelease");
        Machine {
            processor: field("model name").unwrap_or(env::consts::ARCH).to_string(),
            cpus: thread::available_parallelism().map_or(1, usize::from),
            system: match release.trim() {
                "" => env::consts::OS.to_string(),
                release => format!("Linux {release}"),
            },
            is_virtual: field("flags")
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            load: read("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()),
        }
    }

    pub fn in_words(&self) -> String {
        let plural = if self.cpus == 1 { "" } else { "s" };
        let kind = if self.is_virtual { ", a virtual machine" } else { "" };
        format!("{}, {} CPU{plural}{kind}, {}", self.processor, self.cpus, self.system)
    }
}

/// The CPU time that a host has taken from this virtual machine, and that there was in all, in ticks.
#[derive(Clone, Copy)]
pub struct Steal {
    stolen: u64,
    all: u64,
}

impl Steal {
    pub fn now() -> Option<Steal> {
        let stat = read("/proc/stat");
        let numbers = stat.lines().next()?.split_whitespace().skip(1);
        // Guests' time, behind the eighth, is counted in the first two already.
        let ticks: Vec<u64> = numbers.take(8).map_while(|number| number.parse().ok()).collect();
        Some(Steal { stolen: *ticks.get(7)?, all: ticks.iter().sum() })
    }

    /// The share of all CPU time since then.
    pub fn share_since(self, start: Steal) -> f64 {
        let all = self.all.saturating_sub(start.all).max(1);
        self.stolen.saturating_sub(start.stolen) as f64 / all as f64
    }
}

/// The CPU time that the two ends had, and that the CPUs which they run on gave to anybody, in
/// nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub ends: u64,
    pub all: u64,
}

impl Usage {
    /// So far. `None` where /proc does not say.
    pub fn of(pids: [u32; 2], cpus: &[usize]) -> Option<Usage> {
        let ends = ran(pids[0])? + ran(pids[1])?;
        Some(Usage { ends, all: busy(cpus, &read("/proc/stat"))? })
    }
}

impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        Usage { ends: self.ends + other.ends, all: self.all + other.all }
    }
}

/// A thread that has ended takes its time with it, so a difference may be short: never below 0.
impl Sub for Usage {
    type Output = Usage;

    fn sub(self, before: Usage) -> Usage {
        Usage {
            ends: self.ends.saturating_sub(before.ends),
            all: self.all.saturating_sub(before.all),
        }
    }
}

/// How long the threads of a process ran, from `/proc/PID/task/*/schedstat`: `/proc/PID/schedstat` is
/// the main thread's alone. (How long they waited for a CPU stands there, too, but says little: being
/// woken up on a CPU that sleeps counts as waiting, up to a third of the time on a quiet machine.)
fn ran(pid: u32) -> Option<u64> {
    // The kernel adds up when a thread leaves its CPU: this one does so now.
    thread::yield_now();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    // A thread may end before its turn comes to be read.
    tasks
        .filter_map(|task| {
            read(task.path().join("schedstat")).split(' ').next()?.parse::<u64>().ok()
        })
        .reduce(|all, one| all + one)
}

/// How long these CPUs were not idle, from the text of /proc/stat, which counts hundredths of a second.
fn busy(cpus: &[usize], stat: &str) -> Option<u64> {
    const TICK: u64 = 10_000_000;
    let of = |cpu: &usize| -> Option<u64> {
        let name = format!("cpu{cpu} ");
        let numbers = stat.lines().find_map(|line| line.strip_prefix(&name))?.split(' ');
        let ticks: Vec<u64> = numbers.map_while(|number| number.parse().ok()).collect();
        // user, nice and system, then idle and waiting for a disk, then interrupts
        let [user, nice, system, _, _, irq, softirq, ..] = ticks[..] else { return None };
        Some((user + nice + system + irq + softirq) * TICK)
    };
    cpus.iter().map(of).sum()
}

/// What a socket's buffers hold where nobody asks otherwise. `None` off Linux.
pub fn socket_buffers() -> Option<String> {
    // One number, or three: at least, at first, at most.
    let sizes = |name: &str| -> Vec<String> {
        let text = read(Path::new("/proc/sys/net").join(name));
        let numbers = text.split_whitespace().map_while(|bytes| bytes.parse().ok());
        numbers.map(crate::output::text::size).collect()
    };
    let (unix, send, recv) =
        (sizes("core/wmem_default"), sizes("ipv4/tcp_wmem"), sizes("ipv4/tcp_rmem"));
    Some(format!(
        "socket buffers: the system's (Unix {}; TCP {} to {} for sending, {} to {} for receiving)",
        unix.first()?,
        send.get(1)?,
        send.get(2)?,
        recv.get(1)?,
        recv.get(2)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus() {
        assert_eq!(cpu_list("0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(cpu_list("\t7"), [7]);
        assert_eq!(cpu_list(""), Vec::<usize>::new());
    }

    #[test]
    fn an_end_needs_its_cpu() {
        let pinned = Placement { near: Some(3), far: Some(5), note: String::new() };
        let of = |placement: &Placement| {
            [Cpus::Same, Cpus::Apart, Cpus::Free].map(|cpus| placement.server(cpus))
        };
        assert_eq!(of(&pinned), [Ok(Some(3)), Ok(Some(5)), Ok(None)]);
        let alone =
            Placement { far: None, note: "this process may use only CPU 3".into(), ..pinned };
        assert_eq!(alone.default_cpus(), [Cpus::Free]);
        let why = alone.server(Cpus::Apart).unwrap_err();
        assert_eq!(
            why,
            "an end on each of two CPUs is not possible: this process may use only CPU 3"
        );
        assert!(Placement::free("").server(Cpus::Same).is_err());
    }

    #[test]
    fn time_that_cpus_were_busy() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9\ncpu0 1 2 3 50 60 4 5 7 0 0\ncpu1 10 0 0 0 0 0 0 0 0 0\nintr 8\n";
        assert_eq!(busy(&[0], stat), Some(150_000_000));
        assert_eq!(busy(&[0, 1], stat), Some(250_000_000));
        assert_eq!(busy(&[0, 2], stat), None);
    }

    #[test]
    fn time_that_another_process_ran() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        if Path::new("/proc/self/schedstat").exists() {
            let start = std::time::Instant::now();
            while ran(child.id()).unwrap() == 0 {
                assert!(start.elapsed().as_secs() < 60, "cat does not run");
            }
            assert_eq!(ran(u32::MAX), None);
        }
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
