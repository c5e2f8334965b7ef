//! The serving end: methods by name, and the calls of one connection in order.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use streamsock::Conn;

use super::decode::Share;
use super::encode::Types;
use super::gob::{Decode, Encode, GoString};
use super::http_server::accept;
use super::stream::{Buffered, MAX_MESSAGE, Request, Response, Stream, buffered};
use super::wire::Error;

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
    /// How many bytes a message may have: 64 MiB. An argument takes up to five times as much memory.
    pub max_message: usize,
    /// How many bytes the messages of all connections may still take together: 64 MiB, and 64 KiB for
    /// each besides. Whoever needs more is dropped.
    pub budget: Arc<AtomicUsize>,
    services: BTreeMap<String, BTreeMap<String, Method>>,
}

struct Method {
    /// How it looks on the page.
    signature: String,
    calls: Arc<AtomicU64>,
    handler: Box<Handler>,
}

/// Has its argument read, and says what came of it.
type Handler = dyn Fn(&mut ReadArgument<'_>) -> Outcome + Send + Sync;
type ReadArgument<'a> = dyn FnMut(Option<&mut dyn Decode>) -> Result<(), Error> + 'a;

/// What a call came to.
enum Outcome {
    Reply(Box<dyn Encode>),
    /// The client is told why, and may go on.
    Refused(String),
    /// The client is told why, and that is the end.
    Broken(io::Error),
}

impl From<Error> for Outcome {
    fn from(e: Error) -> Outcome {
        match e {
            Error::Value(why) => Outcome::Refused(why),
            Error::Stream(e) => Outcome::Broken(e),
        }
    }
}

impl Default for Server {
    fn default() -> Server {
        Server {
            idle: Duration::from_secs(60),
            head_time: Duration::from_secs(5),
            call_time: Duration::from_secs(30),
            max_message: MAX_MESSAGE,
            budget: Arc::new(AtomicUsize::new(64 << 20)),
            services: BTreeMap::new(),
        }
    }
}

impl Server {
    /// Serves `Service.Method` with a function of its argument.
    pub fn register<A, R, F>(&mut self, name: &str, method: F)
    where
        A: Decode + Default + 'static,
        R: Encode + Default + 'static,
        F: Fn(A) -> Result<R, String> + Send + Sync + 'static,
    {
        let (service, method_name) = name.rsplit_once('.').expect("a name is Service.Method");
        let (argument, reply) = (go_type(&A::default()), go_type(&R::default()));
        let signature = format!("{method_name}({argument}, *{reply}) error");
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        let handler = Box::new(move |read: &mut ReadArgument<'_>| {
            let mut args = A::default();
            if let Err(e) = read(Some(&mut args)) {
                return e.into();
            }
            counter.fetch_add(1, Ordering::Relaxed);
            match method(args) {
                Ok(reply) => Outcome::Reply(Box::new(reply)),
                // An empty text would say that there is no error.
                Err(why) if why.is_empty() => Outcome::Refused("(no text)".to_string()),
                Err(why) => Outcome::Refused(why),
            }
        });
        let service = self.services.entry(service.to_string()).or_default();
        service.insert(method_name.to_string(), Method { signature, calls, handler });
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
        let mut stream = Stream::new(stream, Share::new(&self.budget), self.max_message);
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
            let name = String::from_utf8_lossy(&service_method.0);
            let outcome = self.call(&name, &mut stream);
            let (error, body): (_, &dyn Encode) = match &outcome {
                Outcome::Reply(reply) => (String::new(), &**reply),
                Outcome::Refused(why) => (why.clone(), &()),
                Outcome::Broken(e) => (e.to_string(), &()),
            };
            stream.put(&Response { service_method, seq, error: error.into() }, body);
            // The reply goes before its bytes do, which may take the client a while.
            let broken = match outcome {
                Outcome::Broken(e) => Err(e),
                _ => Ok(()),
            };
            stream.restart(Some(self.call_time));
            stream.send()?;
            broken?;
            self.let_others_run();
        }
    }

    /// Reads the argument, and drops it if there is no such method.
    fn call<S: Read + Write>(&self, name: &str, stream: &mut Stream<S>) -> Outcome {
        match self.method(name) {
            Ok(method) => (method.handler)(&mut |args| stream.receive(args)),
            Err(refused) => match stream.receive(None) {
                Err(Error::Stream(e)) => Outcome::Broken(e),
                _ => Outcome::Refused(refused),
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

    /// If this thread slept, the next request would wake it, and each wake-up interrupts the client: a
    /// Go program with all its connections in one event loop makes a quarter more calls if it does not.
    /// Where few clients block, they make fewer.
    fn let_others_run(&self) {
        // Each connection has a share of the budget.
        if Arc::strong_count(&self.budget) > MANY {
            thread::yield_now();
        }
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

fn go_type(value: &dyn Encode) -> String {
    let mut types = Types::default();
    let id = value.type_id(&mut types);
    types.go_type(id)
}
