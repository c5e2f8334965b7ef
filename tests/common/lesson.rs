//! A lesson with changes, compiled.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::common::{TempDir, run};

/// A lesson's source, with what is to be replaced: each once.
pub fn source(name: &str, replace: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{name}.rs"));
    let mut text = fs::read_to_string(path).unwrap();
    for (old, new) in replace {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    text
}

/// Compiles a lesson, with another directory instead of /tmp, where a real server may be.
pub fn build(dir: &TempDir, name: &str, source: &str) -> PathBuf {
    let file = dir.join(&format!("{name}.rs"));
    let program = dir.join(name);
    fs::write(&file, source.replace("/tmp/", &format!("{}/", dir.path().display()))).unwrap();
    if source.contains("mod netrpc") {
        // Its modules stand beside it; a second lesson finds them there.
        let netrpc = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/netrpc");
        let _ = symlink(netrpc, dir.join("netrpc"));
    }
    let mut rustc = Command::new(Path::new(env!("CARGO")).with_file_name("rustc"));
    rustc.args(["--edition", "2024", "-o"]).arg(&program).arg(file);
    // Beside this test lies the library, of which there may be some of other features.
    let deps = env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let libraries = fs::read_dir(&deps).unwrap().map(|entry| entry.unwrap()).filter(|entry| {
        let name = entry.file_name().into_string().unwrap();
        name.starts_with("libstreamsock-") && name.ends_with(".rlib")
    });
    let newest = libraries.max_by_key(|entry| entry.metadata().unwrap().modified().unwrap());
    rustc.arg("--extern").arg(format!("streamsock={}", newest.unwrap().path().display()));
    rustc.arg("-L").arg(deps);
    let (code, _, stderr) = run(&mut rustc);
    assert_eq!(code, Some(0), "{stderr}");
    program
}
