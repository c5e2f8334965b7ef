//! `serve` where descriptors or threads are short: nobody is lost, and next to no CPU time is spent.

// The limits are those of the shell's `ulimit` on Linux, and CPU time is read from /proc. Elsewhere,
// `shutdown` needs a descriptor.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, iter, slice, thread};

use streamsock::{Addr, Conn, Listener, serve};

mod common;

use common::{
    Random, Server, ShutDown, assert_echoed, assert_silent, example, exhaust_descriptors,
    over_both, read_all, under,
};

/// The example as a process, under limits that the shell's `ulimit` sets.
fn echo_server_under(limits: &str, addr: &Addr) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")]);
    Server::start(command.arg(example("echo_server")).arg(addr.to_string()), 1)
}

/// The client's end of 300 connections, a hundred at once, each of which wants its echo, at a server
/// process under the given limits.
fn serves_300_under(limits: &str) {
    over_both(|addr| {
        let mut server = echo_server_under(limits, addr);
        let bound = &server.addrs[0].clone();
        thread::scope(|scope| {
            for seed in 1..=100 {
                scope.spawn(move || {
                    for round in 0..3 {
                        assert_echoed(bound, &Random(seed + round * 100).bytes(100));
                    }
                });
            }
        });
        // It still runs, and has not said a word of its troubles.
        assert!(server.child.try_wait().unwrap().is_none());
        server.child.kill().unwrap();
        let said: Vec<_> =
            iter::repeat_with(|| server.line()).take_while(|l| !l.is_empty()).collect();
        assert!(said.iter().all(|line| line.starts_with("client ")), "{said:?}");
        if let Addr::Unix(path) = addr {
            fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn a_server_out_of_descriptors_serves_everybody_in_the_end() {
    serves_300_under("ulimit -n 64");
}

/// With stacks of 256 MiB, the address space has room for five threads, and for all else.
const FEW_THREADS: &str = "export RUST_MIN_STACK=268435456 MALLOC_ARENA_MAX=1 && ulimit -v 1500000";

#[test]
fn a_server_that_cannot_start_threads_serves_everybody_in_the_end() {
    serves_300_under(FEW_THREADS);
}

#[test]
fn a_server_short_of_both_serves_everybody_in_the_end() {
    serves_300_under(&format!("{FEW_THREADS} && ulimit -n 64"));
}

/// The CPU time that a process has used, in hundredths of a second.
fn cpu_ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// Without a descriptor, or a thread, it hardly tries, and whoever waits is served when there is one
/// again.
fn starves_quietly_under(limits: &str) {
    over_both(|addr| {
        let server = echo_server_under(limits, addr);
        let mut clients: Vec<_> = (0..40).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.write_all(b"x").unwrap();
        }
        let mut last = clients.pop().unwrap();
        last.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let (wall, cpu) = (Instant::now(), cpu_ticks(server.child.id()));
        assert_silent(&last);
        // One that tries without a pause takes all of a CPU, or as much as it is given.
        let used = cpu_ticks(server.child.id()) - cpu;
        assert!(used < 10 * wall.elapsed().as_secs() + 10, "{used} ticks of {:?}", wall.elapsed());
        drop(clients);
        last.set_read_timeout(None).unwrap();
        last.read_exact(&mut [0]).unwrap();
        drop(server);
        if let Addr::Unix(path) = addr {
            fs::remove_file(path).unwrap();
        }
    });
}

#[test]
fn without_descriptors_a_server_takes_next_to_no_cpu_time() {
    starves_quietly_under("ulimit -n 32");
}

#[test]
fn without_threads_a_server_takes_next_to_no_cpu_time() {
    starves_quietly_under(FEW_THREADS);
}

/// No thread can be started, so nobody is ever in accept(2). A stack of 4 GiB can only be asked for
/// where a number for that fits.
#[test]
#[cfg(target_pointer_width = "64")]
fn shutdown_ends_it_while_threads_cannot_start() {
    let limits = "export RUST_MIN_STACK=4294967296 && ulimit -v 3000000";
    if !under(limits, "shutdown_ends_it_while_threads_cannot_start") {
        return;
    }
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
        thread::scope(|scope| {
            assert!(thread::Builder::new().spawn_scoped(scope, || ()).is_err());
            let server = thread::Builder::new()
                .stack_size(64 << 10)
                .spawn_scoped(scope, || serve(slice::from_ref(&listener), 8, common::echo));
            client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            assert_silent(&client);
            listener.shutdown().unwrap();
            server.unwrap().join().unwrap().unwrap();
        });
    });
}

#[test]
fn without_a_descriptor_shutdown_ends_it() {
    if !under("ulimit -n 64", "without_a_descriptor_shutdown_ends_it") {
        return;
    }
    over_both(|addr| {
        let listener = Listener::bind(addr).unwrap();
        let mut client = Conn::connect(&listener.local_addr().unwrap()).unwrap();
        let mut files = exhaust_descriptors();
        thread::scope(|scope| {
            let server = scope.spawn(|| serve(slice::from_ref(&listener), 8, common::echo));
            let end = ShutDown(&listener);
            // A descriptor for the one that waits; there is none for the next.
            files.pop();
            client.write_all(b"hi").unwrap();
            client.read_exact(&mut [0; 2]).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_all(&client), b"");
            files.extend(exhaust_descriptors());
            drop(end);
            server.join().unwrap().unwrap();
        });
    });
}
