//! The course, `examples/README.md`, and its lessons: each has the form that a reader relies on,
//! the course shows what the lesson's header shows, and the lesson prints it. A lesson is what the
//! course lists: a program of their own that a student puts beside them is none. The answers to the
//! exercises are proved in `answers.rs`, `messages.rs`, and in the files named after a lesson.

use std::fs;
use std::path::Path;

mod common;
#[path = "common/lesson.rs"]
mod lesson;
#[path = "common/session.rs"]
mod session;

use common::watchdog;
use session::{Line, over_the_other_kind, play_until_it_fits, terminals};

/// Lessons whose session needs more than clients that come one after another: a test of their own
/// plays it.
const PLAYED_ELSEWHERE: [&str; 1] = ["chat"];

/// What follows the name of a lesson in the course: its question, its output, its answers.
struct Section {
    /// One lesson, or a server and its client.
    lessons: Vec<Lesson>,
    part: String,
    text: String,
}

struct Lesson {
    name: String,
    /// The lines of the comment at its top, without `//!`.
    header: Vec<String>,
    /// What stands below.
    body: Vec<String>,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The sections of the course that begin `### [name](name.rs)` or `### [server](server.rs),
/// [client](client.rs)`.
fn sections() -> Vec<Section> {
    let mut part = String::new();
    let mut sections: Vec<Section> = Vec::new();
    let mut in_lesson = false;
    for line in read("examples/README.md").lines() {
        if let Some(title) = line.strip_prefix("## ") {
            part = title.to_string();
            in_lesson = false;
        }
        if let Some(names) = line.strip_prefix("### ") {
            let lessons = names.split(", ").map(lesson).collect();
            sections.push(Section { lessons, part: part.clone(), text: String::new() });
            in_lesson = true;
        } else if in_lesson {
            let text = &mut sections.last_mut().unwrap().text;
            text.push_str(line);
            text.push('\n');
        }
    }
    sections
}

fn lesson(link: &str) -> Lesson {
    let name = link.trim_start_matches('[').split(']').next().unwrap().to_string();
    assert_eq!(link, format!("[{name}]({name}.rs)"), "a lesson's heading");
    let text = read(&format!("examples/{name}.rs"));
    let in_header = |line: &&str| line.starts_with("//!");
    let text_of = |line: &str| line[3..].strip_prefix(' ').unwrap_or("").to_string();
    let header = text.lines().take_while(in_header).map(text_of);
    let body = text.lines().skip_while(in_header).skip(1).map(str::to_string);
    Lesson { header: header.collect(), body: body.collect(), name }
}

impl Lesson {
    fn is_exercise(line: &str) -> bool {
        ["Predict: ", "Change: ", "Explain: "].iter().any(|word| line.starts_with(word))
    }

    fn exercises(&self) -> usize {
        self.header.iter().filter(|line| Lesson::is_exercise(line)).count()
    }

    /// What it says that a person will see.
    fn block(&self) -> String {
        console_block(&self.header.join("\n")).unwrap_or_else(|| panic!("{}: no output", self.name))
    }
}

/// What stands in the first fence of that kind.
fn console_block(text: &str) -> Option<String> {
    let begin = text.find("```console\n")?;
    let rest = &text[begin + "```console\n".len()..];
    let end = rest.find("\n```")?;
    Some(rest[..end].to_string())
}

#[test]
fn each_header_has_a_sentence_the_output_and_exercises() {
    for lesson in sections().iter().flat_map(|section| &section.lessons) {
        let name = &lesson.name;
        let end = lesson.header.iter().position(String::is_empty).unwrap();
        let sentence = lesson.header[..end].join(" ");
        assert!(sentence.ends_with('.'), "{name}.rs begins with no sentence: {sentence}");
        let block = lesson.block();
        let command = block.lines().next().unwrap();
        assert!(command.starts_with("$ cargo run "), "{name}.rs: {command}");
        assert!(block.contains(&format!(" --example {name}")), "{name}.rs: {block}");
        assert!(block.lines().count() > 1, "{name}.rs does not show what it prints");
        assert!(
            (1..=3).contains(&lesson.exercises()),
            "{name}.rs: {} exercises",
            lesson.exercises()
        );
        let last = lesson.header.iter().rposition(String::is_empty).unwrap();
        assert!(Lesson::is_exercise(&lesson.header[last + 1]), "{name}.rs ends with no exercises");
    }
}

#[test]
fn the_course_shows_what_the_headers_show_and_answers_each_exercise() {
    for section in sections() {
        let names: Vec<_> = section.lessons.iter().map(|lesson| lesson.name.as_str()).collect();
        let question = section.text.trim_start().split("\n\n").next().unwrap();
        assert!(question.ends_with('?'), "{names:?} begins with no question: {question}");
        for lesson in &section.lessons {
            let block = format!("```console\n{}\n```", lesson.block());
            assert!(section.text.contains(&block), "the course shows {} otherwise", lesson.name);
        }
        let (_, answers) =
            section.text.split_once("<details><summary>Answers</summary>\n\n").unwrap();
        let answers = answers.split("</details>").next().unwrap();
        let exercises: usize = section.lessons.iter().map(Lesson::exercises).sum();
        for number in 1..=exercises {
            assert!(
                answers.contains(&format!("\n{number}. ")) || number == 1,
                "{names:?}: no answer {number}"
            );
        }
        assert!(answers.starts_with("1. "), "{names:?}: no answer 1");
        assert!(
            !answers.contains(&format!("\n{}. ", exercises + 1)),
            "{names:?}: too many answers"
        );
    }
}

/// An answer names its proof so: `Proved by `name` in [file](../tests/file)`.
#[test]
fn each_test_that_the_course_names_is_there() {
    let course = read("examples/README.md").replace('\n', " ");
    for proof in course.split("roved by ").skip(1) {
        let name = proof.split('`').nth(1).unwrap();
        let (_, file) = proof.split_once("](../tests/").unwrap();
        let file = file.split(')').next().unwrap();
        assert!(
            read(&format!("tests/{file}")).contains(&format!("fn {name}(")),
            "{file}: no {name}"
        );
    }
}

#[test]
fn drawings_fit_a_terminal() {
    let course = read("examples/README.md");
    for line in
        course.split("```text\n").skip(1).flat_map(|rest| rest.split("```").next().unwrap().lines())
    {
        assert!(line.chars().count() < 80, "{line}");
    }
}

#[test]
fn each_is_short_and_plain() {
    for lesson in sections().iter().flat_map(|section| &section.lessons) {
        let name = &lesson.name;
        let is_code = |line: &&String| !line.trim().is_empty() && !line.trim().starts_with("//");
        let code = lesson.body.iter().filter(is_code).count();
        assert!(code <= 100, "{name}.rs has {code} lines of code");
        assert!(lesson.body.len() <= 125, "{name}.rs has {} lines", lesson.body.len());

        let first = lesson.body.iter().find(|line| line.starts_with("fn ")).unwrap();
        assert!(first.starts_with("fn main() -> "), "{name}.rs begins with {first}");
        let has_module = lesson.body.iter().any(|line| line.starts_with("mod "));
        assert!(!has_module || name.starts_with("rpc_"), "{name}.rs is not one file");

        for line in lesson.body.iter().filter(is_code) {
            for puzzle in ["&& let ", "for_each(|x| drop", "&mut &*", "map_err(|_|"] {
                assert!(!line.contains(puzzle), "{name}.rs: {line}");
            }
        }
    }
}

#[test]
fn lessons_of_part_1_print_what_they_show() {
    print_what_they_show("1 ");
}

#[test]
fn lessons_of_part_2_print_what_they_show() {
    print_what_they_show("2 ");
}

#[test]
fn lessons_of_part_3_print_what_they_show() {
    print_what_they_show("3 ");
}

#[test]
fn lessons_of_part_4_print_what_they_show() {
    print_what_they_show("4 ");
}

#[track_caller]
fn print_what_they_show(part: &str) {
    let _watchdog = watchdog();
    if !cfg!(target_os = "linux") {
        return; // the course shows what Linux answers
    }
    for section in sections().iter().filter(|section| section.part.starts_with(part)) {
        let server = &section.lessons[0];
        for lesson in &section.lessons {
            let block = lesson.block();
            let elsewhere = PLAYED_ELSEWHERE.contains(&lesson.name.as_str());
            let without = block.contains("--features sockopt") && !cfg!(feature = "sockopt");
            if elsewhere || without {
                continue;
            }
            let mut session = terminals(&block);
            if lesson.name != server.name {
                // A client's header shows its own terminal, and relies on the server's.
                session.insert(0, terminals(&server.block()).remove(0));
                session[0].lines.retain(Line::listens);
            }
            play_until_it_fits(&lesson.name, &session);
            if let Some(session) = over_the_other_kind(&session) {
                play_until_it_fits(&lesson.name, &session);
            }
        }
    }
}
