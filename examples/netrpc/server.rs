//! The serving end: methods by name, and the calls of one connection in order.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use streamsock::Conn;

use super::gob::{BAD_VALUE, Record, Value, record};
use super::http_server::accept_http;
use super::stream::{MAX_MESSAGE, Request, Response, Stream};

/// The longest name of a method that is looked up, and repeated in the answer.
const MAX_NAME: usize = 1 << 10;

/// With more connections than this, a thread that has answered lets others run before it reads on. If
/// it slept, the next request would wake it, and each wake-up interrupts the client: a Go program with
/// all its connections in one event loop makes a quarter more calls so. A few that block make fewer.
const MANY: usize = 8;

record!(
    /// The body of an answer that is an error.
    Nothing = "" {}
);

/// The methods of a server, and what a connection may cost it.
pub struct Server {
    /// How long a client may say nothing, or not take its answers: a minute.
    pub idle: Duration,
    /// How many bytes a message may have: 64 MiB. An argument takes up to five times as much memory.
    pub max_message: usize,
    services: BTreeMap<String, BTreeMap<String, Method>>,
    /// The connections that make calls.
    open: AtomicUsize,
}

struct Method {
    /// How it looks on the page.
    signature: String,
    calls: Arc<AtomicU64>,
    handler: Box<Handler>,
}

/// Has its argument read, and returns the reply or what the method says against it.
type Handler = dyn Fn(&mut ReadArgument<'_>) -> io::Result<Outcome> + Send + Sync;
type ReadArgument<'a> = dyn FnMut(&mut dyn Value) -> io::Result<()> + 'a;
type Outcome = Result<Box<dyn Value>, String>;

impl Default for Server {
    fn default() -> Server {
        let (services, open) = (BTreeMap::new(), AtomicUsize::new(0));
        Server { idle: Duration::from_secs(60), max_message: MAX_MESSAGE, services, open }
    }
}

impl Server {
    /// Serves `Service.Method` with a function of its argument.
    pub fn register<A, R, F>(&mut self, name: &str, method: F)
    where
        A: Value + Default + 'static,
        R: Value + Default + 'static,
        F: Fn(A) -> Result<R, String> + Send + Sync + 'static,
    {
        let (service, method_name) = name.rsplit_once('.').expect("a name is Service.Method");
        let signature =
            format!("{method_name}({}, *{}) error", A::default().go_name(), R::default().go_name());
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        let handler = Box::new(move |read: &mut ReadArgument<'_>| {
            let mut args = A::default();
            read(&mut args)?;
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(method(args).map(|reply| Box::new(reply) as Box<dyn Value>))
        });
        let service = self.services.entry(service.to_string()).or_default();
        service.insert(method_name.to_string(), Method { signature, calls, handler });
    }

    /// Serves one connection to its end: one call after another over what `wrap` makes of it, or one
    /// answer to a browser. An error says why it ended early.
    pub fn serve<S: Read + Write>(
        &self,
        conn: Conn,
        wrap: impl FnOnce(Conn) -> S,
    ) -> io::Result<()> {
        conn.set_read_timeout(Some(self.idle))?;
        conn.set_write_timeout(Some(self.idle))?;
        match accept_http(&conn, || self.page())? {
            Some(early) => self.calls(Stream::new(wrap(conn), early, self.max_message)),
            None => Ok(()),
        }
    }

    /// The client speaks first. A bad header ends the connection; a bad argument, one call.
    pub fn calls<S: Read + Write>(&self, mut stream: Stream<S>) -> io::Result<()> {
        self.open.fetch_add(1, Ordering::Relaxed);
        let _open = Open(&self.open);
        loop {
            let mut request = Request::default();
            match stream.receive(Some(&mut request)) {
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                header => header?,
            }
            let Request { mut service_method, seq } = request;
            if service_method.len() > MAX_NAME {
                service_method = format!("({} bytes)", service_method.len());
            }
            let nothing = || Box::new(Nothing {}) as Box<dyn Value>;
            let (reply, error, ended) = match self.call(&service_method, &mut stream) {
                Ok(Ok(reply)) => (reply, String::new(), Ok(())),
                Ok(Err(why)) => (nothing(), why, Ok(())),
                Err(e) if e.kind() == BAD_VALUE => (nothing(), e.to_string(), Ok(())),
                Err(e) => (nothing(), e.to_string(), Err(e)),
            };
            stream.send(&Response { service_method, seq, error }, &*reply)?;
            ended?;
            if self.open.load(Ordering::Relaxed) > MANY {
                thread::yield_now();
            }
        }
    }

    /// Reads the argument, and drops it if there is no such method.
    fn call<S: Read + Write>(&self, name: &str, stream: &mut Stream<S>) -> io::Result<Outcome> {
        match self.method(name) {
            Ok(method) => (method.handler)(&mut |args| stream.receive(Some(args))),
            Err(refused) => match stream.receive(None) {
                Err(e) if e.kind() != BAD_VALUE => Err(e),
                _ => Ok(Err(refused)),
            },
        }
    }

    /// The method of that name, or Go's words that there is none.
    fn method(&self, name: &str) -> Result<&Method, String> {
        let Some((service, method)) = name.rsplit_once('.') else {
            return Err(format!("rpc: service/method request ill-formed: {name}"));
        };
        let Some(service) = self.services.get(service) else {
            return Err(format!("rpc: can't find service {name}"));
        };
        service.get(method).ok_or_else(|| format!("rpc: can't find method {name}"))
    }

    /// Each service, its methods, and how often they were called.
    fn page(&self) -> String {
        let mut page = String::from("<!DOCTYPE html>\n<html>\n<title>Services</title>\n<body>\n");
        for (name, methods) in &self.services {
            page += &format!("<hr>\nService {name}\n<hr>\n<table>\n");
            page += "<tr><th align=center>Method</th><th align=center>Calls</th></tr>\n";
            for Method { signature, calls, .. } in methods.values() {
                let calls = calls.load(Ordering::Relaxed);
                page += &format!("<tr><td align=left>{signature}</td>");
                page += &format!("<td align=center>{calls}</td></tr>\n");
            }
            page += "</table>\n";
        }
        page + "</body>\n</html>\n"
    }
}

/// Takes a connection off the count when it ends, even if a method panics.
struct Open<'a>(&'a AtomicUsize);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
