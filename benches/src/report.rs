//! How are the figures shown?
//!
//! The one place that writes to the standard streams.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;

use crate::Outcome;

/// Between these lines the document has the table.
const BEGIN: &str = "<!-- figures: written by `cargo run --release -p groundrun-bench -- --markdown` -->";
const END: &str = "<!-- end of figures -->";

const HEADINGS: [&str; 5] = ["figure", "groundrun", "peer", "against the peer", "target"];

/// How to read the figures.
const READING: &str = "Both of a row were measured in turn on the same machine: what one is against the \
                       other carries to other machines, the absolute figures do not.";

/// A line of the table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) figure: String,
    /// What groundrun needed.
    pub(crate) ours: String,
    /// What the peer needed, and which it is.
    pub(crate) peer: String,
    /// One against the other.
    pub(crate) against: String,
    /// What was promised, and whether it is kept.
    pub(crate) target: String,
}

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: String,
    rows: Vec<Row>,
}

impl Report {
    /// A report from a machine.
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, rows: Vec::new() }
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes the table into docs/performance.md, in the place of the last one.
    ///
    /// # Errors
    /// The document is not there, or has no place for it.
    pub(crate) fn write_markdown(&self) -> Outcome<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
        let table = format!("Machine: {}.\n\n{}", self.machine, markdown(&self.rows));
        let document = replace(&std::fs::read_to_string(&path)?, &table);
        std::fs::write(&path, document.ok_or("docs/performance.md has lost the lines around the figures")?)?;
        Ok(())
    }
}

/// A target that a figure must stay under, and whether it does.
pub(crate) fn under(value: f64, limit: f64, unit: &str) -> String {
    let kept = if value < limit { "met" } else { "MISSED" };
    format!("< {limit} {unit}: {kept}")
}

/// Says on standard error what goes on.
pub(crate) fn note(text: impl Display) {
    // There is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints the report.
pub(crate) fn print(report: &Report) {
    let (machine, table) = (&report.machine, aligned(&report.rows));
    let again = "Repeat with: cargo run --release -p groundrun-bench (--help says more)";
    let _ = writeln!(io::stdout().lock(), "\nMachine: {machine}\n\n{table}\n{READING}\n{again}");
}

fn cells(row: &Row) -> [&str; 5] {
    [&row.figure, &row.ours, &row.peer, &row.against, &row.target]
}

/// The table for a terminal.
fn aligned(rows: &[Row]) -> String {
    let lines: Vec<[&str; 5]> = std::iter::once(HEADINGS).chain(rows.iter().map(cells)).collect();
    let mut widths = [0; 5];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The table for the document.
fn markdown(rows: &[Row]) -> String {
    let line = |cells: [&str; 5]| format!("| {} |\n", cells.join(" | "));
    let body: String = rows.iter().map(cells).map(line).collect();
    format!("{}{}{body}", line(HEADINGS), line(["---"; 5]))
}

/// `document` with `table` between the two lines.
fn replace(document: &str, table: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(figure: &str, ours: &str) -> Row {
        Row { figure: figure.to_owned(), ours: ours.to_owned(), ..Row::default() }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = aligned(&[row("a µ that is long", "1"), row("b", "22")]);
        let column = |line: &str, what| line.split_once(what).map(|(left, _)| left.chars().count());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(column(lines[0], "groundrun"), Some(18));
        assert_eq!(column(lines[1], "1"), Some(18));
        assert_eq!(lines[2], "b                 22");
    }

    #[test]
    fn a_new_table_takes_the_place_of_the_old_one() {
        let document = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let table = markdown(&[row("f", "1")]);
        let new = replace(&document, &table).unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n{table}{END}\nb\n"));
        assert_eq!(replace(&new, &table).unwrap(), new);
        assert!(table.ends_with("\n| f | 1 |  |  |  |\n"));
        assert_eq!(replace("a", &table), None);
    }

    #[test]
    fn a_target_is_kept_only_below_its_limit() {
        assert_eq!(under(39.9, 40.0, "ms"), "< 40 ms: met");
        assert_eq!(under(40.0, 40.0, "ms"), "< 40 ms: MISSED");
        assert_eq!(under(f64::NAN, 0.5, "s"), "< 0.5 s: MISSED");
    }
}
