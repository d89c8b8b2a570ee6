//! The functions' processes under a running stack, as the system lists them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The functions of the stack with process id `stack` that run now, with their process ids.
pub(crate) fn functions(stack: u32) -> BTreeMap<String, u32> {
    let processes = fs::read_dir("/proc").expect("Linux lists its processes");
    let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| parent(*id) == Some(stack)).filter_map(|id| Some((function(id)?, id))).collect()
}

/// The variables that a process was started with; `None` if it has ended.
pub(crate) fn environment(id: u32) -> Option<BTreeMap<String, String>> {
    let text = String::from_utf8(fs::read(format!("/proc/{id}/environ")).ok()?).ok()?;
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Ends one process as the system's killer does; it may have ended by itself.
pub(crate) fn kill(id: u32) {
    Command::new("kill").args(["-9", &id.to_string()]).output().expect("there is a kill");
}

/// `stat` is the id, the name in brackets (which may hold anything), the state and the parent.
fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// `holdpoint function NAME`.
fn function(id: u32) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{id}/cmdline")).ok()?;
    let mut words = line.split('\0').skip_while(|word| *word != "function");
    words.nth(1).map(str::to_owned)
}
