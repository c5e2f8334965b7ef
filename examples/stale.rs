//! A socket's file outlives its server: what connect and bind answer then, and how to bind again.
//!
//! ```console
//! $ cargo run --example stale
//! nothing is at the path:
//!   connect         No such file or directory (os error 2)
//!   bind            works
//!   Listener::bind  works
//! a live server is at the path:
//!   connect         works
//!   bind            Address already in use (os error 98)
//!   Listener::bind  a live server holds it
//! a dead server's file is at the path:
//!   connect         Connection refused (os error 111)
//!   bind            Address already in use (os error 98)
//!   Listener::bind  works
//! a regular file is at the path:
//!   connect         Connection refused (os error 111)
//!   bind            Address already in use (os error 98)
//!   Listener::bind  a regular file is there, not a socket, and was left as it is
//! a dead server's TCP port, with a connection that it closed:
//!   connect         Connection refused (os error 111)
//!   bind            works
//! ```
//!
//! Predict: what are the answers if the path is a directory? And if its directory does not exist?
//! Change: remove `drop(server)` in `dead_tcp_server`. Does SO_REUSEADDR still help?
//! Explain: what goes wrong if a server removes whatever is at its path before it binds?

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::{env, fs, process};

use streamsock::{Addr, Listener};

fn main() -> io::Result<()> {
    let dir = env::temp_dir().join(format!("stale-{}", process::id()));
    fs::create_dir(&dir)?;
    let path = dir.join("s");

    println!("nothing is at the path:");
    ask(&path)?;
    println!("a live server is at the path:");
    live_server(&path)?;
    println!("a dead server's file is at the path:");
    dead_server(&path)?;
    println!("a regular file is at the path:");
    regular_file(&path)?;
    println!("a dead server's TCP port, with a connection that it closed:");
    dead_tcp_server()?;

    fs::remove_dir_all(&dir)
}

/// A server that has the socket open. Clients can connect, though it never calls accept.
fn live_server(path: &Path) -> io::Result<()> {
    let server = UnixListener::bind(path)?;
    ask(path)?;
    drop(server);
    fs::remove_file(path)
}

/// A server that is gone, and has not removed its file.
fn dead_server(path: &Path) -> io::Result<()> {
    let server = UnixListener::bind(path)?;
    drop(server); // close(2): the kernel does the same, and no more, for a process that is killed
    ask(path)
}

fn regular_file(path: &Path) -> io::Result<()> {
    fs::write(path, "precious")?;
    ask(path)
}

/// What a client's connect, a server's bind, and the library answer.
fn ask(path: &Path) -> io::Result<()> {
    let client = UnixStream::connect(path);
    println!("  connect         {}", answer(&client));

    let server = UnixListener::bind(path);
    println!("  bind            {}", answer(&server));
    if server.is_ok() {
        fs::remove_file(path)?; // the file that bind has just made: std never removes it
    }

    // The library binds, too. If the path is in use, it looks at what is there. If that is a socket
    // that nobody has open, it removes the file and binds again. (An Addr is an address.)
    let server = Listener::bind(&Addr::from(path));
    println!("  Listener::bind  {}", answer(&server));
    drop(server); // this removes the file that it has made
    Ok(())
}

/// A port has no file. But the kernel of the end that closes first remembers the connection for a
/// minute (the state TIME_WAIT), so that late packets are not taken for those of a new connection.
/// Meanwhile a new server gets the port only if the old one and the new one have set the option
/// SO_REUSEADDR, socket(7). std sets it for each TcpListener.
fn dead_tcp_server() -> io::Result<()> {
    let server = TcpListener::bind("127.0.0.1:0")?; // port 0: the kernel chooses a free one
    let addr = server.local_addr()?;
    let mut client = TcpStream::connect(addr)?;
    let (conn, _) = server.accept()?;
    drop(conn); // the server closes first
    assert_eq!(client.read(&mut [0])?, 0); // the client sees end of file
    drop(client);
    drop(server);

    println!("  connect         {}", answer(&TcpStream::connect(addr)));
    println!("  bind            {}", answer(&TcpListener::bind(addr)));
    Ok(())
}

fn answer<T>(result: &io::Result<T>) -> String {
    match result {
        Ok(_) => "works".to_string(),
        Err(error) => error.to_string(),
    }
}
