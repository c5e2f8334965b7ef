//! Writing gob: values as messages, and before the first of a type its definition.

use std::any::TypeId;

use super::definitions::{Definition, SLICE, STRUCT, put_definition};
use super::gob::{BASIC, Encode, FIRST_USER_ID};
use super::wire::{put_int, put_uint};

/// Types of ours, in the order of their ids: those that a stream sends, or those that are wanted of it.
#[derive(Default)]
pub struct Types(Vec<Type>);

/// A struct, a slice or a map.
struct Type {
    rust: TypeId,
    name: String,
    definition: Definition,
    is_sent: bool,
}

impl Types {
    /// Appends a value to `out`, after the definitions that it needs and the stream lacks.
    pub fn write(&mut self, value: &dyn Encode, out: &mut Vec<u8>) {
        let id = value.type_id(self);
        self.define(id, out);
        put_message(out, |out| {
            put_int(out, id);
            if self.get(id).is_none_or(|definition| definition.kind != STRUCT) {
                out.push(0);
            }
            value.encode(out);
        });
    }

    /// Defines a type, and then those that it is made of.
    fn define(&mut self, id: i64, out: &mut Vec<u8>) {
        if id < FIRST_USER_ID || self.at(id).is_sent {
            return;
        }
        let Type { name, definition, is_sent, .. } = self.at(id);
        *is_sent = true;
        put_message(out, |out| put_definition(out, id, name, definition));
        for part in definition.parts.clone().iter() {
            self.define(part.id, out);
        }
    }

    /// A struct takes its id before its fields take theirs, so that it may hold itself.
    pub fn add_struct<'a, R: 'static>(
        &mut self,
        name: &str,
        fields: impl FnOnce() -> Vec<(&'static str, &'a dyn Encode)>,
    ) -> i64 {
        if let Some(id) = self.find::<R>() {
            return id;
        }
        let id = self.add::<R>(name, STRUCT, &[]);
        let mut parts = Vec::new();
        for (name, value) in fields() {
            let part = value.type_id(self);
            // Go names a slice or a map where a field has it first.
            if part >= FIRST_USER_ID && self.at(part).name.is_empty() && !self.at(part).is_sent {
                self.at(part).name = self.go_type(part);
            }
            parts.push((name, part));
        }
        self.at(id).definition = Definition::new(STRUCT, &parts);
        id
    }

    fn find<T: 'static>(&self) -> Option<i64> {
        let rust = TypeId::of::<T>();
        self.0.iter().position(|known| known.rust == rust).map(|at| at as i64 + FIRST_USER_ID)
    }

    /// The id of a type, which is new or not.
    pub fn add<T: 'static>(&mut self, name: &str, kind: usize, parts: &[(&str, i64)]) -> i64 {
        if let Some(id) = self.find::<T>() {
            return id;
        }
        let definition = Definition::new(kind, parts);
        let (rust, name) = (TypeId::of::<T>(), name.to_string());
        self.0.push(Type { rust, name, definition, is_sent: false });
        self.0.len() as i64 - 1 + FIRST_USER_ID
    }

    fn at(&mut self, id: i64) -> &mut Type {
        &mut self.0[(id - FIRST_USER_ID) as usize]
    }

    pub fn get(&self, id: i64) -> Option<&Definition> {
        let at = usize::try_from(id - FIRST_USER_ID).ok()?;
        Some(&self.0.get(at)?.definition)
    }

    /// What Go calls it.
    pub fn go_type(&self, id: i64) -> String {
        let Some(Definition { kind, parts }) = self.get(id) else {
            return BASIC[id as usize].into();
        };
        match (*kind, &*self.0[(id - FIRST_USER_ID) as usize].name) {
            (STRUCT, "") => "struct {}".to_string(),
            (STRUCT, name) => format!("main.{name}"),
            (SLICE, _) => format!("[]{}", self.go_type(parts[0].id)),
            _ => format!("map[{}]{}", self.go_type(parts[0].id), self.go_type(parts[1].id)),
        }
    }
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
