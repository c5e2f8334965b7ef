//! `Addr`: the grammar, its printing, its limits.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use streamsock::{Addr, Conn, Listener};

mod common;

use common::{MAX_PATH, Random, TempDir};

fn unix(path: &str) -> Addr {
    Addr::Unix(path.into())
}

fn name(name: &str) -> Addr {
    Addr::Abstract(name.into())
}

fn tcp(host: &str, port: u16) -> Addr {
    Addr::Tcp { host: host.into(), port }
}

#[test]
fn every_form_is_read_and_printed() {
    let forms = [
        ("unix:/tmp/echo.sock", unix("/tmp/echo.sock"), "unix:/tmp/echo.sock"),
        ("unix:///tmp/echo.sock", unix("/tmp/echo.sock"), "unix:/tmp/echo.sock"),
        ("/tmp/echo.sock", unix("/tmp/echo.sock"), "unix:/tmp/echo.sock"),
        ("./echo.sock", unix("./echo.sock"), "unix:./echo.sock"),
        ("../echo.sock", unix("../echo.sock"), "unix:../echo.sock"),
        ("unix:echo.sock", unix("echo.sock"), "unix:echo.sock"),
        ("unix:tcp:localhost:80", unix("tcp:localhost:80"), "unix:tcp:localhost:80"),
        ("unix:///", unix("/"), "unix:/"),
        ("unix:////tmp/x", unix("//tmp/x"), "unix:////tmp/x"),
        ("unix:./@x", unix("@x"), "unix:./@x"),
        ("./@x", unix("@x"), "unix:./@x"),
        ("././@x", unix("./@x"), "unix:././@x"),
        ("unix:./~/x", unix("~/x"), "unix:./~/x"),
        ("././~/x", unix("./~/x"), "unix:././~/x"),
        ("unix:~x", unix("~x"), "unix:~x"),
        ("unix:/a b/ü.sock", unix("/a b/ü.sock"), "unix:/a b/ü.sock"),
        (r"/a\x41\n", unix(r"/a\x41\n"), r"unix:/a\x41\n"),
        ("unix:@name", name("name"), "unix:@name"),
        ("@name", name("name"), "unix:@name"),
        ("@/tmp/@:x", name("/tmp/@:x"), "unix:@/tmp/@:x"),
        ("tcp:localhost:13500", tcp("localhost", 13500), "tcp:localhost:13500"),
        ("tcp://127.0.0.1:13500", tcp("127.0.0.1", 13500), "tcp:127.0.0.1:13500"),
        ("127.0.0.1:13500", tcp("127.0.0.1", 13500), "tcp:127.0.0.1:13500"),
        ("a-b.c_d.example:0", tcp("a-b.c_d.example", 0), "tcp:a-b.c_d.example:0"),
        ("tcp:[::1]:13500", tcp("::1", 13500), "tcp:[::1]:13500"),
        ("[fe80::1%eth0]:65535", tcp("fe80::1%eth0", 65535), "tcp:[fe80::1%eth0]:65535"),
        ("tcp:[fe80::1%wg+lan]:80", tcp("fe80::1%wg+lan", 80), "tcp:[fe80::1%wg+lan]:80"),
        ("tcp:[fe80::1%a:b@ü[]:80", tcp("fe80::1%a:b@ü[", 80), "tcp:[fe80::1%a:b@ü[]:80"),
    ];
    for (text, addr, printed) in forms {
        let parsed: Addr = text.parse().unwrap();
        assert_eq!(parsed, addr, "{text}");
        // Paths that differ in slashes alone are equal, and not printed alike.
        assert_eq!(parsed.to_string(), printed, "{text}");
        assert_eq!(addr.to_string(), printed);
        assert_eq!(printed.parse::<Addr>().unwrap(), addr, "{printed} again");
    }
}

/// What the error says of a text that is no address, after the text itself.
fn refused(text: &str) -> String {
    let error = text.parse::<Addr>().expect_err(text);
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let message = error.to_string();
    assert!(!message.contains(char::is_control), "{message:?}");
    message.strip_prefix(&format!("{text:?}: ")).unwrap_or_else(|| panic!("{message}")).to_string()
}

#[test]
fn a_wrong_text_is_quoted_beside_the_accepted_forms() {
    for text in [
        "",
        "unix:",
        "unix://",
        "unix://tmp/x",
        "@",
        "unix:@",
        "a/b.sock",
        "tcp:",
        "tcp:localhost:",
        "localhost:+80",
        "localhost:65536",
        "localhost:80/",
        "[::1]",
        "[::1:80",
        "[localhost]:80",
        "[]:80",
        "[::1%]:80",
        "[fe80::1%a b]:80",
        "[fe80::1%a/b]:80",
        "[fe80::1%a%b]:80",
        "[fe80::1%a]b]:80",
        "a b:80",
        "a%b:80",
        "unix:/a\0b",
        "/a\nb",
        "/\u{1b}[2J",
        "@a\u{85}",
        "\u{feff}:1",
    ] {
        let message = refused(text);
        for form in ["unix:/path", "./path", "unix:@name", "tcp:host:port"] {
            assert!(message.contains(form), "{message}");
        }
    }
}

/// Each remedy but those with a word to fill in is an address.
#[test]
fn a_wrong_text_that_can_be_mended_is_told_how() {
    for (text, remedies) in [
        ("tcp:localhost", &["tcp:localhost:13500"][..]),
        ("echo.sock", &["tcp:echo.sock:13500", "./echo.sock"]),
        (":80", &["tcp:localhost:80", "tcp:0.0.0.0:80", "tcp:[::]:80"]),
        ("80", &["tcp:localhost:80", "tcp:0.0.0.0:80", "tcp:[::]:80"]),
        ("tcp::80", &["tcp:localhost:80", "tcp:0.0.0.0:80", "tcp:[::]:80"]),
        ("::1:80", &["tcp:[::1]:80"]),
        ("tcp:fe80::1%eth0:80", &["tcp:[fe80::1%eth0]:80"]),
        ("http://localhost:80", &["tcp:localhost:80"]),
        ("https://example.com/", &["tcp:localhost:80"]),
    ] {
        let message = refused(text);
        for remedy in remedies {
            assert!(message.contains(remedy), "{message}");
            remedy.parse::<Addr>().unwrap();
        }
    }
    for text in ["~/echo.sock", "unix:~/echo.sock"] {
        assert!(refused(text).contains("$HOME/"));
    }
}

#[test]
fn what_no_text_can_carry_is_escaped() {
    let path = |bytes: &[u8]| Addr::from(Path::new(OsStr::from_bytes(bytes))).to_string();
    assert_eq!(path(b"/tmp/\xff\xfe"), r"unix:/tmp/\xff\xfe");
    assert_eq!(path(b"/tmp/\x1b[2J\n"), r"unix:/tmp/\u{1b}[2J\n");
    // U+009B alone does what ESC and [ do.
    assert_eq!(path("/tmp/\u{9b}2J".as_bytes()), r"unix:/tmp/\u{9b}2J");
    assert_eq!(Addr::Abstract(b"a\0\0".into()).to_string(), r"unix:@a\u{0}\u{0}");
    assert_eq!(tcp("a\u{1b}[2J", 80).to_string(), r"tcp:a\u{1b}[2J:80");
    assert_eq!(Addr::Unnamed.to_string(), "(unnamed)");
    assert!("(unnamed)".parse::<Addr>().is_err());
}

#[test]
#[cfg(target_os = "linux")] // other file systems refuse such a name
fn paths_that_no_text_can_carry_work_all_the_same() {
    let dir = TempDir::new();
    let addr = Addr::from(dir.path().join(OsStr::from_bytes(b"\xff\n")));
    let listener = Listener::bind(&addr).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);
    assert_eq!(Conn::connect(&addr).unwrap().peer_addr().unwrap(), addr);
}

#[test]
fn a_path_too_long_is_told_with_its_length_and_the_limit() {
    let dir = TempDir::new();
    let path_of = |len: usize| {
        let room = len - dir.path().as_os_str().len() - 1;
        dir.join(&"x".repeat(room))
    };
    let longest = Addr::from(path_of(MAX_PATH));
    drop(Listener::bind(&longest).unwrap());

    let path = path_of(MAX_PATH + 1);
    let addr = Addr::from(path.as_path());
    for error in [Listener::bind(&addr).unwrap_err(), Conn::connect(&addr).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let message = error.to_string();
        for part in [(MAX_PATH + 1).to_string(), MAX_PATH.to_string()] {
            assert!(message.contains(&part), "{message}");
        }
        assert!(!message.contains(path.to_str().unwrap()), "{message}");
    }
}

#[test]
fn what_cannot_be_bound_or_connected_to() {
    let empty = Addr::from(PathBuf::new());
    let nul = Addr::from(Path::new("/tmp/a\0b"));
    for addr in [empty, nul, Addr::Unnamed] {
        assert_eq!(Listener::bind(&addr).unwrap_err().kind(), ErrorKind::InvalidInput, "{addr}");
        assert_eq!(Conn::connect(&addr).unwrap_err().kind(), ErrorKind::InvalidInput, "{addr}");
    }
}

#[test]
#[cfg(any(target_os = "linux", target_os = "android"))]
fn an_abstract_name_has_no_file() {
    let text = format!("@streamsock-{}", std::process::id());
    let addr: Addr = text.parse().unwrap();
    let listener = Listener::bind(&addr).unwrap();
    assert_eq!(listener.local_addr().unwrap(), addr);
    assert_eq!(Conn::connect(&addr).unwrap().peer_addr().unwrap(), addr);
    assert_eq!(Listener::bind(&addr).unwrap_err().kind(), ErrorKind::AddrInUse);
    drop(listener);
    assert_eq!(Conn::connect(&addr).unwrap_err().kind(), ErrorKind::ConnectionRefused);

    let of_length = |len| Addr::Abstract(text.bytes().cycle().take(len).collect());
    drop(Listener::bind(&of_length(107)).unwrap());
    let message = Conn::connect(&of_length(108)).unwrap_err().to_string();
    assert!(message.contains("108 bytes") && message.contains("107"), "{message}");
}

#[test]
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn an_abstract_name_is_for_linux() {
    let addr: Addr = "@name".parse().unwrap();
    assert_eq!(Listener::bind(&addr).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(Conn::connect(&addr).unwrap_err().kind(), ErrorKind::Unsupported);
}

#[test]
fn std_addresses_become_ours() {
    let from = |text: &str| Addr::from(text.parse::<std::net::SocketAddr>().unwrap());
    assert_eq!(from("127.0.0.1:80"), tcp("127.0.0.1", 80));
    assert_eq!(from("[::1]:80"), tcp("::1", 80));
    assert_eq!(from("[fe80::1%3]:80"), tcp("fe80::1%3", 80));
    assert_eq!(from("[fe80::1%3]:80").to_string(), "tcp:[fe80::1%3]:80");
    assert_eq!(from("127.0.0.1:80").network(), "tcp");
    assert_eq!(Addr::Unnamed.network(), "unix");
    assert_eq!(name("x").network(), "unix");
}

/// Any text is read or refused without a panic, and what is read prints as what reads the same.
#[test]
fn a_million_random_texts() {
    let valid = [
        "unix:/tmp/echo.sock",
        "unix:///tmp/echo.sock",
        "./echo.sock",
        "unix:@name",
        "@name",
        "./@x",
        "unix:////tmp/x",
        "tcp:localhost:13500",
        "tcp://127.0.0.1:13500",
        "tcp:[::1]:13500",
        "[fe80::1%eth0]:1",
    ];
    let pieces = [
        "unix:", "tcp:", "/", "//", "./", "@", ":", "[", "]", "%", "::1", "80", "é", "\0", "\n",
        "+", "~/",
    ];
    let mut random = Random(2019);
    let mut read = 0;
    for round in 0..1_000_000 {
        let mut bytes = match round % 4 {
            0 => {
                let len = random.below(24);
                random.bytes(len)
            }
            1 => (0..random.below(7))
                .flat_map(|_| pieces[random.below(pieces.len())].bytes())
                .collect(),
            _ => valid[random.below(valid.len())].as_bytes().to_vec(),
        };
        if round % 4 == 3 {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() + 1);
                match random.below(3) {
                    0 => drop(bytes.splice(at..at, pieces[random.below(pieces.len())].bytes())),
                    1 if at < bytes.len() => drop(bytes.remove(at)),
                    _ if at < bytes.len() => bytes[at] = random.number() as u8,
                    _ => {}
                }
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(addr) = text.parse::<Addr>() {
            read += 1;
            let printed = addr.to_string();
            assert_eq!(printed.parse::<Addr>().ok(), Some(addr), "{text:?} prints {printed:?}");
        }
    }
    assert!(read > 300_000, "only {read} of them were addresses");
}

/// The same for paths that were never text.
#[test]
fn random_paths_round_trip() {
    let pieces = [
        "/", "//", ".", "./", "../", "@", "x", "unix:", "tcp:", ":", "80", " ", "é", "\\n", "%",
        "~",
    ];
    let mut random = Random(1983);
    for _ in 0..100_000 {
        let path: String =
            (0..=random.below(7)).map(|_| pieces[random.below(pieces.len())]).collect();
        let addr = Addr::from(Path::new(&path));
        let printed = addr.to_string();
        assert_eq!(printed.parse::<Addr>().unwrap(), addr, "{path:?} prints {printed:?}");
    }
}
