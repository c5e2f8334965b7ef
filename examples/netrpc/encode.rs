//! Writing gob: values as messages, and before the first of a type its definition.

use std::any::TypeId;

use super::definitions::{SLICE, STRUCT};
use super::gob::{FIRST_USER_ID, Record, Value, named_values};

/// The types of a stream, in the order of their ids.
#[derive(Default)]
pub struct SentTypes(Vec<SentType>);

/// A struct, or a slice of something.
struct SentType {
    rust: TypeId,
    name: String,
    element: Option<i64>,
    fields: Vec<(&'static str, i64)>,
    is_defined: bool,
}

impl SentTypes {
    /// Appends a value to `out`, after the definitions that it needs and the stream lacks.
    pub fn write(&mut self, value: &dyn Value, out: &mut Vec<u8>) {
        let id = value.type_id(self);
        self.define(id, out);
        put_message(out, |out| {
            put_int(out, id);
            if id < FIRST_USER_ID || self.get(id).element.is_some() {
                out.push(0); // no struct
            }
            value.encode(out);
        });
    }

    /// A struct takes its id before its fields take theirs, so that it may hold itself.
    pub fn record<R: Record>(&mut self, record: &R) -> i64 {
        let rust = TypeId::of::<R>();
        if let Some(id) = self.find(rust) {
            return id;
        }
        let id = self.add(rust, R::NAME, None);
        for (name, value) in named_values(record) {
            let field_id = value.type_id(self);
            // Go names a slice where a field has it first.
            if field_id >= FIRST_USER_ID {
                let part = self.get(field_id);
                if part.element.is_some() && part.name.is_empty() && !part.is_defined {
                    part.name = value.go_name();
                }
            }
            self.get(id).fields.push((name, field_id));
        }
        id
    }

    pub fn slice<T: 'static>(&mut self, element: i64) -> i64 {
        let rust = TypeId::of::<Vec<T>>();
        self.find(rust).unwrap_or_else(|| self.add(rust, "", Some(element)))
    }

    fn find(&self, rust: TypeId) -> Option<i64> {
        self.0.iter().position(|sent| sent.rust == rust).map(|at| at as i64 + FIRST_USER_ID)
    }

    fn add(&mut self, rust: TypeId, name: &str, element: Option<i64>) -> i64 {
        let (name, fields) = (name.to_string(), Vec::new());
        self.0.push(SentType { rust, name, element, fields, is_defined: false });
        self.0.len() as i64 - 1 + FIRST_USER_ID
    }

    fn get(&mut self, id: i64) -> &mut SentType {
        &mut self.0[(id - FIRST_USER_ID) as usize]
    }

    /// Defines a type, and then those that it is made of.
    fn define(&mut self, id: i64, out: &mut Vec<u8>) {
        if id < FIRST_USER_ID || self.get(id).is_defined {
            return;
        }
        let defined = self.get(id);
        defined.is_defined = true;
        put_message(out, |out| defined.put_definition(id, out));
        let fields = defined.fields.iter().map(|field| field.1);
        let parts: Vec<i64> = defined.element.into_iter().chain(fields).collect();
        parts.into_iter().for_each(|part| self.define(part, out));
    }
}

impl SentType {
    /// A struct, `wireType`, of one field, which is a struct that begins with a `CommonType`. Before
    /// each field is written how far it is from the one before, and 0 at the end.
    fn put_definition(&self, id: i64, out: &mut Vec<u8>) {
        put_int(out, -id);
        let kind = if self.element.is_some() { SLICE } else { STRUCT };
        out.extend([kind as u8 + 1, 1]);
        put_name_and_id(out, &self.name, id);
        if let Some(element) = self.element {
            out.push(1);
            put_int(out, element);
        } else if !self.fields.is_empty() {
            out.push(1);
            put_uint(out, self.fields.len() as u64);
            self.fields.iter().for_each(|(name, id)| put_name_and_id(out, name, *id));
        }
        out.extend([0, 0]);
    }
}

/// A field, or a `CommonType`, which looks the same.
fn put_name_and_id(out: &mut Vec<u8>, name: &str, id: i64) {
    if name.is_empty() {
        out.push(2);
    } else {
        out.push(1);
        put_bytes(out, name.as_bytes());
        out.push(1);
    }
    put_int(out, id);
    out.push(0);
}

/// The length is known last, and goes first.
fn put_message(out: &mut Vec<u8>, put_contents: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    put_contents(out);
    let end = out.len();
    put_uint(out, (end - start) as u64);
    let length = out.len() - end;
    out[start..].rotate_right(length);
}

pub fn put_uint(out: &mut Vec<u8>, number: u64) {
    if number < 128 {
        return out.push(number as u8);
    }
    let zeros = number.leading_zeros() as usize / 8;
    out.push((8 - zeros as u8).wrapping_neg());
    out.extend(&number.to_be_bytes()[zeros..]);
}

fn put_int(out: &mut Vec<u8>, number: i64) {
    put_uint(out, unsigned(number));
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// How signed numbers travel: small ones of either sign stay short.
pub fn unsigned(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}
