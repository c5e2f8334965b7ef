//! A chat over Unix and TCP at once: a line from one client goes to all the others.
//!
//! ```console
//! $ cargo run --example chat       # Ctrl-D ends it
//! listening on unix:/tmp/chat.sock
//! listening on tcp:127.0.0.1:13502
//! $ nc -N -U /tmp/chat.sock
//! hello from the Unix socket       # typed here
//! hello from TCP
//! $ nc -N 127.0.0.1 13502
//! hello from the Unix socket
//! hello from TCP                   # typed here
//! ```
//!
//! Predict: stop one `nc` with Ctrl-Z, and run `yes | nc -N -U /tmp/chat.sock`. Is a third client cut off,
//!   slowed down, or fine?
//! Change: keep a client although a write to it failed: let `tell` return `true` then, too, and remove its
//!   shutdown. Over TCP, what may the client's next line look like?
//! Explain: a client reads just fast enough that no write to it fails. What do the others notice, and what
//!   would help them?

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, thread};

use streamsock::{Addr, Conn, Listener, serve};

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let unix = args.next().unwrap_or("unix:/tmp/chat.sock".to_string());
    let tcp = args.next().unwrap_or("tcp:127.0.0.1:13502".to_string());
    match run(&unix, &tcp) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("chat: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(unix: &str, tcp: &str) -> Result<(), Box<dyn Error>> {
    let listeners = [listen(unix)?, listen(tcp)?];
    let room = Mutex::new(Room { open: true, clients: Vec::new() });
    thread::scope(|scope| {
        scope.spawn(|| wait_and_stop(&listeners, &room));
        // It returns when both listeners are shut down and all clients have left (an error: at Ctrl-D).
        serve(&listeners, 512, |conn| chat(Arc::new(conn), &room))
    })?;
    Ok(())
}

fn listen(text: &str) -> Result<Listener, Box<dyn Error>> {
    let addr: Addr = text.parse().map_err(|e| format!("{e}\nusage: chat [ADDR [ADDR]]"))?;
    let listener = Listener::bind(&addr).map_err(|e| format!("{addr}: {e}"))?;
    eprintln!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// A connection is read by its own thread, and written to by all others, which find it in this list.
/// Both hold an `Arc`, a value with several owners: it is dropped, and so closed, with the last of them.
struct Room {
    open: bool,
    clients: Vec<Arc<Conn>>,
}

/// A complete stop: nobody new comes in, and then everybody who is there is sent away.
fn wait_and_stop(listeners: &[Listener], room: &Mutex<Room>) {
    // Waits for end of file: Ctrl-D on a terminal. An error is no reason to stop.
    if let Err(e) = io::copy(&mut io::stdin(), &mut io::sink()) {
        eprintln!("chat: standard input: {e}: from now on, only Ctrl-C ends the chat");
        return;
    }
    for listener in listeners {
        if let Err(e) = listener.shutdown() {
            eprintln!("chat: {e}");
        }
    }
    let mut room = room.lock().unwrap();
    room.open = false; // for a client that was accepted, and is about to enter
    for client in &room.clients {
        // Its read returns 0 from now on, and so its thread ends.
        let _ = client.shutdown(Shutdown::Both);
    }
}

fn chat(client: Arc<Conn>, room: &Mutex<Room>) {
    let timeout = Some(Duration::from_millis(100));
    if client.set_write_timeout(timeout).is_err() || !enter(&client, room) {
        return; // the client has gone, or the room is closed
    }
    let mut reader = BufReader::new(client.as_ref());
    loop {
        // A line that never ends must not fill our memory, so a long one goes out in pieces: `take`
        // ends after 1024 bytes. `by_ref` lends it the reader, which is needed for the next line.
        let mut line = Vec::new();
        match reader.by_ref().take(1024).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => tell_others(&client, &printable(&line), room),
        }
    }
    let mut room = room.lock().unwrap();
    room.clients.retain(|other| !Arc::ptr_eq(other, &client));
}

fn enter(client: &Arc<Conn>, room: &Mutex<Room>) -> bool {
    let mut room = room.lock().unwrap();
    if room.open {
        room.clients.push(client.clone());
    }
    room.open
}

/// A terminal takes some control characters for commands. No client may send those to another's.
fn printable(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let kept: String = text.chars().filter(|c| !c.is_control()).collect();
    kept + "\n"
}

fn tell_others(speaker: &Arc<Conn>, text: &str, room: &Mutex<Room>) {
    let mut room = room.lock().unwrap();
    let mut staying = Vec::new();
    for client in &room.clients {
        // ptr_eq: are both the same connection?
        if Arc::ptr_eq(client, speaker) || tell(client, text) {
            staying.push(client.clone());
        }
    }
    room.clients = staying;
}

/// False if the client has to go.
fn tell(mut client: &Conn, text: &str) -> bool {
    // If this client does not read, the write waits for up to 100 ms, and all others for the lock.
    if client.write_all(text.as_bytes()).is_err() {
        // Part of the line may be on its way, and the next line would be glued to it.
        let _ = client.shutdown(Shutdown::Both);
        return false;
    }
    true
}
