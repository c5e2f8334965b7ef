//! Numbers and bytes, as gob writes them: each `put_` beside its `get_`.
//!
//! This is the bottom of Go's `net/rpc`, and the place to begin. Read upwards: `wire`, `gob`,
//! `definitions`, `encode`, `decode`, `stream`, `http`, and then the end that you want.
//!
//! ```text
//! client, server    calls: a method's name and an argument there, a reply or an error back
//! stream            a header and a body at a time, in one write, by a deadline
//! http              CONNECT, once, before the first call; everything after it is gob
//! encode, decode    a stream of values, each in a message of its own
//! definitions       the types of these values, which the sender defines before their first use
//! gob               what a value is: numbers, strings, slices, maps, structs
//! wire              numbers and bytes
//! ```

use std::io::{self, ErrorKind, Read};

/// Why a value cannot be read.
#[derive(Debug)]
pub enum Error {
    /// It is not what was wanted. The next value can be read all the same, unless this one goes on in
    /// another message, after an interface that holds a type defined there.
    Value(String),
    /// The stream has failed, or makes no sense. Nothing more can be read from it.
    Stream(io::Error),
}

pub type Result<T> = std::result::Result<T, Error>;

pub fn bad_value(why: &str) -> Error {
    Error::Value(format!("gob: {why}"))
}

/// The same error where the stream makes no sense after it.
pub fn fatal(e: Error) -> Error {
    Error::Stream(e.into())
}

impl From<io::Error> for Error {
    fn from(e: io::Error) -> Error {
        Error::Stream(e)
    }
}

impl From<Error> for io::Error {
    fn from(e: Error) -> io::Error {
        match e {
            Error::Value(why) => io::Error::new(ErrorKind::InvalidData, why),
            Error::Stream(e) => e,
        }
    }
}

/// A number below 128 is one byte. Any other comes after how many bytes it has, negated: 255 for one,
/// 248 for eight. Its most significant byte is the first.
pub fn put_uint(out: &mut Vec<u8>, number: u64) {
    if number < 128 {
        out.push(number as u8);
        return;
    }
    let zeros = number.leading_zeros() as usize / 8;
    out.push((8 - zeros as u8).wrapping_neg());
    out.extend(&number.to_be_bytes()[zeros..]);
}

pub fn get_uint(from: &mut dyn Read) -> Result<u64> {
    let mut number = [0; 8];
    from.read_exact(&mut number[7..])?;
    let first = number[7];
    if first < 128 {
        return Ok(first.into());
    }
    let len = usize::from(first.wrapping_neg());
    if len > 8 {
        return Err(fatal(bad_value("a number of more than 8 bytes")));
    }
    from.read_exact(&mut number[8 - len..])?;
    Ok(u64::from_be_bytes(number))
}

/// The sign is the lowest bit, so that small numbers of either sign are short.
pub fn put_int(out: &mut Vec<u8>, number: i64) {
    put_uint(out, ((number << 1) ^ (number >> 63)) as u64);
}

pub fn get_int(from: &mut dyn Read) -> Result<i64> {
    let number = get_uint(from)?;
    Ok(((number >> 1) as i64) ^ -((number & 1) as i64))
}

/// The bytes of a float are reversed, so that round numbers are short.
pub fn put_float(out: &mut Vec<u8>, number: f64) {
    put_uint(out, number.to_bits().swap_bytes());
}

pub fn get_float(from: &mut dyn Read) -> Result<f64> {
    Ok(f64::from_bits(get_uint(from)?.swap_bytes()))
}

/// Their length comes first. Who gets them looks first whether there are so many.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend(bytes);
}
