//! What a real Go wrote, each a row of `tests/go/vectors.tsv`.

/// A name, Go's type, the value in words, and the bytes of the whole stream.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str, Vec<u8>)> {
    include_str!("../go/vectors.tsv").lines().skip(1).map(|line| {
        let [name, go_type, words, hex] = *line.split('\t').collect::<Vec<_>>() else {
            panic!("a row of {line:?}")
        };
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (name, go_type, words, (0..hex.len()).step_by(2).map(byte).collect())
    })
}
