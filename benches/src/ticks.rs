//! What does a process take of the machine: processor time and memory?

use std::fs;

use crate::Outcome;
use crate::machine::value_of;

/// How long a tick of `/proc/PID/stat` is: Linux counts 100 a second for programs on every common machine.
const TICK_SECONDS: f64 = 0.01;

/// What a process holds in memory, in MB (10⁶ bytes).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All that is mapped and present.
    pub(crate) rss: f64,
    /// The same, with what is shared counted in parts.
    pub(crate) pss: f64,
}

/// The seconds of processor time that process `pid` and its children have used.
///
/// The kernel counts the nanoseconds of each thread in `schedstat`; where it is built without, the ticks of
/// `stat` are taken, of which there are a hundred a second.
///
/// # Errors
/// There is no such process.
pub(crate) fn cpu_seconds(pid: u32) -> Outcome<f64> {
    family(pid)?.into_iter().map(|pid| threads(pid).map_or_else(|| of_process(pid), Ok)).sum()
}

fn of_process(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat).map(|ticks| ticks as f64 * TICK_SECONDS).ok_or_else(|| "/proc/PID/stat is strange".into())
}

/// The seconds that the threads of a process have run.
fn threads(pid: u32) -> Option<f64> {
    let mut nanoseconds = 0_u64;
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        // A thread may end meanwhile.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else { continue };
        nanoseconds += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    (nanoseconds > 0).then_some(nanoseconds as f64 / 1e9)
}

/// A process and those that it started.
///
/// # Errors
/// The system does not list its processes.
pub(crate) fn family(pid: u32) -> Outcome<Vec<u32>> {
    let mut found = vec![pid];
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(other) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{other}/stat")) else { continue };
        if parent(&stat) == Some(pid) {
            found.push(other);
        }
    }
    Ok(found)
}

fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// What process `pid` and its children hold, in MiB (2²⁰ bytes).
///
/// # Errors
/// There is no such process.
pub(crate) fn resident_mib(pid: u32) -> Outcome<f64> {
    family(pid)?.into_iter().map(|pid| status_mib(pid, "VmRSS")).sum()
}

/// The most that process `pid` and its children held since [`forget_peak`], in MiB.
///
/// # Errors
/// There is no such process.
pub(crate) fn peak_mib(pid: u32) -> Outcome<f64> {
    family(pid)?.into_iter().map(|pid| status_mib(pid, "VmHWM")).sum()
}

/// Lets the peak of process `pid` and its children begin anew (`man 5 proc`, `clear_refs`).
///
/// # Errors
/// There is no such process.
pub(crate) fn forget_peak(pid: u32) -> Outcome<()> {
    family(pid)?.into_iter().try_for_each(|pid| Ok(fs::write(format!("/proc/{pid}/clear_refs"), "5")?))
}

fn status_mib(pid: u32, name: &str) -> Outcome<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let megabytes = megabytes(&status, name).ok_or("/proc/PID/status is strange")?;
    Ok(megabytes * 1e6 / 1_048_576.0)
}

/// What process `pid` holds.
///
/// # Errors
/// There is no such process.
pub(crate) fn memory(pid: u32) -> Outcome<Memory> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let size = |name| megabytes(&rollup, name).ok_or("/proc/PID/smaps_rollup is strange");
    Ok(Memory { rss: size("Rss")?, pss: size("Pss")? })
}

/// User and system time. The name of the program, in parentheses, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| fields.get(number)?.parse::<u64>().ok();
    Some(field(11)? + field(12)?)
}

fn megabytes(rollup: &str, name: &str) -> Option<f64> {
    let kib: f64 = value_of(rollup, name)?.strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_behind_any_name() {
        let stat = "7 (a) 1 b) S 1 7 7 0 -1 4194560 321 0 0 0 25 17 0 0 20 0 3 0 8000 1 1";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a) S 1"), None);
        assert_eq!(parent(stat), Some(1));
    }

    #[test]
    fn this_program_is_found_with_its_children() {
        let child = std::process::Command::new("sleep").arg("9").spawn();
        let mut child = child.unwrap();
        let found = family(std::process::id()).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&child.id()) && found.contains(&std::process::id()));
        assert!(peak_mib(std::process::id()).unwrap() >= resident_mib(std::process::id()).unwrap() / 2.0);
    }

    #[test]
    fn memory_is_told_in_megabytes() {
        let rollup = "55-7f ---p 00000000 00:00 0  [rollup]\nRss:      15625 kB\nPss:       1000 kB\n";
        assert_eq!(megabytes(rollup, "Rss"), Some(16.0));
        assert_eq!(megabytes(rollup, "Pss"), Some(1.024));
        assert_eq!(megabytes(rollup, "Swap"), None);
    }
}
