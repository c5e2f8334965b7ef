//! The serving end: methods by name, and the calls of one connection in order.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use streamsock::Conn;

use super::decode::Input;
use super::gob::{Malformed, Value};
use super::http::{self, Asked};
use super::stream::{Error, Stream};
use super::{Nothing, Request, Response};

/// A call as it is made: reads its argument, and makes the reply or says why not.
type Handler =
    dyn Fn(Input<'_>, i64) -> Result<Result<Box<dyn Value>, String>, Malformed> + Send + Sync;

struct Method {
    handler: Box<Handler>,
    /// How it looks on the page.
    signature: String,
    calls: AtomicU64,
}

/// The methods of a server.
#[derive(Default)]
pub struct Server {
    services: BTreeMap<String, BTreeMap<String, Method>>,
    /// Held once by each connection that makes calls, to count them.
    open: Arc<()>,
}

/// With more connections than this, a thread that has answered lets others run before it reads on.
/// If it slept instead, the next request would wake it up, and each wake-up interrupts the client: a
/// Go program with all connections in one event loop makes a quarter more calls so. A few clients
/// that block lose by it, as sleeping is the fastest way to hand them the CPU: four of them would
/// make 0.6 to 0.8 times as many.
const MANY: usize = 8;

impl Server {
    /// Serves `Service.Method` with a function of its argument.
    pub fn register<A, R>(
        &mut self,
        name: &str,
        method: impl Fn(A) -> Result<R, String> + Send + Sync + 'static,
    ) where
        A: Value + Default + 'static,
        R: Value + Default + 'static,
    {
        let (service, method_name) = name.rsplit_once('.').expect("a name is Service.Method");
        let handler = move |input: Input<'_>, id: i64| {
            let mut args = A::default();
            input.value(id, &mut args)?;
            Ok(method(args).map(|reply| Box::new(reply) as Box<dyn Value>))
        };
        let signature =
            format!("{method_name}({}, *{}) error", A::default().go_name(), R::default().go_name());
        let method = Method { handler: Box::new(handler), signature, calls: AtomicU64::new(0) };
        let service = self.services.entry(service.to_string()).or_default();
        service.insert(method_name.to_string(), method);
    }

    /// Serves one connection to its end: a call after the other over what `wrap` makes of it, or one
    /// answer to a browser.
    pub fn serve<S: Read + Write>(&self, conn: Conn, wrap: impl FnOnce(Conn) -> S) {
        // An error means that nobody is left to be told.
        let _ = match http::accept(&conn) {
            Ok(Asked::Connect(early)) => match http::connected(&conn) {
                Ok(()) => return self.calls(Stream::new(wrap(conn), early)),
                failed => failed,
            },
            Ok(Asked::Debug) => http::answer(&conn, "200 OK", "text/html", &self.page()),
            Ok(Asked::Nothing(status)) => {
                let body = match status {
                    "405 Method Not Allowed" => "405 must CONNECT\n".to_string(),
                    "404 Not Found" => "404 page not found\n".to_string(),
                    status => format!("{status}\n"),
                };
                http::answer(&conn, status, "text/plain", &body)
            }
            Err(e) => Err(e),
        };
    }

    /// The client speaks first. It ends with the stream, or with what cannot be understood.
    pub fn calls<S: Read + Write>(&self, mut stream: Stream<S>) {
        let _open = Arc::clone(&self.open);
        loop {
            let mut request = Request::default();
            if !matches!(stream.receive(&mut request), Ok(Some(()))) {
                return;
            }
            let result = match self.method(&request.service_method) {
                Err(refused) => match stream.discard() {
                    Ok(Some(())) | Err(Error::Value(_)) => Err(refused),
                    _ => return,
                },
                Ok(method) => {
                    let called = |input: Input<'_>, id| {
                        method.calls.fetch_add(1, Ordering::Relaxed);
                        (method.handler)(input, id)
                    };
                    match stream.next_value(called) {
                        Ok(Some(result)) => result,
                        Err(Error::Value(bad)) => {
                            method.calls.fetch_sub(1, Ordering::Relaxed);
                            Err(bad.to_string())
                        }
                        _ => return,
                    }
                }
            };
            let Request { service_method, seq } = request;
            let sent = match result {
                Ok(reply) => {
                    let response = Response { service_method, seq, error: String::new() };
                    stream.send(&response, &*reply)
                }
                Err(error) => stream.send(&Response { service_method, seq, error }, &Nothing),
            };
            if sent.is_err() {
                return;
            }
            if Arc::strong_count(&self.open) > MANY {
                thread::yield_now();
            }
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
            let _ = write!(page, "<hr>\nService {name}\n<hr>\n<table>\n");
            page += "<tr><th align=center>Method</th><th align=center>Calls</th></tr>\n";
            for method in methods.values() {
                let calls = method.calls.load(Ordering::Relaxed);
                let signature = &method.signature;
                let _ = writeln!(
                    page,
                    "<tr><td align=left>{signature}</td><td align=center>{calls}</td></tr>"
                );
            }
            page += "</table>\n";
        }
        page + "</body>\n</html>\n"
    }
}
