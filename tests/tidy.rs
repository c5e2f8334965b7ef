//! What the documents say against what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The value of a key of the manifest, between quotes. In a package, cargo has rewritten it.
fn manifest(key: &str) -> String {
    let original = ["Cargo.toml.orig", "Cargo.toml"];
    let text = read(original.iter().find(|path| root().join(path).exists()).unwrap());
    let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    line.split('"').nth(1).unwrap().to_string()
}

fn names(folder: &str, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(ending).map(str::to_string)).collect()
}

/// The lessons that the course lists. A program that a student puts into the folder is none.
fn lessons() -> BTreeSet<String> {
    let course = read("examples/README.md");
    let headings = course.lines().filter(|line| line.starts_with("### "));
    let links = headings.flat_map(|line| line.split('[').skip(1));
    links.map(|link| link.split(']').next().unwrap().to_string()).collect()
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn versions_agree() {
    let (version, rust) = (manifest("version"), manifest("rust-version"));
    let changelog = read("CHANGELOG.md");
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## ")).unwrap();
    assert!(newest.starts_with(&version), "the changelog begins with {newest}");
    for (name, text) in [("README.md", read("README.md")), ("CHANGELOG.md", changelog)] {
        assert!(text.contains(&format!("Rust {rust}")), "{name} does not name Rust {rust}");
        for other in text.split("Rust 1.").skip(1) {
            assert!(format!("1.{other}").starts_with(&rust), "{name} names another Rust");
        }
    }
}

#[test]
fn the_readme_names_every_file_and_example() {
    let readme = read("README.md");
    let quoted = quoted(&readme);
    for file in names("src", ".rs") {
        let name = format!("{file}.rs");
        assert!(file == "lib" || quoted.contains(&*name), "{name} is not to be copied?");
    }
    for file in names("examples/netrpc", ".rs") {
        let name = format!("{file}.rs");
        assert!(file == "arith" || quoted.contains(&*name), "{name} is not to be copied?");
    }
    let changelog = read("CHANGELOG.md");
    for example in lessons() {
        assert!(quoted.contains(&*example), "the README does not name {example}");
        assert!(changelog.contains(&example), "the changelog does not name {example}");
    }
    for command in readme.split("--example ").skip(1) {
        let end = |c: char| !c.is_alphanumeric() && c != '_';
        let example = command.split(end).next().unwrap();
        let a_readers_own = ["NAME", "my_server"].contains(&example);
        assert!(a_readers_own || names("examples", ".rs").contains(example), "{example}");
    }
}

/// Where a link leads to a file, it is there, and where it leads to a heading of the same page, too.
#[test]
fn links_lead_somewhere() {
    for page in ["README.md", "examples/README.md"] {
        let text = read(page);
        let links = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        let (web, files): (Vec<_>, Vec<_>) = links.partition(|link| link.starts_with("https://"));
        assert!(!web.is_empty() && files.len() > 5, "{page}");
        let folder = root().join(page).parent().unwrap().to_path_buf();
        for link in files {
            let found = match link.strip_prefix('#') {
                Some(heading) => text.lines().any(|line| anchor(line) == heading),
                None => folder.join(link).exists(),
            };
            assert!(found, "{page} links to {link}");
        }
    }
}

/// How a code host names a heading in a link.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(kept).collect::<String>().replace(' ', "-")
}

#[test]
fn the_readme_shows_the_first_programs_as_they_are() {
    let readme = read("README.md");
    for name in ["hello_server", "hello_client"] {
        let text = read(&format!("examples/{name}.rs"));
        let program: Vec<_> = text.lines().skip_while(|line| line.starts_with("//!")).collect();
        let block = format!("```rust,no_run\n{}\n```", program.join("\n").trim());
        assert!(readme.contains(&block), "{name}.rs is another in the README");
    }
    assert!(readme.lines().count() <= 240, "the README is too long to be read");
}

/// The README's blocks are compiled, so a fence without a tag would be run as Rust.
#[test]
fn every_fence_is_tagged() {
    let readme = read("README.md");
    let opening = readme.lines().filter(|line| line.starts_with("```")).step_by(2);
    for fence in opening {
        assert!(["```console", "```text", "```rust,no_run"].contains(&fence), "{fence}");
    }
}

/// The head of each file says which others it needs, and those are the ones that it names.
#[test]
fn each_file_tells_what_it_needs() {
    for file in names("src", ".rs").iter().filter(|file| *file != "lib") {
        let text = read(&format!("src/{file}.rs"));
        let head: String =
            text.lines().take_while(|line| line.starts_with("//") || line.is_empty()).collect();
        for used in text.lines().filter_map(|line| line.strip_prefix("use super::")) {
            let used = used.split("::").next().unwrap();
            let stated = head.contains(&format!("`{used}.rs`"));
            let implied =
                head.contains("with what those need") || head.contains("with what that needs");
            assert!(stated || implied, "{file}.rs does not say that it needs {used}.rs");
        }
        assert!(head.contains("To copy this file"), "{file}.rs");
    }
}

#[test]
fn unsafe_and_features_stay_in_their_file() {
    for file in names("src", ".rs").iter().filter(|file| *file != "sockopt") {
        let text = read(&format!("src/{file}.rs"));
        assert!(!text.contains("cfg(feature"), "{file}.rs");
        assert!(file == "lib" || !text.contains("unsafe"), "{file}.rs");
    }
    assert_eq!(manifest("libc"), "0.2");
}
