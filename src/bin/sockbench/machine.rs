//! The machine: what it is, which CPUs the two ends run on, and what else it did meanwhile.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::thread;

/// Where the two ends run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
            Cpus::Same => "on one CPU",
            Cpus::Apart => "on two CPUs",
            Cpus::Free => "on any CPU",
        }
    }
}

/// The CPUs of the two ends.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// The CPU of this process and, in [`Cpus::Same`], of the server; then another one, if there is one.
    /// Where the scheduler chooses: all of which it may.
    cpus: Vec<usize>,
    is_pinned: bool,
    /// What there is to say about them.
    pub note: String,
}

impl Placement {
    /// Leaves it to the scheduler.
    pub fn free(note: &str) -> Placement {
        Placement { cpus: allowed_cpus(), is_pinned: false, note: note.to_string() }
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
        let others = &allowed[1..];
        let core = others.iter().find(|cpu| !siblings.contains(cpu));
        let (cpus, note) = match (core, others.first()) {
            (Some(&far), _) => (vec![near, far], format!("the two CPUs are {near} and {far}")),
            (None, Some(&far)) => {
                let note = format!("the two CPUs are {near} and {far}, two threads of one core");
                (vec![near, far], note)
            }
            (None, None) => (vec![near], format!("this process may use only CPU {near}")),
        };
        Placement { cpus, is_pinned: true, note }
    }

    /// The placements that it allows, to be measured if nobody asks for others.
    pub fn default_cpus(&self) -> Vec<Cpus> {
        match (self.is_pinned, self.cpus.len()) {
            (true, 2) => vec![Cpus::Same, Cpus::Apart],
            _ => vec![Cpus::Free],
        }
    }

    /// The CPUs that both ends use.
    pub fn cpus(&self, cpus: Cpus) -> &[usize] {
        match cpus {
            Cpus::Same => &self.cpus[..1],
            Cpus::Apart | Cpus::Free => &self.cpus,
        }
    }

    /// The CPU of the server, or why there is none; `None` where the scheduler chooses.
    pub fn server(&self, cpus: Cpus) -> Result<Option<usize>, String> {
        let cpu = match cpus {
            Cpus::Free => return Ok(None),
            Cpus::Same => self.cpus.first(),
            Cpus::Apart => self.cpus.get(1),
        };
        match cpu {
            Some(cpu) if self.is_pinned => Ok(Some(*cpu)),
            _ => Err(format!("this is not possible: {}", self.note)),
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

/// The processor, how many CPUs this process may use, the system, and whether it is virtual. What
/// cannot be read is left out.
pub fn describe() -> String {
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let plural = if cpus == 1 { "" } else { "s" };
    let is_virtual = field("flags").is_some_and(|flags| flags.contains(" hypervisor"));
    let kind = if is_virtual { ", a virtual machine" } else { "" };
    let system = match read("/proc/sys/kernel/osrelease").trim() {
        "" => env::consts::OS.to_string(),
        release => format!("Linux {release}"),
    };
    let processor = field("model name").unwrap_or(env::consts::ARCH);
    format!("{processor}, {cpus} CPU{plural}{kind}, {system}")
}

/// The load average of the last minute.
pub fn load() -> Option<f64> {
    read("/proc/loadavg").split(' ').next()?.parse().ok()
}

/// The CPU time so far that the host has taken from this virtual machine, and that there was in all.
pub fn steal() -> Option<(u64, u64)> {
    let stat = read("/proc/stat");
    let ticks = ticks(&stat, "cpu ")?;
    // Guests' time, behind the eighth, is counted in the first two already.
    Some((*ticks.get(7)?, ticks.iter().take(8).sum()))
}

/// The CPU time so far, in seconds, that these CPUs gave to others than this process and these servers,
/// which may be one. `None` where /proc does not say, or a server runs elsewhere.
pub fn others(servers: [Option<u32>; 2], cpus: &[usize]) -> Option<f64> {
    let [first, second] = servers;
    let mut ours = ran(process::id())? + ran(first?)?;
    if first != second {
        ours += ran(second?)?;
    }
    let all = busy(cpus, &read("/proc/stat"))?;
    Some((all as f64 - ours as f64) / 100.0)
}

/// How long the threads of a process ran, those that have ended among them, in hundredths of a second.
fn ran(pid: u32) -> Option<u64> {
    let stat = read(format!("/proc/{pid}/stat"));
    // Behind the name, which is in brackets and may hold anything: the state and ten numbers, then
    // user and system.
    let mut numbers = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || numbers.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

/// How long these CPUs were not idle, by the text of /proc/stat.
fn busy(cpus: &[usize], stat: &str) -> Option<u64> {
    let mut all = 0;
    for cpu in cpus {
        let ticks = ticks(stat, &format!("cpu{cpu} "))?;
        // user, nice and system, then idle and waiting for a disk, then interrupts
        let [user, nice, system, _, _, irq, softirq, ..] = ticks[..] else { return None };
        all += user + nice + system + irq + softirq;
    }
    Some(all)
}

/// The numbers of a line of /proc/stat: hundredths of a second.
fn ticks(stat: &str, name: &str) -> Option<Vec<u64>> {
    let line = stat.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().map(|number| number.parse().ok()).collect()
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
        let pinned = Placement { cpus: vec![3, 5], is_pinned: true, note: String::new() };
        let of = |placement: &Placement| {
            [Cpus::Same, Cpus::Apart, Cpus::Free].map(|cpus| placement.server(cpus))
        };
        assert_eq!(of(&pinned), [Ok(Some(3)), Ok(Some(5)), Ok(None)]);
        let alone =
            Placement { cpus: vec![3], note: "this process may use only CPU 3".into(), ..pinned };
        assert_eq!(alone.default_cpus(), [Cpus::Free]);
        let why = alone.server(Cpus::Apart).unwrap_err();
        assert_eq!(why, "this is not possible: this process may use only CPU 3");
        assert!(Placement::free("").server(Cpus::Same).is_err());
    }

    #[test]
    fn time_that_cpus_were_busy() {
        let stat =
            "cpu  9 9 9 9 9 9 9 9\ncpu0 1 2 3 50 60 4 5 7 0 0\ncpu1 10 0 0 0 0 0 0 0 0 0\nintr 8\n";
        assert_eq!(busy(&[0], stat), Some(15));
        assert_eq!(busy(&[0, 1], stat), Some(25));
        assert_eq!(busy(&[0, 2], stat), None);
    }

    /// A busy loop's time grows, and an absent process has none.
    #[test]
    #[cfg(target_os = "linux")]
    fn time_that_a_process_ran() {
        let before = ran(process::id()).unwrap();
        let start = std::time::Instant::now();
        while ran(process::id()).unwrap() < before + 2 {
            assert!(start.elapsed().as_secs() < 60, "it does not run");
        }
        assert_eq!(ran(u32::MAX), None);
    }
}
