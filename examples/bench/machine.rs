//! The machine that a figure was taken on, and the CPU time that it cost.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// One line: the processor, the CPUs that this process may use, the system, and whether it is
/// virtual. What cannot be read is left out.
pub fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let mut parts = vec![
        field("model name").unwrap_or(std::env::consts::ARCH).to_string(),
        if cpus == 1 { "1 CPU".to_string() } else { format!("{cpus} CPUs") },
    ];
    let release = read("/proc/sys/kernel/osrelease");
    match release.trim() {
        "" => parts.push(std::env::consts::OS.to_string()),
        release => parts.push(format!("Linux {release}")),
    }
    if field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")) {
        parts.push("a virtual machine".to_string());
    }
    parts.join(", ")
}

/// What a socket's buffers hold where nobody asks otherwise, in the words of Linux. `None` off it.
pub fn socket_buffers() -> Option<String> {
    let read = |name: &str| {
        let text = fs::read_to_string(Path::new("/proc/sys/net").join(name)).ok()?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    Some(format!(
        "Socket buffers, in bytes: the system's (Unix: wmem_default {}; TCP: tcp_wmem {}, tcp_rmem {}).\n",
        read("core/wmem_default")?,
        read("ipv4/tcp_wmem")?,
        read("ipv4/tcp_rmem")?,
    ))
}

/// The CPU time that the threads of a process have had, from `/proc/PID/task/*/schedstat`: in
/// nanoseconds, where `/proc/PID/stat` has hundredths of a second. `None` off Linux.
pub fn cpu_time(pid: u32) -> Option<Duration> {
    // The kernel adds up when a thread leaves its CPU: this one does so now.
    thread::yield_now();
    let mut total = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total += Duration::from_nanos(text.split(' ').next()?.parse().ok()?);
    }
    Some(total)
}
