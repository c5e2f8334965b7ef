//! The promise to those who copy the RPC: a client, a server and both build in another library crate,
//! in both editions, without a warning, after one `sed`; and both together work there, also for a program
//! that uses that crate. What cannot work does not compile, and says why.

use std::fs;
use std::path::Path;
use std::process::Command;

mod common;

use common::{TempDir, run, watchdog};

const LIBRARY: &[&str] = &["addr", "conn"];
const SHARED: &[&str] = &["decode", "definitions", "encode", "gob", "http", "stream", "wire"];
const CLIENT: &[&str] = &["client"];
const SERVER: &[&str] = &["http_server", "server"];

/// Another crate's main.rs: its own structs, and one `use` to name them.
const MAIN: &str = r#"
use copied::Conn;
use copied::netrpc::client::{Client, Limits};
use copied::netrpc::gob::record;
use copied::netrpc::server::Server;
use copied::netrpc::stream::buffered;

/// Documented, derived, private, with a comma behind the last field.
#[derive(Clone, Debug, Default, PartialEq)]
struct Args {
    a: i64,
    b: i64,
    here: bool,
}
record!(Args = "Args" { a = "A", b = "B", });

fn main() {
    let mut server = Server::default();
    server.register("Arith.Swap", |args: Args| Ok(Args { a: args.b, b: args.a, here: true }));
    let (near, far) = Conn::pair().unwrap();
    let served = std::thread::spawn(move || server.serve_calls(buffered(far)));
    let mut client = Client::new(buffered(near), &Limits::default());
    let args = Args { a: 6, b: 7, here: true };
    let swapped: Args = client.call("Arith.Swap", &args).unwrap();
    assert_eq!(swapped, Args { a: 7, b: 6, here: false });
    drop(client);
    served.join().unwrap().unwrap();
    println!("works");
}
"#;

/// A crate with these files in it, and what cargo says when it does this with it.
struct Copy(TempDir);

impl Copy {
    fn new(own: &[&str]) -> Copy {
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
        fs::write(dir.join("src/lib.rs"), lib + "}\n").unwrap();
        Copy(dir)
    }

    fn cargo(&self, edition: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let manifest = format!(
            "[package]\nname = \"copied\"\nversion = \"1.0.0\"\nedition = \"{edition}\"\n[workspace]\n"
        );
        fs::write(self.0.join("Cargo.toml"), manifest).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).arg("--offline").current_dir(self.0.path());
        cargo.env("CARGO_TARGET_DIR", self.0.join("target"));
        run(&mut cargo)
    }

    fn builds(&self) {
        let _watchdog = watchdog();
        for edition in ["2021", "2024"] {
            let (code, _, stderr) = self.cargo(edition, &["check"]);
            assert_eq!(code, Some(0), "in edition {edition}: {stderr}");
            assert!(!stderr.contains("warning"), "in edition {edition}: {stderr}");
        }
    }
}

#[test]
fn a_client_builds_alone() {
    Copy::new(CLIENT).builds();
}

#[test]
fn a_server_builds_alone() {
    Copy::new(SERVER).builds();
}

#[test]
fn both_work_in_another_crates_main() {
    let _watchdog = watchdog();
    let copy = Copy::new(&[CLIENT, SERVER].concat());
    copy.builds();
    fs::write(copy.0.join("src/main.rs"), MAIN).unwrap();
    for edition in ["2021", "2024"] {
        let (code, stdout, stderr) = copy.cargo(edition, &["run", "--quiet"]);
        assert_eq!((code, stdout.as_str()), (Some(0), "works\n"), "in edition {edition}: {stderr}");
    }
}

#[test]
fn what_cannot_work_does_not_compile() {
    let _watchdog = watchdog();
    let copy = Copy::new(&[CLIENT, SERVER].concat());
    for (old, new, why) in [
        (r#"b = "B""#, r#"b = "b""#, "the name of a field that is sent begins with a capital"),
        (r#"b = "B""#, r#"b = """#, "index out of bounds"),
        (r#"b = "B""#, r#"b = "A""#, "unreachable pattern"),
        ("let swapped: Args =", "let swapped: &str =", "ask for a `String`"),
        ("|args: Args| Ok", "|args: &'static str| Ok", "ask for a `String`"),
        (r#"record!(Args = "Args" { a = "A", b = "B", });"#, "", "`record!`"),
    ] {
        assert_eq!(MAIN.matches(old).count(), 1, "{old}");
        fs::write(copy.0.join("src/main.rs"), MAIN.replace(old, new)).unwrap();
        let (code, _, stderr) = copy.cargo("2024", &["check"]);
        assert_eq!(code, Some(101), "{new}");
        assert!(stderr.contains(why), "{new}: {stderr}");
    }
}
