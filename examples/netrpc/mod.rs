//! RPC over HTTP over any `Conn`, on the wire of Go's `net/rpc`: a Go program can call this server, and
//! this client can call a Go program.
//!
//! ```text
//! client, server    calls: a name and an argument there, a reply or an error back
//! gob               values, and the types that they are of
//! stream            messages, each with its length before it
//! http              CONNECT, once; everything after is gob
//! Conn              a Unix socket, or TCP
//! ```

#![allow(dead_code)] // each program has a use for its own part

pub mod client;
pub mod decode;
pub mod encode;
pub mod gob;
pub mod http;
pub mod server;
pub mod stream;

use gob::{Record, Value};

/// What comes before an argument.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub service_method: String,
    pub seq: u64,
}

impl Record for Request {
    const NAME: &'static str = "Request";
    const FIELDS: &'static [&'static str] = &["ServiceMethod", "Seq"];

    fn values(&self) -> Vec<&dyn Value> {
        vec![&self.service_method, &self.seq]
    }

    fn values_mut(&mut self) -> Vec<&mut dyn Value> {
        vec![&mut self.service_method, &mut self.seq]
    }
}

/// What comes before a reply; with an error, the reply carries nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Response {
    pub service_method: String,
    pub seq: u64,
    pub error: String,
}

impl Record for Response {
    const NAME: &'static str = "Response";
    const FIELDS: &'static [&'static str] = &["ServiceMethod", "Seq", "Error"];

    fn values(&self) -> Vec<&dyn Value> {
        vec![&self.service_method, &self.seq, &self.error]
    }

    fn values_mut(&mut self) -> Vec<&mut dyn Value> {
        vec![&mut self.service_method, &mut self.seq, &mut self.error]
    }
}

/// The body of an answer that is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nothing;

impl Record for Nothing {
    const NAME: &'static str = "";
    const FIELDS: &'static [&'static str] = &[];

    fn values(&self) -> Vec<&dyn Value> {
        Vec::new()
    }

    fn values_mut(&mut self) -> Vec<&mut dyn Value> {
        Vec::new()
    }
}
