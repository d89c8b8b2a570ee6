//! What the functions' processes take of the machine, as Linux counts it.

use std::collections::BTreeMap;
use std::fs;

use local::Stack;

use crate::say;

/// Linux tells programs of processor time in hundredths of a second, whatever its own clock does.
const TICKS_PER_SECOND: u64 = 100;

/// What each function's process takes at one moment.
#[derive(Clone, Debug)]
pub(super) struct Usage(BTreeMap<String, Process>);

#[derive(Clone, Copy, Debug)]
struct Process {
    pid: u32,
    resident_kib: u64,
    cpu_ticks: u64,
}

impl Usage {
    pub(super) fn of(stack: &Stack) -> Self {
        let measured = |(name, pid): (String, u32)| Some((name, Process::measured(pid)?));
        Self(stack.processes().into_iter().filter_map(measured).collect())
    }

    /// Says how much more it is later.
    pub(super) fn tell(&self, later: &Self, when: &str) {
        say(&format!("  functions' memory and processor time {when}:"));
        for (name, now) in &later.0 {
            let Some(before) = self.0.get(name) else { continue };
            let restarted = if before.pid == now.pid { "" } else { ", restarted" };
            let ticks = now.cpu_ticks.saturating_sub(before.cpu_ticks);
            let (seconds, hundredths) = (ticks / TICKS_PER_SECOND, ticks % TICKS_PER_SECOND);
            let (from, to) = (before.resident_kib / 1_024, now.resident_kib / 1_024);
            say(&format!("    {name}: {from} to {to} MiB, {seconds}.{hundredths:02} s{restarted}"));
        }
    }
}

impl Process {
    fn measured(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident_kib = resident.split_whitespace().next()?.parse().ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // Behind the name in brackets, which may hold anything: user and system time are the
        // twelfth and the thirteenth.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        Some(Self { pid, resident_kib, cpu_ticks: user + system })
    }
}

/// How busy the machine was in the last one, five and fifteen minutes.
pub(super) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
