//! The promise to those who copy the RPC: a client, a server and both build in another library crate,
//! in both editions, without a warning, after one `sed`; and both together work there.

use std::fs;
use std::path::Path;
use std::process::Command;

mod common;

use common::{TempDir, run};

const LIBRARY: &[&str] = &["addr", "conn"];
const SHARED: &[&str] = &["decode", "definitions", "encode", "gob", "http", "stream"];
const CLIENT: &[&str] = &["client"];
const SERVER: &[&str] = &["http_server", "server"];

const WORKS: &str = r#"
#[test]
fn works() {
    use netrpc::gob::{Record, Value, record};
    record!(Args = "Args" { a = "A": i64, b = "B": i64 });

    let (near, far) = Conn::pair().unwrap();
    let mut server = netrpc::server::Server::default();
    server.register("Arith.Multiply", |args: Args| Ok(args.a * args.b));
    let served = std::thread::spawn(move || server.serve(far, |conn| conn));
    let mut client = netrpc::client::Client::new(near, |conn| conn).unwrap();
    let product: i64 = client.call("Arith.Multiply", &Args { a: 6, b: 7 }).unwrap();
    assert_eq!(product, 42);
    drop(client);
    served.join().unwrap().unwrap();
}
"#;

fn cargo(dir: &Path, args: &[&str]) -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(args).arg("--offline").current_dir(dir);
    cargo.env("CARGO_TARGET_DIR", dir.join("target")).env("RUSTFLAGS", "-D warnings");
    let (code, stdout, stderr) = run(&mut cargo);
    assert_eq!(code, Some(0), "cargo {args:?}\n{stdout}\n{stderr}");
    stdout
}

fn builds(own: &[&str], test: &str) {
    let dir = TempDir::new();
    fs::create_dir_all(dir.join("src/netrpc")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut lib = String::new();
    for file in LIBRARY {
        let name = format!("src/{file}.rs");
        fs::copy(root.join(&name), dir.join(&name)).unwrap();
        lib += &format!("pub mod {file};\n");
    }
    lib += "pub use addr::Addr;\npub use conn::Conn;\npub mod netrpc {\n";
    for file in [SHARED, own].concat() {
        let text = fs::read_to_string(root.join(format!("examples/netrpc/{file}.rs"))).unwrap();
        let edited = text.replace("use streamsock::", "use crate::");
        fs::write(dir.path().join(format!("src/netrpc/{file}.rs")), edited).unwrap();
        lib += &format!("    pub mod {file};\n");
    }
    lib += "}\n";
    fs::write(dir.join("src/lib.rs"), lib + test).unwrap();
    for edition in ["2021", "2024"] {
        println!("{own:?} in edition {edition}");
        let manifest = format!(
            "[package]\nname = \"copied\"\nversion = \"1.0.0\"\nedition = \"{edition}\"\n[workspace]\n"
        );
        fs::write(dir.join("Cargo.toml"), manifest).unwrap();
        cargo(dir.path(), &["check"]);
    }
    if !test.is_empty() {
        assert!(cargo(dir.path(), &["test", "--lib"]).contains("1 passed"));
    }
}

#[test]
fn a_client_builds_alone() {
    builds(CLIENT, "");
}

#[test]
fn a_server_builds_alone() {
    builds(SERVER, "");
}

#[test]
fn both_work() {
    builds(&[CLIENT, SERVER].concat(), WORKS);
}
