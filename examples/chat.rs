//! A chat: a line from one client goes to all the others, over Unix and TCP at once.
//!
//! ```console
//! $ cargo run --example chat          # ends at Ctrl-D, the end of its standard input
//! $ nc -U /tmp/chat.sock              # in a second terminal; nc 127.0.0.1 13502 in a third
//! ```
//!
//! Predict: stop one `nc` with Ctrl-Z and run `yes | nc -U /tmp/chat.sock`. What do the others see?
//! Change: keep a client although a write to it timed out. What may its next line look like?
//! Explain: why must `chat` look at ENDED after it has entered the ROOM, and not before?

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, atomic::AtomicBool, atomic::Ordering::SeqCst};
use std::{env, thread, time::Duration};

use streamsock::{Conn, Listener, serve};

/// All who are here. Each connection is read by its own thread alone, and written to by all.
static ROOM: Mutex<Vec<Arc<Conn>>> = Mutex::new(Vec::new());
static ENDED: AtomicBool = AtomicBool::new(false);

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let unix = Listener::bind(&args.next().unwrap_or("unix:/tmp/chat.sock".into()).parse()?)?;
    let tcp = Listener::bind(&args.next().unwrap_or("tcp:127.0.0.1:13502".into()).parse()?)?;
    eprintln!("listening on {}\nlistening on {}", unix.local_addr()?, tcp.local_addr()?);
    let listeners = Arc::new([unix, tcp]);
    let listening = listeners.clone();
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink()); // waits for Ctrl-D
        // First let nobody else in. Then end each connection: the read that waits there returns 0.
        listening.iter().for_each(|listener| drop(listener.shutdown()));
        ENDED.store(true, SeqCst);
        ROOM.lock().unwrap().iter().for_each(|conn| drop(conn.shutdown(Shutdown::Both)));
    });
    serve(&*listeners, 512, |conn| chat(Arc::new(conn))) // until both are shut down and all left
}

fn chat(conn: Arc<Conn>) {
    let _ = conn.set_write_timeout(Some(Duration::from_millis(100)));
    ROOM.lock().unwrap().push(conn.clone());
    // A longer line goes out in pieces of 1 KiB: one that never ends must not fill the memory.
    let (mut reader, mut line) = (BufReader::new(&*conn), Vec::new());
    while !ENDED.load(SeqCst)
        && let Ok(1..) = reader.by_ref().take(1024).read_until(b'\n', &mut line)
    {
        let text = [std::mem::take(&mut line).trim_ascii_end(), b"\n"].concat();
        ROOM.lock().unwrap().retain(|other| {
            // If this client does not read, write(2) waits for 100 ms, and everybody else with it.
            // Part of the line may be on its way then, and the next would be glued on: it must go.
            let ok = Arc::ptr_eq(other, &conn) || (&**other).write(&text).ok() == Some(text.len());
            if !ok {
                let _ = other.shutdown(Shutdown::Both);
            }
            ok
        });
    }
    ROOM.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &conn));
}
