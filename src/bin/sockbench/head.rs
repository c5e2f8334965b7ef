//! What the figures of a run are about: the first lines of its output, and of its CSV file.

use std::thread;
use std::time::Duration;

use crate::latency::Late;
use crate::options::Options;
use crate::series::Wait;
use crate::server::RECV_BUF;
use crate::throughput::MAX_MESSAGES;
use crate::{figures, machine};

pub fn latency(options: &Options, late: &Late) -> Vec<String> {
    let count = figures::thousands(options.count as f64);
    let mut notes = vec![machine::describe()];
    notes.push(format!("latency: {count} round trips in each of {}", rounds(options)));
    notes.push(waiting(options));
    match options.rate {
        None => notes.push(
            "a closed loop: the next message leaves when the last is back; a stall counts once (see --rate)"
                .to_string(),
        ),
        Some(rate) => {
            notes.push(format!(
                "on a schedule: {rate} messages a second are due, and each counts from when it was due"
            ));
            notes.push(format!(
                "the client itself was late by {} on average, {} at worst",
                micros(late.mean()),
                micros(late.worst),
            ));
        }
    }
    notes.extend(machine::socket_buffers());
    notes
}

pub fn throughput(options: &Options, buffers: Vec<String>) -> Vec<String> {
    let mut notes = vec![machine::describe()];
    notes.push(format!(
        "throughput: up to {} or {} messages in each of {}",
        figures::size(options.total),
        figures::thousands(MAX_MESSAGES as f64),
        rounds(options),
    ));
    notes.push(waiting(options));
    notes.push(format!(
        "timed until the server says that it has the last byte; it reads up to {} at a time",
        figures::size(RECV_BUF),
    ));
    notes.extend(if buffers.is_empty() {
        machine::socket_buffers().into_iter().collect()
    } else {
        buffers
    });
    notes
}

fn rounds(options: &Options) -> String {
    let rounds = match options.rounds {
        1 => "1 round".to_string(),
        rounds => format!("{rounds} rounds"),
    };
    format!("{rounds}, after one to warm up; all series take turns")
}

/// Who runs where, and how they wait.
fn waiting(options: &Options) -> String {
    let mut text = match &options.connect {
        Some(addr) => format!("the server is at {addr}"),
        None => "client and server are a process each".to_string(),
    };
    if options.series.iter().any(|series| series.wait == Wait::Block) {
        text += "; block: who waits sleeps in read(2)";
    }
    if options.series.iter().any(|series| series.wait == Wait::Spin) {
        text += &format!("; spin: polls for {} µs before", options.spin.as_micros());
        if thread::available_parallelism().is_ok_and(|cpus| cpus.get() == 1) {
            text += ", but with one CPU nobody polls";
        }
    }
    text
}

fn micros(duration: Duration) -> String {
    format!("{} µs", figures::digits(duration.as_secs_f64() * 1e6))
}
