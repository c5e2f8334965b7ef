//! The other end: what a client asks for, how it is answered, and the process that does so.

use std::env;
use std::io::{self, BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use streamsock::{Addr, Conn, Listener, serve};

use super::transport::{Buffers, End, Network, PATIENCE};
use crate::args::{MAX_SIZE, address};
use crate::{Error, failed, print, say};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every message is sent back.
    Echo,
    /// Messages are taken in until the end of file, and then counted.
    Sink,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub kind: Kind,
    /// Bytes in a message.
    pub size: usize,
    /// What a sink reads with.
    pub recv: usize,
    /// How long the server polls; zero when it blocks.
    pub spin: Duration,
    pub buffers: Buffers,
}

/// The first message of a client has so many bytes: words, filled up with spaces.
pub const REQUEST: usize = 64;
const START: &str = "sockbench 2";

impl Request {
    pub fn to_bytes(self) -> Vec<u8> {
        let Request { kind, size, recv, spin, buffers } = self;
        let (micros, Buffers { send, recv: rcvbuf }) = (spin.as_micros(), buffers);
        let words = format!("{START} {kind:?} {size} {recv} {micros} {send} {rcvbuf}");
        format!("{words:REQUEST$}").into_bytes()
    }

    /// Refuses what no client of this program asks for.
    pub fn from_bytes(bytes: &[u8]) -> Option<Request> {
        let words = str::from_utf8(bytes).ok()?.strip_prefix(START)?;
        let words: Vec<&str> = words.split_whitespace().collect();
        let [kind, size, recv, micros, send, rcvbuf] = words[..] else { return None };
        let kind = match kind {
            "Echo" => Kind::Echo,
            "Sink" => Kind::Sink,
            _ => return None,
        };
        let number = |word: &str| word.parse::<usize>().ok();
        let [size, recv] = [number(size)?, number(recv)?];
        let spin = Duration::from_micros(micros.parse::<u32>().ok()?.into());
        let buffers = Buffers { send: number(send)?, recv: number(rcvbuf)? };
        let is_small = [size, recv, buffers.send, buffers.recv].iter().all(|n| *n <= MAX_SIZE);
        let is_allowed = is_small && size > 0 && recv > 0 && spin <= Duration::from_secs(1000);
        is_allowed.then_some(Request { kind, size, recv, spin, buffers })
    }
}

/// `sockbench serve ADDR...`: serves clients of all addresses until it is killed.
pub fn listen(addrs: &[String]) -> Result<(), Error> {
    let addrs = addrs.iter().map(|addr| address(addr)).collect::<Result<Vec<Addr>, Error>>()?;
    let mut listeners = Vec::new();
    for addr in &addrs {
        let listener = Listener::bind(addr).map_err(|e| failed(addr, e))?;
        say(&format!("listening on {}", listener.local_addr().map_err(|e| failed(addr, e))?));
        listeners.push(listener);
    }
    serve(&listeners, MAX_CLIENTS, visit).map_err(|e| failed("serve", e))
}

const MAX_CLIENTS: usize = 64;

fn visit(conn: Conn) {
    let place = conn.local_addr().map_or(conn.network().to_string(), |addr| addr.to_string());
    if let Err(e) = answer(End::Block(conn))
        && !is_gone(&e)
    {
        say(&format!("sockbench: {place}: a client was dropped: {e}"));
    }
}

/// Whether a client has left in the middle, which is its own affair.
fn is_gone(e: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(e.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// The client speaks first, and says what it wants. One that says nothing would keep its place for
/// ever, and so keep others out.
fn answer(mut end: End) -> io::Result<()> {
    end.set_read_timeout(Some(PATIENCE))?;
    let mut bytes = [0; REQUEST];
    end.read_exact(&mut bytes).map_err(|e| match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            let why = format!("it asked for nothing within {} s", PATIENCE.as_secs());
            io::Error::new(ErrorKind::TimedOut, why)
        }
        _ => e,
    })?;
    end.set_read_timeout(None)?;
    let request = Request::from_bytes(&bytes).ok_or_else(|| {
        let why = "it does not speak this version of sockbench's protocol";
        io::Error::new(ErrorKind::InvalidData, why)
    })?;
    if let End::Block(conn) = &end {
        request.buffers.set(conn)?;
    }
    let mut end = end.polling(request.spin);
    match request.kind {
        Kind::Echo => send_back(&mut end, request.size),
        Kind::Sink => take_in(&mut end, request.size, request.recv),
    }
}

/// Sends back every message, until the client ends.
fn send_back(end: &mut End, size: usize) -> io::Result<()> {
    let mut message = vec![0; size];
    loop {
        match end.read_exact(&mut message) {
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        end.write_all(&message)?;
    }
}

/// Says that it is ready: that 0 bytes have come. Then reads messages until the end of file, and says
/// how many bytes they were. The first byte of a message is the low one of its number, so that a
/// message that was lost, repeated or cut short shows in the next.
fn take_in(end: &mut End, size: usize, recv: usize) -> io::Result<()> {
    let mut buf = vec![0; recv];
    end.write_all(&0_u64.to_le_bytes())?;
    let (mut got, mut next, mut number) = (0_usize, 0_usize, 0_u8);
    loop {
        let n = match end.read(&mut buf) {
            Ok(0) => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        while next < got + n {
            if buf[next - got] != number {
                return Err(io::Error::new(ErrorKind::InvalidData, "a message is missing"));
            }
            next += size;
            number = number.wrapping_add(1);
        }
        got += n;
    }
    if got != next {
        return Err(io::Error::new(ErrorKind::InvalidData, "a message was cut short"));
    }
    end.write_all(&(got as u64).to_le_bytes())
}

/// Who is at the other end.
pub struct Server {
    /// This program, started again. It ends when its standard input does, so also when this process is
    /// killed. `None`: the server runs elsewhere.
    process: Option<Process>,
    cpu: Option<usize>,
    /// The address of each kind of socket, or why it has none.
    addrs: [Result<Addr, String>; 2],
}

/// A connection to it, on which it does what it was asked for.
pub struct Link {
    pub end: End,
    /// The process at the other end, if it is ours.
    pub pid: Option<u32>,
    /// The same, where it serves this connection alone: it ends after `end` above, and is waited for.
    _server: Option<Process>,
}

/// Waited for at the end. That closes its standard input first, if this process holds it.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.wait();
    }
}

impl Server {
    pub fn elsewhere(addr: &Addr) -> Server {
        Server { process: None, cpu: None, addrs: [Ok(addr.clone()), Ok(addr.clone())] }
    }

    /// Starts it on that CPU; without one, where the scheduler likes.
    pub fn start(cpu: Option<usize>) -> io::Result<Server> {
        let mut child =
            again(cpu, "answer").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe")).lines();
        let mut addr = || -> io::Result<Result<Addr, String>> {
            let line = lines.next().unwrap_or(Err(ErrorKind::UnexpectedEof.into()))?;
            Ok(line.parse().map_err(|_| line))
        };
        let addrs = [addr()?, addr()?];
        Ok(Server { process: Some(Process(child)), cpu, addrs })
    }

    /// Opens a socket, and nothing more.
    pub fn connect(&self, network: Network) -> io::Result<Conn> {
        match &self.addrs[network as usize] {
            Ok(addr) => Conn::connect(addr),
            Err(why) => Err(io::Error::other(why.clone())),
        }
    }

    /// Opens a connection, asks for what the server is to do, and waits until it does it.
    pub fn open(&self, network: Network, request: Request) -> io::Result<Link> {
        let mut link = match network {
            Network::Pipe => self.over_pipes()?,
            _ => {
                let conn = self.connect(network)?;
                request.buffers.set(&conn)?;
                let pid = self.process.as_ref().map(|process| process.0.id());
                Link { end: End::Block(conn), pid, _server: None }
            }
        };
        let mut asked = request.to_bytes();
        let mut answer = vec![0; 8];
        if request.kind == Kind::Echo {
            asked.resize(asked.len() + request.size, 0);
            answer.resize(request.size, 0);
        }
        link.end.set_read_timeout(Some(PATIENCE))?;
        link.end.write_all(&asked)?;
        link.end.read_exact(&mut answer)?;
        link.end.set_read_timeout(None)?;
        link.end = link.end.polling(request.spin);
        Ok(link)
    }

    /// To a process of its own, which reads its standard input and writes its standard output.
    fn over_pipes(&self) -> io::Result<Link> {
        let (child_stdin, to_child) = io::pipe()?;
        let (from_child, child_stdout) = io::pipe()?;
        // The command goes at the end of this function, and the child's ends of the pipes with it: as
        // long as this process held them too, neither would see the other's end of file.
        let mut server = again(self.cpu, "answer-pipe");
        let child = server.stdin(child_stdin).stdout(child_stdout).spawn()?;
        let end = End::Pipe(from_child, Some(to_child));
        Ok(Link { end, pid: Some(child.id()), _server: Some(Process(child)) })
    }
}

/// This program on that CPU. By its process's number in /proc, as `self` would be taskset, and as the
/// file may be replaced meanwhile; and out of the terminal's group, so that Ctrl-C leaves it the time to
/// remove its socket.
fn again(cpu: Option<usize>, command: &str) -> Command {
    let mut program = format!("/proc/{}/exe", process::id()).into();
    if !Path::new(&program).exists() {
        program = env::current_exe().unwrap_or("sockbench".into());
    }
    let mut process = match cpu {
        Some(cpu) => {
            let mut taskset = Command::new("taskset");
            taskset.args(["-c", &cpu.to_string()]).arg(program);
            taskset
        }
        None => Command::new(program),
    };
    process.arg(command).process_group(0);
    process
}

/// That process: `sockbench answer`. It prints the address of each network, or why it has none.
pub fn answer_sockets() -> Result<(), Error> {
    let tcp = Addr::Tcp { host: "127.0.0.1".into(), port: 0 };
    let bound = [bind_unix(), Listener::bind(&tcp)];
    for listener in &bound {
        let line = match listener {
            Ok(listener) => listener.local_addr().map_err(|e| failed("the server", e))?.to_string(),
            Err(e) => format!("the server cannot listen: {e}"),
        };
        print(&format!("{line}\n"))?;
    }
    // They live as long as the process, so that it can end while it serves somebody.
    let listeners: &'static [Listener] = Vec::leak(bound.into_iter().flatten().collect());
    thread::spawn(|| serve(listeners, MAX_CLIENTS, visit));
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    for listener in listeners {
        let _ = listener.shutdown(); // which removes the socket's file
    }
    Ok(())
}

/// The directory for temporary files may be too deep for a socket's path, or closed to this user. Linux
/// has names that need none.
fn bind_unix() -> io::Result<Listener> {
    let name = format!("sockbench-{}.sock", process::id());
    let path = env::temp_dir().join(&name);
    let abstract_name = Addr::Abstract(name.into());
    Listener::bind(&path.as_path().into())
        .or_else(|first| Listener::bind(&abstract_name).map_err(|_| first))
}

/// The other end of two pipes, which are its standard input and output: `sockbench answer-pipe`. Std's
/// own handles buffer, so these are duplicates.
pub fn answer_pipe() -> Result<(), Error> {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(PipeReader::from);
    let stdout = io::stdout().as_fd().try_clone_to_owned().map(PipeWriter::from);
    let end = stdin.and_then(|stdin| Ok(End::Pipe(stdin, Some(stdout?))));
    match end.and_then(answer) {
        Err(e) if !is_gone(&e) => Err(failed("the server's end of a pipe", e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[test]
fn a_request_arrives_as_it_was_sent_up_to_its_limits() {
    let arrives = |size, recv, micros, send| {
        let (spin, buffers) = (Duration::from_micros(micros), Buffers { send, recv: 7 });
        [Kind::Echo, Kind::Sink].map(|kind| {
            let request = Request { kind, size, recv, spin, buffers };
            Request::from_bytes(&request.to_bytes()) == Some(request)
        })
    };
    assert_eq!(arrives(1, 1, 0, 0), [true; 2]);
    assert_eq!(arrives(MAX_SIZE, MAX_SIZE, 1_000_000_000, MAX_SIZE), [true; 2]);
    let refused = [
        (0, 1, 0, 0),
        (1, 0, 0, 0),
        (MAX_SIZE + 1, 1, 0, 0),
        (1, MAX_SIZE + 1, 0, 0),
        (1, 1, 1_000_000_001, 0),
        (1, 1, 0, MAX_SIZE + 1),
    ];
    for (size, recv, micros, send) in refused {
        assert_eq!(arrives(size, recv, micros, send), [false; 2], "{size} {recv} {micros} {send}");
    }
    assert_eq!(Request::from_bytes(&[b'G'; REQUEST]), None);
    assert_eq!(Request::from_bytes(b"sockbench 2 Echo 1 1 0 0"), None);
}
