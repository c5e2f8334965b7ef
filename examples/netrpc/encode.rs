//! Writing gob: values as messages, and before the first of a type, its definition.

use std::any::TypeId;

use super::gob::{FIRST_USER_ID, Record, Value};

/// The types that a stream has defined so far.
#[derive(Default)]
pub struct SentTypes {
    definitions: Vec<Definition>,
    /// Those that are new, to be written before the value.
    messages: Vec<u8>,
}

/// Tells the types of a sender apart.
#[derive(Clone, Copy, PartialEq)]
enum Key {
    Struct(TypeId),
    /// A slice, by the id of its element.
    Slice(i64),
}

struct Definition {
    key: Key,
    name: String,
    fields: Vec<(&'static str, i64)>,
    sent: bool,
}

impl SentTypes {
    /// Appends a value to `out`, as a message, with the definitions that are missing before it.
    pub fn write(&mut self, value: &dyn Value, out: &mut Vec<u8>) {
        let id = value.type_id(self);
        self.send(id);
        out.append(&mut self.messages);
        let mut contents = Vec::with_capacity(64); // enough for most
        put_int(&mut contents, id);
        if !self.is_struct(id) {
            contents.push(0);
        }
        value.encode(&mut contents);
        put_message(out, &contents);
    }

    fn is_struct(&self, id: i64) -> bool {
        id >= FIRST_USER_ID && matches!(self.definition(id).key, Key::Struct(_))
    }

    fn definition(&self, id: i64) -> &Definition {
        &self.definitions[(id - FIRST_USER_ID) as usize]
    }

    fn definition_mut(&mut self, id: i64) -> &mut Definition {
        &mut self.definitions[(id - FIRST_USER_ID) as usize]
    }

    fn find(&self, key: Key) -> Option<i64> {
        let at = self.definitions.iter().position(|definition| definition.key == key)?;
        Some(at as i64 + FIRST_USER_ID)
    }

    fn add(&mut self, key: Key, name: String) -> i64 {
        self.definitions.push(Definition { key, name, fields: Vec::new(), sent: false });
        self.definitions.len() as i64 - 1 + FIRST_USER_ID
    }

    /// A struct takes its number before its fields take theirs, so that it may hold itself.
    pub fn record<R: Record>(&mut self, record: &R) -> i64 {
        let key = Key::Struct(TypeId::of::<R>());
        if let Some(id) = self.find(key) {
            return id;
        }
        let id = self.add(key, R::NAME.to_string());
        let mut fields = Vec::new();
        for (name, value) in R::FIELDS.iter().zip(record.values()) {
            let type_id = value.type_id(self);
            // Go names a slice where a field has it first.
            if type_id >= FIRST_USER_ID && !self.is_struct(type_id) {
                let definition = self.definition_mut(type_id);
                if definition.name.is_empty() && !definition.sent {
                    definition.name = value.go_name();
                }
            }
            fields.push((*name, type_id));
        }
        self.definition_mut(id).fields = fields;
        id
    }

    pub fn slice(&mut self, element: i64) -> i64 {
        let key = Key::Slice(element);
        self.find(key).unwrap_or_else(|| self.add(key, String::new()))
    }

    /// Writes the definition of a type, then those of what it is made of.
    fn send(&mut self, id: i64) {
        if id < FIRST_USER_ID {
            return;
        }
        let definition = self.definition_mut(id);
        if std::mem::replace(&mut definition.sent, true) {
            return;
        }
        let mut contents = Vec::new();
        put_int(&mut contents, -id);
        // wireType: field 1 is a slice, field 2 a struct; both begin with CommonType.
        contents.extend([if matches!(definition.key, Key::Slice(_)) { 2 } else { 3 }, 1]);
        if definition.name.is_empty() {
            contents.push(2);
        } else {
            contents.push(1);
            put_bytes(&mut contents, definition.name.as_bytes());
            contents.push(1);
        }
        put_int(&mut contents, id);
        contents.push(0);
        let parts: Vec<i64> = match definition.key {
            Key::Slice(element) => {
                contents.push(1);
                put_int(&mut contents, element);
                vec![element]
            }
            Key::Struct(_) => {
                let fields = &definition.fields;
                if !fields.is_empty() {
                    contents.push(1);
                    put_uint(&mut contents, fields.len() as u64);
                }
                for (name, type_id) in fields {
                    contents.push(1);
                    put_bytes(&mut contents, name.as_bytes());
                    contents.push(1);
                    put_int(&mut contents, *type_id);
                    contents.push(0);
                }
                fields.iter().map(|field| field.1).collect()
            }
        };
        contents.extend([0, 0]);
        put_message(&mut self.messages, &contents);
        parts.into_iter().for_each(|part| self.send(part));
    }
}

pub fn put_uint(out: &mut Vec<u8>, value: u64) {
    if value < 128 {
        return out.push(value as u8);
    }
    let bytes = value.to_be_bytes();
    let skipped = value.leading_zeros() as usize / 8;
    out.push((8 - skipped as u8).wrapping_neg());
    out.extend(&bytes[skipped..]);
}

pub fn put_int(out: &mut Vec<u8>, value: i64) {
    put_uint(out, unsigned(value));
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_uint(out, bytes.len() as u64);
    out.extend(bytes);
}

fn put_message(out: &mut Vec<u8>, contents: &[u8]) {
    put_bytes(out, contents);
}

/// How signed numbers travel: small ones of either sign stay short.
pub fn unsigned(number: impl Into<i64>) -> u64 {
    let number = number.into();
    ((number << 1) ^ (number >> 63)) as u64
}
