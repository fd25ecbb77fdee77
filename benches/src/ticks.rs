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

/// The seconds of processor time that process `pid` has used.
///
/// # Errors
/// There is no such process.
pub(crate) fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat).map(|ticks| ticks as f64 * TICK_SECONDS).ok_or_else(|| "/proc/PID/stat is strange".into())
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
    }

    #[test]
    fn memory_is_told_in_megabytes() {
        let rollup = "55-7f ---p 00000000 00:00 0  [rollup]\nRss:      15625 kB\nPss:       1000 kB\n";
        assert_eq!(megabytes(rollup, "Rss"), Some(16.0));
        assert_eq!(megabytes(rollup, "Pss"), Some(1.024));
        assert_eq!(megabytes(rollup, "Swap"), None);
    }
}
