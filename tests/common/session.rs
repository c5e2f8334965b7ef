//! A session that a header shows, played: what several terminals show, one after another, is run
//! and compared with what is shown.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use streamsock::{Addr, Conn};

use super::common::{TempDir, example};
use super::lesson::{build, source};

/// A lesson that does not end within this is taken for one that hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A machine that is busy may delay a lesson so much that it prints something else. Five times in a
/// row, it is the lesson.
const TRIES: usize = 5;

/// What one terminal shows: a command, and then lines that the program prints or a person types.
#[derive(Clone)]
pub struct Terminal {
    command: String,
    pub lines: Vec<Line>,
}

#[derive(Clone)]
pub struct Line {
    text: String,
    typed: bool,
}

impl Terminal {
    fn listens(&self) -> bool {
        self.lines.iter().any(Line::listens)
    }
}

impl Line {
    pub fn listens(&self) -> bool {
        self.text.starts_with("listening on ")
    }
}

pub fn terminals(block: &str) -> Vec<Terminal> {
    let mut terminals: Vec<Terminal> = Vec::new();
    for line in block.lines() {
        let (text, remark) = line.split_once(" # ").unwrap_or((line, ""));
        if let Some(command) = text.strip_prefix("$ ") {
            terminals.push(Terminal { command: command.trim().to_string(), lines: Vec::new() });
        } else if remark.starts_with("typed here") {
            let line = Line { text: text.trim_end().to_string(), typed: true };
            terminals.last_mut().unwrap().lines.push(line);
        } else {
            let line = Line { text: line.trim_end().to_string(), typed: false };
            terminals.last_mut().unwrap().lines.push(line);
        }
    }
    terminals
}

/// The same session over TCP, if it is shown over a Unix socket whose address is an argument.
pub fn over_the_other_kind(session: &[Terminal]) -> Option<Vec<Terminal>> {
    let (_, path) = session[0].command.split_once(" -- unix:/tmp/")?;
    if path.contains(' ') {
        return None; // more than one address: it is both kinds already, or needs a file
    }
    if session.iter().filter(|terminal| terminal.listens()).count() > 1 {
        return None; // a proxy, which goes from one kind to the other
    }
    let swap = |text: &str| {
        let text = text.replace(&format!("nc -N -U /tmp/{path}"), "nc -N 127.0.0.1 13500");
        text.replace(&format!("unix:/tmp/{path}"), "tcp:127.0.0.1:13500").replace("[unix]", "[tcp]")
    };
    let mut session = session.to_vec();
    for terminal in &mut session {
        terminal.command = swap(&terminal.command);
        for line in &mut terminal.lines {
            line.text = swap(&line.text);
        }
    }
    Some(session)
}

/// Where a session is played: in a directory instead of /tmp, and at another port than the one that
/// is shown.
struct Stage {
    dir: TempDir,
    shown_port: String,
    port: String,
}

impl Stage {
    fn to_real(&self, word: &str) -> String {
        let word = word.replace("/tmp/", &format!("{}/", self.dir.path().display()));
        match self.shown_port.is_empty() {
            true => word,
            false => word.replace(&self.shown_port, &self.port),
        }
    }

    fn to_shown(&self, line: &str) -> String {
        let line = line.replace(self.dir.path().to_str().unwrap(), "/tmp");
        match self.shown_port.is_empty() {
            true => line,
            false => line.replace(&format!(":{}", self.port), &format!(":{}", self.shown_port)),
        }
    }
}

#[track_caller]
pub fn play_until_it_fits(name: &str, session: &[Terminal]) {
    for left in (0..TRIES).rev() {
        match play(session) {
            Ok(()) => return,
            Err(why) => {
                assert!(left > 0, "{name} prints something else than its header shows:\n{why}")
            }
        }
    }
}

/// Runs the commands, each to its end. One that listens is a server: it runs while the later ones
/// do.
fn play(session: &[Terminal]) -> Result<(), String> {
    let dir = TempDir::new();
    let mut stage = Stage { dir, shown_port: String::new(), port: String::new() };
    let mut servers = Vec::new();
    for terminal in session {
        if terminal.listens() {
            servers.push((terminal, start_server(&mut stage, terminal)));
        } else {
            play_to_its_end(&stage, terminal)?;
        }
    }
    if servers.is_empty() {
        assert_eq!(stage.dir.names(), [""; 0], "{} leaves something behind", session[0].command);
    }
    for (terminal, mut server) in servers {
        while server.lines.len() < terminal.lines.len() && server.read_line() {}
        let lines: Vec<_> = server.lines.iter().map(|line| stage.to_shown(line)).collect();
        compare(terminal, &lines)?;
    }
    Ok(())
}

/// Starts it and waits until it listens, at a port that the system chooses.
fn start_server(stage: &mut Stage, terminal: &Terminal) -> Screen {
    let mut command = terminal.command.clone();
    if let Some((before, port)) = command.split_once(" tcp:127.0.0.1:") {
        stage.shown_port = port.split(' ').next().unwrap().to_string();
        command = format!("{before} tcp:127.0.0.1:0{}", &port[stage.shown_port.len()..]);
    }
    let mut server = Screen::start(stage, &command);
    for line in terminal.lines.iter().take_while(|line| line.listens()) {
        server.read_line();
        let printed = server.lines.last().cloned().unwrap_or_default();
        if line.text.starts_with("listening on tcp:") && !stage.shown_port.is_empty() {
            stage.port = printed.rsplit(':').next().unwrap().to_string();
        }
    }
    server
}

fn play_to_its_end(stage: &Stage, terminal: &Terminal) -> Result<(), String> {
    let mut screen = Screen::start(stage, &terminal.command);
    let last_typed = terminal.lines.iter().rposition(|line| line.typed);
    if last_typed.is_none() {
        screen.end_input();
    }
    for (i, line) in terminal.lines.iter().enumerate() {
        if line.typed {
            screen.type_line(&line.text);
        } else if !screen.read_line() {
            break;
        }
        if last_typed == Some(i) {
            screen.end_input();
        }
    }
    while screen.read_line() {}
    let lines: Vec<_> = screen.lines.iter().map(|line| stage.to_shown(line)).collect();
    compare(terminal, &lines)
}

fn compare(terminal: &Terminal, lines: &[String]) -> Result<(), String> {
    let shown: Vec<_> = terminal.lines.iter().map(|line| masked(&line.text)).collect();
    let printed: Vec<_> = lines.iter().map(|line| masked(line.trim_end())).collect();
    if shown == printed {
        return Ok(());
    }
    Err(format!(
        "$ {}\n{}\nbut shown is:\n{}",
        terminal.command,
        printed.join("\n"),
        shown.join("\n")
    ))
}

/// A line in which each quantity that differs from run to run, or from machine to machine, is one
/// `#`: a number before one of these units, or after one of these words. Its padding goes with it.
fn masked(line: &str) -> String {
    const IDS: [&str; 3] = ["user", "group", "process"];
    const UNITS: [&str; 5] = ["µs", "ms", "GB/s", "KiB", "×"];
    let mut words: Vec<String> = Vec::new();
    let mut found = false;
    for word in line.split_whitespace() {
        let is_number = |word: &String| {
            word.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ',')
                && word.starts_with(|c: char| c.is_ascii_digit())
        };
        let unit = word.trim_end_matches([',', '.', ';', ':', ')']);
        if UNITS.contains(&unit) && words.last().is_some_and(is_number) {
            words.pop();
            words.push("#".to_string());
            found = true;
        }
        let follows_id = words.last().is_some_and(|word| IDS.contains(&word.as_str()));
        if follows_id && is_number(&word.to_string()) {
            words.push("#".to_string());
            found = true;
        } else {
            words.push(word.to_string());
        }
    }
    if found { words.join(" ") } else { line.to_string() }
}

/// A program, or `nc`, and what a person sees of it. Its standard input, output and error are one
/// socket, of which the other end is here. It is killed with the value.
struct Screen {
    child: Option<Child>,
    conn: BufReader<Conn>,
    until: Instant,
    lines: Vec<String>,
}

impl Screen {
    fn start(stage: &Stage, command: &str) -> Screen {
        let words: Vec<_> = command.split_whitespace().map(|word| stage.to_real(word)).collect();
        let (child, conn) = match &*words[0] {
            "cargo" => Screen::cargo_run(stage, &words),
            "nc" => (None, Screen::nc(&words)),
            _ => panic!("a session of another program than cargo run and nc: {command}"),
        };
        let until = Instant::now() + PATIENCE;
        Screen { child, conn: BufReader::new(conn), until, lines: Vec::new() }
    }

    /// `cargo run [OPTION…] --example NAME [-- ARGUMENT…]`, without cargo, which would wait for the
    /// cargo that runs this test.
    fn cargo_run(stage: &Stage, words: &[String]) -> (Option<Child>, Conn) {
        let name = &words[words.iter().position(|word| word == "--example").unwrap() + 1];
        let arguments: Vec<_> = words.iter().skip_while(|word| *word != "--").skip(1).collect();
        let text = source(name, &[]);
        let in_code = |line: &str| !line.starts_with("//!") && line.contains("/tmp/");
        // Without an argument, it would use /tmp itself, where a real server may be.
        let program = match arguments.is_empty() && text.lines().any(in_code) {
            true => build(&stage.dir, name, &text),
            false => fresh_example(name),
        };
        let (ours, theirs) = Conn::pair().unwrap();
        let theirs = OwnedFd::from(theirs);
        let mut command = Command::new(program);
        command.args(arguments).env("TMPDIR", stage.dir.path());
        command
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs);
        (Some(command.spawn().unwrap()), ours)
    }

    /// `nc -N -U PATH` or `nc -N HOST PORT`: it sends what is typed, prints what comes, and
    /// half-closes at the end of its input.
    fn nc(words: &[String]) -> Conn {
        let addr = match (&*words[1], &*words[2]) {
            ("-N", "-U") => Addr::from(Path::new(&words[3])),
            ("-N", host) => format!("tcp:{host}:{}", words[3]).parse().unwrap(),
            _ => panic!("{words:?}: without -N, nc does not half-close, and hangs"),
        };
        Conn::connect(&addr).unwrap()
    }

    fn type_line(&mut self, text: &str) {
        self.lines.push(text.to_string());
        let _ = self.conn.get_mut().write_all(format!("{text}\n").as_bytes()); // it may have ended
    }

    fn end_input(&mut self) {
        let _ = self.conn.get_mut().shutdown(Shutdown::Write);
    }

    /// False once there is no more, or the time is up.
    fn read_line(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        self.conn.get_mut().set_read_timeout(Some(left.max(Duration::from_millis(1)))).unwrap();
        let mut line = String::new();
        match self.conn.read_line(&mut line) {
            Ok(0) => return false,
            Ok(_) => self.lines.push(line.trim_end().to_string()),
            Err(e) => {
                self.lines.push(format!("{line}[{e}]"));
                return false;
            }
        }
        true
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The lesson's program as cargo built it, which only a run of all tests does without being asked.
fn fresh_example(name: &str) -> PathBuf {
    let program = example(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
    let built = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    assert!(built(&program) >= built(&source), "{name} is out of date: cargo build --examples");
    program
}
