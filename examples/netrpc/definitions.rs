//! The types that the sender of a stream has defined, and how they are read into ours. Both are kept
//! as long as the connection, so they have a budget, [`MAX_COST`]; Go programs define kilobytes.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::decode::{Input, MAX_DEPTH};
use super::gob::{BAD_VALUE, FIRST_USER_ID, Record, bad_value, named_values};

/// What all of it may take, in bytes of memory.
const MAX_COST: usize = 2 << 20;
const TYPE_COST: usize = 128;
/// Without the bytes of its name.
const FIELD_COST: usize = 64;

/// A definition is a struct, `wireType`, of whose fields one is there. The remaining three are for
/// types with an encoding of their own.
const ARRAY: usize = 0;
pub const SLICE: usize = 1;
pub const STRUCT: usize = 2;
const MAP: usize = 3;
const WIRE_TYPE_FIELDS: usize = 7;
/// Each of the seven is a struct, too, with a `CommonType` first: a name and an id that nobody needs.
const COMMON: usize = 0;

/// How the sender defined a type. It names other types by their ids, which it may define later.
#[derive(Clone)]
pub enum Definition {
    /// The names and types of its fields.
    Struct(Arc<[(Vec<u8>, i64)]>),
    /// The type of its elements.
    Slice(i64),
    /// The same, and how many there are.
    Array(i64, i64),
    /// The types of its keys and of its elements.
    Map(i64, i64),
    /// A length, and bytes in a form of its own, such as `time.Time`'s.
    Opaque,
}

/// For each field of the sender's struct its place in ours, if we have it, and its type.
type Plan = Arc<[(Option<usize>, i64)]>;

#[derive(Default)]
pub struct Definitions {
    types: BTreeMap<i64, Definition>,
    /// By the sender's struct and ours; or why one cannot be read into the other.
    plans: BTreeMap<(i64, TypeId), Result<Plan, String>>,
    cost: usize,
    depth: usize,
}

impl Definitions {
    pub fn get(&self, id: i64) -> Option<&Definition> {
        self.types.get(&id)
    }

    /// The type of the elements of a slice.
    pub fn slice(&self, id: i64) -> io::Result<i64> {
        match self.get(id) {
            Some(Definition::Slice(element)) => Ok(*element),
            _ => Err(self.mismatch(id, "a slice")),
        }
    }

    /// How a struct is read into `record`. That is found out once, as a value may hold many of them.
    pub fn plan<R: Record>(&mut self, id: i64, record: &R) -> io::Result<Plan> {
        let key = (id, TypeId::of::<R>());
        if let Some(plan) = self.plans.get(&key) {
            return plan.clone().map_err(|why| io::Error::new(BAD_VALUE, why));
        }
        let Some(Definition::Struct(fields)) = self.get(id).cloned() else {
            return Err(self.mismatch(id, "a struct"));
        };
        self.charge(TYPE_COST + fields.len() * size_of::<(Option<usize>, i64)>())?;
        let place = |name: &[u8]| R::FIELDS.iter().position(|ours| ours.as_bytes() == name);
        let plan: Plan = fields.iter().map(|(name, id)| (place(name), *id)).collect();
        // It is there before its fields are looked at, since a struct may hold itself.
        self.plans.insert(key, Ok(Arc::clone(&plan)));
        if let Err(e) = self.check(&plan, record) {
            self.plans.insert(key, Err(e.to_string()));
            return Err(e);
        }
        Ok(plan)
    }

    fn check<R: Record>(&mut self, plan: &Plan, record: &R) -> io::Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(bad_value("types lie too deep in each other"));
        }
        self.depth += 1;
        let ours = named_values(record);
        let mut common = plan.iter().filter_map(|(place, id)| Some((ours[(*place)?].1, *id)));
        let checked = common.try_for_each(|(value, id)| value.accepts(id, self));
        self.depth -= 1;
        checked
    }

    pub fn expect(&self, id: i64, wanted: i64, name: &str) -> io::Result<()> {
        if id == wanted { Ok(()) } else { Err(self.mismatch(id, name)) }
    }

    fn mismatch(&self, id: i64, wanted: &str) -> io::Error {
        const BASIC: [&str; 9] =
            ["?", "bool", "int", "uint", "float", "bytes", "string", "complex", "an interface"];
        let got = match self.get(id) {
            Some(Definition::Struct(_)) => "a struct",
            Some(Definition::Slice(_)) => "a slice",
            Some(Definition::Array(..)) => "an array",
            Some(Definition::Map(..)) => "a map",
            Some(Definition::Opaque) => "a type with an encoding of its own",
            None if (1..9).contains(&id) => BASIC[id as usize],
            None => "a type that is not defined",
        };
        bad_value(format!("type mismatch: want {wanted}, got {got}"))
    }

    fn charge(&mut self, bytes: usize) -> io::Result<()> {
        self.cost = self.cost.saturating_add(bytes);
        if self.cost > MAX_COST { Err(bad_value("the definitions are too large")) } else { Ok(()) }
    }
}

/// Reads the definition of `id`, and notes it.
pub fn define(id: i64, from: &mut Input<'_>) -> io::Result<()> {
    if !(FIRST_USER_ID..1 << 31).contains(&id) || from.types.get(id).is_some() {
        return Err(bad_value("duplicate or reserved type received"));
    }
    from.types.charge(TYPE_COST)?;
    let mut found = None;
    from.fields(WIRE_TYPE_FIELDS, |from, kind| {
        let last = found.replace(match kind {
            ARRAY => numbers(from).map(|[element, len]| Definition::Array(element, len))?,
            SLICE => numbers(from).map(|[element]| Definition::Slice(element))?,
            STRUCT => Definition::Struct(struct_fields(from)?.into()),
            MAP => numbers(from).map(|[key, element]| Definition::Map(key, element))?,
            _ => numbers(from).map(|[]| Definition::Opaque)?,
        });
        if last.is_some() { Err(bad_value("a definition of two types")) } else { Ok(()) }
    })?;
    let found = found.ok_or_else(|| bad_value("an empty definition"))?;
    from.types.types.insert(id, found);
    Ok(())
}

/// A `CommonType`, then `N` numbers.
fn numbers<const N: usize>(from: &mut Input<'_>) -> io::Result<[i64; N]> {
    let mut numbers = [0; N];
    from.fields(1 + N, |from, field| {
        if field == COMMON {
            drop(name_and_id(from)?)
        } else {
            numbers[field - 1] = from.int()?
        }
        Ok(())
    })?;
    Ok(numbers)
}

/// A `CommonType`, then a slice of fields.
fn struct_fields(from: &mut Input<'_>) -> io::Result<Vec<(Vec<u8>, i64)>> {
    let mut list = Vec::new();
    from.fields(2, |from, field| {
        if field == COMMON {
            return name_and_id(from).map(drop);
        }
        let count = from.uint()?;
        from.types.charge((count as usize).saturating_mul(FIELD_COST))?;
        from.elements(count, |from| name_and_id(from).map(|field| list.push(field)))
    })?;
    Ok(list)
}

/// A field, or a `CommonType`, which looks the same.
fn name_and_id(from: &mut Input<'_>) -> io::Result<(Vec<u8>, i64)> {
    let (mut name, mut id) = (Vec::new(), 0);
    from.fields(2, |from, field| {
        if field == 0 {
            name = from.bytes()?
        } else {
            id = from.int()?
        }
        Ok(())
    })?;
    from.types.charge(name.len())?;
    Ok((name, id))
}
