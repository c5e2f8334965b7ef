//! The types that the sender of a stream defines, and whether they can be read into ours. Both are kept
//! as long as the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::{Input, MAX_DEPTH};
use super::encode::Types;
use super::gob::{BASIC, FIRST_USER_ID};
use super::wire::{Result, bad_value, get_int, get_uint, put_bytes, put_int, put_uint};

/// What a type takes in bytes of memory, with what is found out about it.
const TYPE_COST: usize = 512;
/// What a part takes, without its name.
const PART_COST: usize = 64;

/// How a type is defined: a kind, and the types that it is made of, by their ids.
#[derive(Clone)]
pub struct Definition {
    pub kind: usize,
    /// With their names: a struct's fields, or what [`PARTS`] says.
    pub parts: Arc<[(String, i64)]>,
}

/// On the wire a definition is a struct, `wireType`, of seven fields, of which one is there: the kind.
/// The last three are for types with an encoding of their own, such as `time.Time`.
pub const ARRAY: usize = 0;
pub const SLICE: usize = 1;
pub const STRUCT: usize = 2;
pub const MAP: usize = 3;
/// Each of the seven is a struct, too. It begins with a `CommonType`, a name and an id that nobody
/// needs, and goes on with these numbers, or with a slice of a struct's fields.
pub const PARTS: [&[&str]; 7] =
    [&["Elem", "Len"], &["Elem"], &["Field"], &["Key", "Elem"], &[], &[], &[]];

/// Writes the definition of `id`.
pub fn put_definition(out: &mut Vec<u8>, id: i64, name: &str, definition: &Definition) {
    put_int(out, -id);
    // Before each field is written how far it is from the one before, and 0 at the end.
    out.extend([definition.kind as u8 + 1, 1]);
    put_part(out, name, id);
    let parts = &definition.parts;
    if definition.kind != STRUCT {
        for (_, number) in parts.iter() {
            out.push(1);
            put_int(out, *number);
        }
    } else if !parts.is_empty() {
        out.push(1);
        put_uint(out, parts.len() as u64);
        for (name, id) in parts.iter() {
            put_part(out, name, *id);
        }
    }
    out.extend([0, 0]);
}

/// Reads the definition of `id`, and notes it.
pub fn get_definition(id: i64, from: &mut Input<'_>) -> Result<()> {
    if !(FIRST_USER_ID..1 << 31).contains(&id) || from.types.get(id).is_some() {
        return Err(bad_value("duplicate or reserved type received"));
    }
    from.allocate(1, TYPE_COST)?;
    let mut found = None;
    from.fields(PARTS.len(), |from, kind| {
        if found.is_some() {
            return Err(bad_value("a definition of two types"));
        }
        found = Some(Definition { kind, parts: get_parts(kind, from)?.into() });
        Ok(())
    })?;
    let found = found.ok_or_else(|| bad_value("an empty definition"))?;
    from.types.types.insert(id, found);
    Ok(())
}

fn get_parts(kind: usize, from: &mut Input<'_>) -> Result<Vec<(String, i64)>> {
    let mut parts: Vec<_> = PARTS[kind].iter().map(|name| (name.to_string(), 0)).collect();
    if kind == STRUCT {
        parts.clear();
    }
    from.fields(1 + PARTS[kind].len(), |from, field| {
        if field == 0 {
            get_part(from)?;
        } else if kind == STRUCT {
            let count = from.get(get_uint)?;
            from.allocate(count, PART_COST)?;
            return from.elements(count, |from| {
                parts.push(get_part(from)?);
                Ok(())
            });
        } else {
            parts[field - 1].1 = from.get(get_int)?;
        }
        Ok(())
    })?;
    Ok(parts)
}

/// A field of a struct, or a `CommonType`, which looks the same: a name and an id.
fn put_part(out: &mut Vec<u8>, name: &str, id: i64) {
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

fn get_part(from: &mut Input<'_>) -> Result<(String, i64)> {
    let (mut name, mut id) = (Vec::new(), 0);
    from.fields(2, |from, field| {
        match field {
            0 => name = from.bytes()?,
            _ => id = from.get(get_int)?,
        }
        Ok(())
    })?;
    // One that is not UTF-8 is the name of nothing here.
    Ok((String::from_utf8(name).unwrap_or_default(), id))
}

type Fits = std::result::Result<bool, String>;

/// What a stream has defined so far.
#[derive(Default)]
pub struct Definitions {
    types: BTreeMap<i64, Definition>,
    /// The types of ours that they were to be read into.
    pub wanted: Types,
    /// What [`fits`](Definitions::fits) has found out: a value may hold many structs.
    checked: BTreeMap<(i64, i64), Fits>,
}

impl Definitions {
    pub fn get(&self, id: i64) -> Option<&Definition> {
        self.types.get(&id)
    }

    /// The parts of a type that is defined, or none.
    pub fn parts(&self, id: i64) -> Arc<[(String, i64)]> {
        self.get(id).map(|definition| Arc::clone(&definition.parts)).unwrap_or_default()
    }

    /// Whether the sender's type `theirs` can be read into `ours`, or why it cannot. It is false if both
    /// are structs, have fields, and have none in common.
    pub fn fits(&mut self, theirs: i64, ours: i64, depth: usize) -> Fits {
        if theirs == ours && ours < FIRST_USER_ID {
            return Ok(true);
        }
        if let Some(known) = self.checked.get(&(theirs, ours)) {
            return known.clone();
        }
        let (their, our) = match (self.get(theirs), self.wanted.get(ours)) {
            (Some(their), Some(our)) if their.kind == our.kind => (their.clone(), our.clone()),
            (their, our) => {
                let (want, got) = (describe(ours, our), describe(theirs, their));
                return Err(format!("gob: type mismatch: want {want}, got {got}"));
            }
        };
        if depth == MAX_DEPTH {
            return Err("gob: types lie too deep in each other".to_string());
        }
        // It is there before its parts are looked at, since a struct may hold itself.
        self.checked.insert((theirs, ours), Ok(true));
        let mut fits = Ok(their.parts.is_empty() || our.parts.is_empty());
        for (name, part) in their.parts.iter() {
            if let Some((_, our_part)) = our.parts.iter().find(|part| part.0 == *name) {
                let part_fits = self.fits(*part, *our_part, depth + 1);
                fits = fits.and(part_fits.map(|_| true));
            }
        }
        self.checked.insert((theirs, ours), fits.clone());
        fits
    }
}

fn describe(id: i64, definition: Option<&Definition>) -> &'static str {
    const OPAQUE: &str = "a type with an encoding of its own";
    const KINDS: [&str; 7] = ["an array", "a slice", "a struct", "a map", OPAQUE, OPAQUE, OPAQUE];
    match definition {
        Some(definition) => KINDS[definition.kind],
        None => BASIC.get(id as usize).unwrap_or(&BASIC[0]),
    }
}
