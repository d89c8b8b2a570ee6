//! The checkout itself: names, sizes, and what must not stand in a file.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::binaries::checkout;

/// Lines of the longest Rust file.
const LINES_MAX: usize = 600;
/// Lines of a function's `main.rs`, which only starts its library.
const MAIN_LINES_MAX: usize = 15;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["utils", "util", "common", "helpers", "helper", "types", "misc", "mod", "manager", "managers"];

/// A file that git knows or would take, with its text.
struct Tracked {
    path: PathBuf,
    text: String,
}

impl Tracked {
    fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    /// The places of `needle`, as a compiler would name them.
    fn places_of(&self, needle: &str) -> Vec<String> {
        let path = self.path.display();
        let lines = self.text.lines().enumerate();
        let found = lines.filter(|(_, line)| line.contains(needle));
        found.map(|(index, _)| format!("{path}:{}: {needle}", index + 1)).collect()
    }
}

/// Every text file of the checkout, new ones included.
fn tracked() -> Vec<Tracked> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = Command::new("git").args(arguments).current_dir(checkout()).output();
    let listed = listed.expect("git runs");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).expect("paths are text");
    let read = |path: &str| {
        // One that was removed and not committed yet is listed and not there.
        let text = std::fs::read(checkout().join(path)).ok()?;
        Some(Tracked { path: path.into(), text: String::from_utf8(text).ok()? })
    };
    let files: Vec<_> = paths.split('\0').filter_map(read).collect();
    assert!(files.len() > 100, "git lists {} files only", files.len());
    files
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_is_named_after_what_is_inside() {
    let empty = |path: &Path| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        EMPTY_NAMES.contains(&stem) || stem.ends_with("_utils") || stem.ends_with("_helpers")
    };
    let files = tracked();
    let badly = files.iter().filter(|file| empty(&file.path));
    none(&badly.map(|file| file.path.display().to_string()).collect::<Vec<_>>());
}

#[test]
fn no_rust_file_is_longer_than_a_reader_can_hold() {
    let length = |file: &Tracked| {
        let lines = file.text.lines().count();
        (file.is_rust() && lines > LINES_MAX).then(|| format!("{}: {lines}", file.path.display()))
    };
    none(&tracked().iter().filter_map(length).collect::<Vec<_>>());
}

#[test]
fn nothing_is_left_half_done() {
    // Put together here, so that this file does not find itself.
    let marks = [["to", "do!("], ["unimplemented", "!("], ["db", "g!("], ["#[ig", "nore"]];
    let marks = marks.map(|parts| parts.concat());
    let files = tracked();
    let rust = files.iter().filter(|file| file.is_rust());
    let found = rust.flat_map(|file| marks.iter().flat_map(|mark| file.places_of(mark)));
    none(&found.collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_machine() {
    let mut marks = vec![
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["/ho", "me/"].concat(),
        ["/Us", "ers/"].concat(),
    ];
    marks.push(checkout().display().to_string());
    let files = tracked();
    let found = files.iter().flat_map(|file| marks.iter().flat_map(|mark| file.places_of(mark)));
    none(&found.collect::<Vec<_>>());
}

#[test]
fn no_file_names_a_place_to_download_packages_from() {
    let marks = [
        ["crates", ".io/api"],
        ["index.crates", ".io"],
        ["static.crates", ".io"],
        ["pypi", ".org"],
        ["python", "hosted.org"],
        ["registry.npm", "js.org"],
        ["proxy.go", "lang.org"],
        ["--extra-index", "-url"],
        ["--index", "-url"],
    ];
    let marks = marks.map(|parts| parts.concat());
    let files = tracked();
    let found = files.iter().flat_map(|file| marks.iter().flat_map(|mark| file.places_of(mark)));
    none(&found.collect::<Vec<_>>());
}

#[test]
fn a_functions_main_does_nothing_but_start_its_library() {
    let files = tracked();
    let is_main = |file: &&Tracked| {
        file.path.starts_with("functions") && file.path.ends_with(Path::new("src/main.rs"))
    };
    let mains: Vec<_> = files.iter().filter(is_main).collect();
    assert!(!mains.is_empty(), "there are functions");
    let long = mains.iter().filter(|file| file.text.lines().count() > MAIN_LINES_MAX);
    none(&long.map(|file| file.path.display().to_string()).collect::<Vec<_>>());
}
