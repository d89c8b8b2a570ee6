//! A program of the test's own, in a process.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a program may take to say what it is waited for, on a machine that does other things.
const SAID_MAX: Duration = Duration::from_secs(90);
/// How long it may take to end.
const END_MAX: Duration = Duration::from_mins(2);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A running program, and what it has said. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    /// What was started, for messages.
    started: String,
    process: Child,
    out: Said,
    err: Said,
}

/// How a program ended, and all that it said.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// One of its outputs, read as it comes.
#[derive(Debug)]
struct Said {
    lines: Arc<(Mutex<Lines>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Lines {
    so_far: Vec<String>,
    is_whole: bool,
}

impl Program {
    /// Starts it, without an input.
    pub fn start(command: &mut Command) -> Self {
        let started = format!("{command:?}");
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{started}: {error}"));
        let out = Said::read(process.stdout.take().expect("its output is ours"));
        let err = Said::read(process.stderr.take().expect("its output is ours"));
        Self { started, process, out, err }
    }

    /// Runs it to its end.
    pub fn run(command: &mut Command) -> Ended {
        Self::start(command).end()
    }

    /// The first line of its output that contains `wanted`, waited for.
    #[track_caller]
    pub fn line(&self, wanted: &str) -> String {
        let found = self.out.line(wanted);
        found.unwrap_or_else(|| {
            let (out, err) = (self.out.text(), self.err.text());
            panic!("{} never said `{wanted}` but\n{out}\n{err}", self.started)
        })
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(END_MAX)
    }

    /// Waits for its end, for `at_most`.
    #[track_caller]
    pub fn end_within(mut self, at_most: Duration) -> Ended {
        let until = Instant::now() + at_most;
        let status = loop {
            match self.process.try_wait().expect("the process is ours") {
                Some(status) => break status,
                None if Instant::now() < until => std::thread::sleep(LOOK_AGAIN),
                None => {
                    let (out, err) = (self.out.text(), self.err.text());
                    panic!("{} goes on after {at_most:?}\n{out}\n{err}", self.started)
                }
            }
        };
        Ended { code: status.code(), out: self.out.whole(), err: self.err.whole() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Ended {
    /// The same, if it ended with exit code `code`.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "it may stand alone, as an assertion")]
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }

    /// The last line of its output.
    #[track_caller]
    pub fn last_line(&self) -> &str {
        self.out.lines().last().unwrap_or_else(|| panic!("it said nothing\n{}", self.err))
    }
}

impl Said {
    fn read(from: impl Read + Send + 'static) -> Self {
        let lines = Arc::new((Mutex::new(Lines::default()), Condvar::new()));
        let shared = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            let (said, changed) = &*shared;
            for bytes in BufReader::new(from).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&bytes).into_owned();
                said.lock().expect("nobody panics with it").so_far.push(line);
                changed.notify_all();
            }
            said.lock().expect("nobody panics with it").is_whole = true;
            changed.notify_all();
        });
        Self { lines, reader: Some(reader) }
    }

    fn line(&self, wanted: &str) -> Option<String> {
        let (lines, changed) = &*self.lines;
        let find = |lines: &Lines| lines.so_far.iter().find(|line| line.contains(wanted)).cloned();
        let lines = lines.lock().expect("nobody panics with it");
        let is_missing = |lines: &mut Lines| find(lines).is_none() && !lines.is_whole;
        let held = changed.wait_timeout_while(lines, SAID_MAX, is_missing);
        find(&held.expect("nobody panics with it").0)
    }

    fn text(&self) -> String {
        self.lines.0.lock().expect("nobody panics with it").so_far.join("\n")
    }

    fn whole(&mut self) -> String {
        let reader = self.reader.take().expect("its end is waited for once");
        reader.join().expect("a reader does not panic");
        self.text()
    }
}
