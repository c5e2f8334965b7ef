//! The serving end: methods by name, and the calls of one connection in order.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use streamsock::Conn;

use super::decode::Memory;
use super::gob::{Decode, Encode, GoString};
use super::http_server::accept;
use super::stream::{Buffered, Request, Response, Stream, buffered};
use super::wire::{Error, Result};

/// The longest name of a method that is looked up, and repeated in the answer.
const MAX_NAME: usize = 1 << 10;
/// With more connections than this, a thread that has answered lets others run.
const MANY: usize = 8;

/// The methods of a server, and what its clients may cost it.
pub struct Server {
    /// How long a client may be silent, or not take its answer: a minute.
    pub idle: Duration,
    /// How long the head of a request may take: 5 s.
    pub head_time: Duration,
    /// How long a call may take to arrive once it has begun, and its answer to be taken: 30 s.
    pub call_time: Duration,
    /// How many bytes a message may have: 32 MiB.
    pub max_message: usize,
    /// How many bytes all connections may still hold together, besides 64 KiB each: 64 MiB. What counts
    /// is the message that is read or sent, the argument that is read from it, which may take many times
    /// as much, and definitions. Whoever needs more is dropped.
    pub budget: Arc<AtomicU64>,
    methods: BTreeMap<String, Method>,
}

struct Method {
    calls: AtomicU64,
    handler: Box<Handler>,
}

/// Has its argument read, and says what came of it: a reply, or an error of which the client is told.
/// After [`Error::Value`] it may go on, after [`Error::Stream`] it is dropped.
type Handler = dyn Fn(&mut ReadArgument<'_>) -> Outcome + Send + Sync;
type ReadArgument<'a> = dyn FnMut(&mut dyn Decode) -> Result<()> + 'a;
type Outcome = Result<Box<dyn Encode>>;

impl Default for Server {
    fn default() -> Server {
        Server {
            idle: Duration::from_secs(60),
            head_time: Duration::from_secs(5),
            call_time: Duration::from_secs(30),
            max_message: 32 << 20,
            budget: Arc::new(AtomicU64::new(64 << 20)),
            methods: BTreeMap::new(),
        }
    }
}

impl Server {
    /// Serves `Service.Method` with a function of its argument.
    pub fn register<A, R, F>(&mut self, name: &str, method: F)
    where
        A: Decode + Default + 'static,
        R: Encode + 'static,
        F: Fn(A) -> std::result::Result<R, String> + Send + Sync + 'static,
    {
        let handler = move |read: &mut ReadArgument<'_>| -> Outcome {
            let mut args = A::default();
            read(&mut args)?;
            match method(args) {
                Ok(reply) => Ok(Box::new(reply)),
                // An empty text would say that there is no error.
                Err(why) if why.is_empty() => Err(Error::Value("(no text)".to_string())),
                Err(why) => Err(Error::Value(why)),
            }
        };
        let method = Method { calls: AtomicU64::new(0), handler: Box::new(handler) };
        self.methods.insert(name.to_string(), method);
    }

    /// Serves one connection to its end: calls after CONNECT, as Go's `rpc.HandleHTTP` has them, or one
    /// answer to a browser. An error says why it ended early.
    pub fn serve_http(&self, conn: Conn) -> io::Result<()> {
        conn.set_read_timeout(Some(self.head_time))?;
        conn.set_write_timeout(Some(self.idle))?;
        let mut stream = buffered(conn);
        stream.get_mut().restart(Some(self.head_time));
        if !accept(&mut stream, || self.page())? {
            return Ok(());
        }
        stream.get_ref().inner.set_read_timeout(Some(self.idle))?;
        self.serve_calls(stream)
    }

    /// Serves calls without HTTP over any stream that is [`buffered`], as Go's `rpc.ServeConn`. Its
    /// timeouts bound how long a read or a write waits.
    ///
    /// The client speaks first. A bad header ends the connection; a bad argument, one call.
    pub fn serve_calls<S: Read + Write>(&self, stream: Buffered<S>) -> io::Result<()> {
        let mut stream = Stream::new(stream, Memory::new(&self.budget, self.max_message));
        loop {
            stream.restart(Some(self.call_time));
            let mut request = Request::default();
            match stream.receive(Some(&mut request)) {
                Err(Error::Stream(e)) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                header => header?,
            }
            let Request { mut service_method, seq } = request;
            if service_method.0.len() > MAX_NAME {
                service_method = GoString::from(format!("({} bytes)", service_method.0.len()));
            }
            let outcome = self.call(&service_method.to_string(), &mut stream);
            let nothing = Box::new(());
            let (error, reply, ended): (_, Box<dyn Encode>, _) = match outcome {
                Ok(reply) => (String::new(), reply, Ok(())),
                Err(Error::Value(why)) => (why, nothing, Ok(())),
                Err(Error::Stream(e)) => (e.to_string(), nothing, Err(e)),
            };
            stream.restart(Some(self.call_time));
            let response = Response { service_method, seq, error: error.into() };
            let sent = stream.send(&response, &*reply);
            ended.and(sent)?;
            self.let_others_run();
        }
    }

    /// Reads the argument, and drops it if there is no such method.
    fn call<S: Read + Write>(&self, name: &str, stream: &mut Stream<S>) -> Outcome {
        let Some(method) = self.methods.get(name) else {
            stream.receive(None)?;
            return Err(Error::Value(self.missing(name)));
        };
        method.calls.fetch_add(1, Ordering::Relaxed);
        (method.handler)(&mut |args| stream.receive(Some(args)))
    }

    /// Go's words that there is no method of that name.
    fn missing(&self, name: &str) -> String {
        let Some((service, _)) = name.rsplit_once('.') else {
            return format!("rpc: service/method request ill-formed: {name}");
        };
        let prefix = format!("{service}.");
        let is_there = self.methods.keys().any(|known| known.starts_with(&prefix));
        let what = if is_there { "method" } else { "service" };
        format!("rpc: can't find {what} {name}")
    }

    /// If this thread slept, the next request would wake it, and each wake-up interrupts the client: a
    /// Go program with all its connections in one event loop makes a quarter more calls if it does not.
    /// Where few clients block, they make fewer.
    fn let_others_run(&self) {
        // Each connection refers to the budget.
        if Arc::strong_count(&self.budget) > MANY {
            thread::yield_now();
        }
    }

    /// Each method, and how often it was called.
    fn page(&self) -> String {
        let mut page = String::from("<!DOCTYPE html>\n<title>Methods</title>\n<table>\n");
        page += "<tr><th align=left>Method</th><th>Calls</th></tr>\n";
        for (name, method) in &self.methods {
            let calls = method.calls.load(Ordering::Relaxed);
            page += &format!("<tr><td>{name}</td><td align=right>{calls}</td></tr>\n");
        }
        page + "</table>\n"
    }
}
