//! One way: how many bytes a second arrive.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use super::blocks::Series;
use super::transport::End;

/// Reading the clock takes a tenth of the time of a small message, so it is read after so many bytes.
const BETWEEN_CLOCKS: usize = 16 << 10;

/// Sends messages for the length of a block, each in one write, and then the end of file. The clock stops when the
/// server says that it has read all of it, since what has been sent only lies in a buffer. The first
/// byte of a message is its number. Returns the bytes a second.
pub fn send(end: &mut End, series: Series) -> io::Result<f64> {
    let size = series.size;
    let mut message = vec![b'.'; size];
    let start = Instant::now();
    let mut sent = 0_u64;
    let mut number = 0_u8;
    while start.elapsed() < series.length {
        for _ in 0..(BETWEEN_CLOCKS / size).max(1) {
            message[0] = number;
            end.write_all(&message)?;
            number = number.wrapping_add(1);
            sent += size as u64;
        }
    }
    end.finish_writing()?;
    let mut received = [0; 8];
    end.read_exact(&mut received)?;
    let took = start.elapsed();
    if u64::from_le_bytes(received) != sent {
        return Err(io::Error::new(ErrorKind::InvalidData, "not all that was sent has arrived"));
    }
    Ok(sent as f64 / took.as_secs_f64())
}
