//! The machine that a figure was taken on, and the CPU time that it cost.

use std::env;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::figures;

/// One line: the processor, the CPUs that this process may use, the system, whether it is virtual, and
/// the compiler. What cannot be read is left out.
pub fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let allowed = thread::available_parallelism().map_or(1, usize::from);
    let there = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let of = if there > allowed { format!(" of {there}") } else { String::new() };
    let mut parts = vec![
        field("model name").unwrap_or(env::consts::ARCH).to_string(),
        format!("{allowed}{of} CPU{}", if there.max(allowed) == 1 { "" } else { "s" }),
    ];
    let release = read("/proc/sys/kernel/osrelease");
    match release.trim() {
        "" => parts.push(env::consts::OS.to_string()),
        release => parts.push(format!("Linux {release}")),
    }
    if field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")) {
        parts.push("a virtual machine".to_string());
    }
    parts.extend(rustc());
    parts.join(", ")
}

/// The compiler leaves its name in what it makes, in the section `.comment`: `rustc version 1.95.0 (…`.
/// That is behind the code and its constants, this one among them.
fn rustc() -> Option<String> {
    const NAME: &[u8] = b"rustc version ";
    let program = fs::read(env::current_exe().ok()?).ok()?;
    let at = program.windows(NAME.len()).rposition(|window| window == NAME)? + NAME.len();
    let version = program[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
    let version: String = version.map(|byte| char::from(*byte)).collect();
    (!version.is_empty()).then(|| format!("rustc {version}"))
}

/// What a socket's buffers hold where nobody asks otherwise. `None` off Linux.
pub fn socket_buffers() -> Option<String> {
    // One number, or three: at least, at first, at most.
    let read = |name: &str| -> Option<Vec<String>> {
        let text = fs::read_to_string(Path::new("/proc/sys/net").join(name)).ok()?;
        text.split_whitespace().map(|bytes| bytes.parse().ok().map(figures::size)).collect()
    };
    let (unix, send, recv) =
        (read("core/wmem_default")?, read("ipv4/tcp_wmem")?, read("ipv4/tcp_rmem")?);
    Some(format!(
        "socket buffers: the system's (Unix {}; TCP {} to {} for sending, {} to {} for receiving)",
        unix.first()?,
        send.get(1)?,
        send.get(2)?,
        recv.get(1)?,
        recv.get(2)?,
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

#[cfg(test)]
#[test]
fn cpu_time_of_another_process() {
    use std::process::{Command, Stdio};
    let start = std::time::Instant::now();
    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    if Path::new("/proc/self/schedstat").exists() {
        let mut used = Duration::ZERO;
        while used.is_zero() {
            used = cpu_time(child.id()).unwrap();
        }
        // It has one thread; and two clocks need not agree.
        assert!(used < 2 * start.elapsed(), "{used:?} in {:?}", start.elapsed());
        assert_eq!(cpu_time(u32::MAX), None);
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}
