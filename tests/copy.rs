//! The promise to those who copy files: each unit builds in another library crate, in both
//! editions, without a warning, and its examples pass after one `sed`.

use std::fs;
use std::path::Path;
use std::process::Command;

mod common;

use common::{TempDir, run};

const PAIR: &[&str] = &["addr", "conn"];
const FOUR: &[&str] = &["addr", "conn", "listener", "socket_file"];

/// A library crate of another name, with these files of ours.
fn copy(dir: &Path, edition: &str, files: &[&str]) {
    let manifest = format!(
        "[package]\nname = \"copied\"\nversion = \"1.0.0\"\nedition = \"{edition}\"\n\
         [features]\nsockopt = [\"dep:libc\"]\n\
         [dependencies]\nlibc = {{ version = \"0.2\", optional = true }}\n[workspace]\n"
    );
    let manifest = if files.contains(&"sockopt") {
        manifest
    } else {
        manifest.split("[features]").next().unwrap().to_string() + "[workspace]\n"
    };
    let _ = fs::remove_dir_all(dir.join("src"));
    fs::create_dir(dir.join("src")).unwrap();
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();

    let mut lib = String::new();
    for file in files {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{file}.rs"));
        let text = fs::read_to_string(from).unwrap().replace("streamsock::", "copied::");
        fs::write(dir.join(format!("src/{file}.rs")), text).unwrap();
        lib += &format!("pub mod {file};\n");
    }
    for (file, line) in [
        ("addr", "pub use addr::Addr;\n"),
        ("conn", "pub use conn::Conn;\n"),
        ("listener", "pub use listener::{Incoming, Listener};\n"),
        ("serve", "pub use serve::serve;\n"),
        ("deadline", "pub use deadline::Deadline;\n"),
        ("spin", "pub use spin::Spin;\n"),
    ] {
        if files.contains(&file) {
            lib += line;
        }
    }
    fs::write(dir.join("src/lib.rs"), lib).unwrap();
}

fn cargo(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(args).arg("--offline").current_dir(dir);
    command.env("CARGO_TARGET_DIR", dir.join("target")).env("RUSTFLAGS", "-D warnings");
    let (code, stdout, stderr) = run(&mut command);
    assert_eq!(code, Some(0), "cargo {args:?}\n{stdout}\n{stderr}");
    stdout
}

fn builds(files: &[&str], features: &[&str]) {
    let dir = TempDir::new();
    for edition in ["2021", "2024"] {
        println!("{files:?} in edition {edition}");
        copy(dir.path(), edition, files);
        cargo(dir.path(), &[&["check"], features].concat());
    }
    let stdout = cargo(dir.path(), &[&["test", "--doc"], features].concat());
    assert!(stdout.contains("test result: ok") && !stdout.contains(" 0 passed"), "{stdout}");
}

#[test]
fn the_pair_builds_alone() {
    builds(PAIR, &[]);
}

#[test]
fn the_four_build_alone() {
    builds(FOUR, &[]);
}

#[test]
fn serve_adds_to_the_four() {
    builds(&[FOUR, &["serve"]].concat(), &[]);
}

#[test]
fn deadline_adds_to_the_pair() {
    builds(&[PAIR, &["deadline"]].concat(), &[]);
}

#[test]
fn spin_adds_to_the_pair() {
    builds(&[PAIR, &["spin"]].concat(), &[]);
}

/// With `libc` in cargo's cache, as whoever tests this feature has it.
#[test]
#[cfg(feature = "sockopt")]
fn sockopt_builds_alone() {
    builds(&["sockopt"], &["--features", "sockopt"]);
}
