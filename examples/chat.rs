//! A chat: a line from one client goes to all the others, over Unix and TCP at once.
//!
//! ```console
//! $ cargo run --example chat          # Ctrl-D, the end of its standard input, ends it
//! $ nc -U /tmp/chat.sock              # in a second terminal; nc 127.0.0.1 13502 in a third
//! ```
//!
//! Predict: press Ctrl-Z in one `nc` and run `yes | nc -U /tmp/chat.sock`. What do the others see?
//! Change: keep a client although a write to it timed out. What may its next line look like?
//! Explain: why must `chat` look at ENDED after it has entered the ROOM, and not before?

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, atomic::AtomicBool, atomic::Ordering::SeqCst};
use std::{env, thread, time::Duration};

use streamsock::{Conn, Listener, serve};

/// Who is there. Each connection is read by one thread, its own, and written to by all.
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
        // First, nobody new is let in. Then the read that waits for each client returns 0.
        listening.iter().for_each(|listener| drop(listener.shutdown()));
        ENDED.store(true, SeqCst);
        ROOM.lock().unwrap().iter().for_each(|conn| drop(conn.shutdown(Shutdown::Both)));
    });
    serve(&*listeners, 512, |conn| chat(Arc::new(conn))) // returns when all of them are done
}

fn chat(conn: Arc<Conn>) {
    let _ = conn.set_write_timeout(Some(Duration::from_millis(100)));
    ROOM.lock().unwrap().push(conn.clone());
    // 1 KiB at most: a client that never ends its line must not fill the memory.
    let (mut reader, mut line) = (BufReader::new(&*conn), Vec::new());
    while !ENDED.load(SeqCst)
        && let Ok(1..) = reader.by_ref().take(1024).read_until(b'\n', &mut line)
    {
        let text = [std::mem::take(&mut line).trim_ascii_end(), b"\n"].concat();
        ROOM.lock().unwrap().retain(|other| {
            // Waits while the other does not read, 100 ms, and all who want to speak wait with it.
            // Then it must go: part of the line may be on its way, and the next would be glued on.
            let ok = Arc::ptr_eq(other, &conn) || (&**other).write(&text).ok() == Some(text.len());
            if !ok {
                let _ = other.shutdown(Shutdown::Both);
            }
            ok
        });
    }
    ROOM.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &conn));
}
