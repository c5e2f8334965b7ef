//! The types that the sender of a stream defines, and whether they can be read into ours. Both are kept
//! as long as the connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decode::{Input, MAX_DEPTH};
use super::encode::Types;
use super::gob::{BASIC, Decode, Encode, FIRST_USER_ID, INT, STRING, record};
use super::wire::{Result, bad_value, get_int, put_int};

/// What a type takes in bytes of memory, with what is found out about it.
const TYPE_COST: usize = 512;

/// A type that another one is made of: a field of a struct, or what [`PARTS`] says.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub name: String,
    pub id: i64,
}
record!(Part = "CommonType" { name = "Name", id = "Id" });
/// The ids of such a struct, and of a slice of them.
const PART: i64 = 18;
const PART_SLICE: i64 = 22;

/// How a type is defined: a kind, and the types that it is made of.
#[derive(Clone)]
pub struct Definition {
    pub kind: usize,
    pub parts: Arc<Vec<Part>>,
}

impl Definition {
    pub fn new(kind: usize, parts: &[(&str, i64)]) -> Definition {
        let part = |(name, id): &(&str, i64)| Part { name: name.to_string(), id: *id };
        Definition { kind, parts: Arc::new(parts.iter().map(part).collect()) }
    }
}

/// On the wire a definition is a struct, `wireType`, of seven fields, of which one is there: the kind.
/// The last three are for types with an encoding of their own, such as `time.Time`.
pub const ARRAY: usize = 0;
pub const SLICE: usize = 1;
pub const STRUCT: usize = 2;
pub const MAP: usize = 3;
/// Each of the seven is a struct, too. It begins with a name and an id that nobody needs, written as a
/// [`Part`], and goes on with these numbers, or with a slice of a struct's fields.
const PARTS: [&[&str]; 7] =
    [&["Elem", "Len"], &["Elem"], &["Field"], &["Key", "Elem"], &[], &[], &[]];

/// Writes the definition of `id`.
pub fn put_definition(out: &mut Vec<u8>, id: i64, name: &str, definition: &Definition) {
    put_int(out, -id);
    // Before each field is written how far it is from the one before, and 0 at the end.
    out.extend([definition.kind as u8 + 1, 1]);
    Part { name: name.to_string(), id }.encode(out);
    let parts = &definition.parts;
    if definition.kind != STRUCT {
        for part in parts.iter() {
            out.push(1);
            put_int(out, part.id);
        }
    } else if !parts.is_empty() {
        out.push(1);
        parts.encode(out);
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
        found = Some(get_kind(kind, from)?);
        Ok(())
    })?;
    let found = found.ok_or_else(|| bad_value("an empty definition"))?;
    from.types.types.insert(id, found);
    Ok(())
}

fn get_kind(kind: usize, from: &mut Input<'_>) -> Result<Definition> {
    let mut fields = Vec::new();
    let mut numbers = [0; 2];
    from.fields(1 + PARTS[kind].len(), |from, field| match (field, kind) {
        (0, _) => Part::default().decode(PART, from),
        (_, STRUCT) => fields.decode(PART_SLICE, from),
        _ => {
            numbers[field - 1] = from.get(get_int)?;
            Ok(())
        }
    })?;
    if kind == STRUCT {
        return Ok(Definition { kind, parts: Arc::new(fields) });
    }
    let parts: Vec<_> = PARTS[kind].iter().copied().zip(numbers).collect();
    Ok(Definition::new(kind, &parts))
}

type Fits = std::result::Result<bool, String>;

/// What a stream has defined so far.
pub struct Definitions {
    types: BTreeMap<i64, Definition>,
    /// The types of ours that they were to be read into.
    pub wanted: Types,
    /// What [`fits`](Definitions::fits) has found out: a value may hold many structs.
    checked: BTreeMap<(i64, i64), Fits>,
}

impl Default for Definitions {
    fn default() -> Definitions {
        let part = Definition::new(STRUCT, &[("Name", STRING), ("Id", INT)]);
        let slice = Definition::new(SLICE, &[("Elem", PART)]);
        let types = BTreeMap::from([(PART, part), (PART_SLICE, slice)]);
        Definitions { types, wanted: Types::default(), checked: BTreeMap::new() }
    }
}

impl Definitions {
    pub fn get(&self, id: i64) -> Option<&Definition> {
        self.types.get(&id)
    }

    /// The parts of a type that is defined, or none.
    pub fn parts(&self, id: i64) -> Arc<Vec<Part>> {
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
        for part in their.parts.iter() {
            if let Some(our_part) = our.parts.iter().find(|our_part| our_part.name == part.name) {
                let part_fits = self.fits(part.id, our_part.id, depth + 1);
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
