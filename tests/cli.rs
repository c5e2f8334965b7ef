//! What the programs share at their edge.

#[path = "../examples/cli/mod.rs"]
mod cli;

#[test]
fn sizes_take_suffixes() {
    for (text, size) in [
        ("0", Some(0)),
        ("128", Some(128)),
        ("64K", Some(65_536)),
        ("64k", Some(65_536)),
        ("16M", Some(1 << 24)),
        ("1G", Some(1 << 30)),
        ("", None),
        ("K", None),
        ("1.5K", None),
        ("-1", None),
        ("1KB", None),
        ("1é", None),
        ("18446744073709551615G", None),
    ] {
        assert_eq!(cli::size(text), size, "{text:?}");
    }
}
