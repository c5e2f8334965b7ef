//! New connections, each for one message there and back: what many short clients feel.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use super::blocks::Series;
use super::server::{Request, Server};
use super::transport::PATIENCE;

/// Visits the server for the length of a block, one visit after the other, each until the answer is there and the
/// socket is closed. Returns how many they are a second.
pub fn visit(server: &Server, series: Series, request: Request) -> io::Result<f64> {
    let message = vec![b'.'; request.size];
    // In one write, as a client would send a request that has a head.
    let asked = [request.to_bytes(), message.clone()].concat();
    let mut answer = vec![0; request.size];
    let start = Instant::now();
    let mut visits = 0_u32;
    while start.elapsed() < series.length {
        let mut conn = server.connect(series.network)?;
        conn.set_read_timeout(Some(PATIENCE))?;
        conn.write_all(&asked)?;
        conn.read_exact(&mut answer)?;
        drop(conn); // close(2), which is part of a visit
        visits += 1;
    }
    let took = start.elapsed();
    if answer != message {
        return Err(io::Error::new(ErrorKind::InvalidData, "another message came back"));
    }
    Ok(f64::from(visits) / took.as_secs_f64())
}
