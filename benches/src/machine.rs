//! On what kind of machine was it measured?

use std::fs;

/// Cores, processor, memory and kernel, as far as the system tells.
pub(crate) fn facts() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processor = value_of(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown").to_owned();
    let memory = read("/proc/meminfo");
    let memory = value_of(&memory, "MemTotal").and_then(|size| size.split(' ').next()?.parse::<u64>().ok());
    let memory = memory.map_or_else(|| "?".to_owned(), |kib| format!("{:.0}", kib as f64 / 1_048_576.0));
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores ({processor}), {memory} GiB, Linux {}", kernel.trim())
}

/// The value in a line `name : value`.
pub(crate) fn value_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let value = |line: &'t str| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    };
    text.lines().find_map(value)
}

#[cfg(test)]
mod tests {
    use super::value_of;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "MemTotalish:  1 kB\nMemTotal:       8 kB\nmodel name\t: A: B\n";
        assert_eq!(value_of(text, "MemTotal"), Some("8 kB"));
        assert_eq!(value_of(text, "model name"), Some("A: B"));
        assert_eq!(value_of(text, "Mem"), None);
    }
}
