//! How are the figures shown?
//!
//! The one place that writes to the standard streams.

mod chart;
mod document;
mod table;
mod target;

use std::fmt::Display;
use std::io::{self, Write as _};

pub(crate) use chart::{Bar, Chart, Group};
pub(crate) use table::Table;
pub(crate) use target::{at_least, at_most, under};

const HEADINGS: [&str; 5] = ["figure", "groundrun", "peer", "against the peer", "target"];

/// How to read the figures.
const READING: &str = "All of a row were measured in turn on the same machine: what one is against the \
                       other carries to other machines, the absolute figures do not.";

/// A line of the figures.
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

/// What a part found.
#[derive(Debug)]
struct Section {
    title: String,
    rows: Vec<Row>,
    tables: Vec<Table>,
    notes: Vec<String>,
}

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    machine: String,
    sections: Vec<Section>,
    charts: Vec<Chart>,
}

impl Report {
    /// A report from a machine.
    pub(crate) fn new(machine: String) -> Self {
        Self { machine, sections: Vec::new(), charts: Vec::new() }
    }

    /// Begins a section: what is added from here on belongs to it.
    pub(crate) fn section(&mut self, title: &str) {
        let (rows, tables, notes) = (Vec::new(), Vec::new(), Vec::new());
        self.sections.push(Section { title: title.to_owned(), rows, tables, notes });
    }

    /// Adds a line.
    pub(crate) fn add(&mut self, row: Row) {
        self.last().rows.push(row);
    }

    /// Adds a table of all contestants.
    pub(crate) fn table(&mut self, table: Table) {
        self.last().tables.push(table);
    }

    /// Adds a sentence: what was left out, or what a figure holds only under.
    pub(crate) fn remark(&mut self, sentence: impl Display) {
        self.last().notes.push(sentence.to_string());
    }

    /// Adds a picture.
    pub(crate) fn chart(&mut self, chart: Chart) {
        self.charts.push(chart);
    }

    fn last(&mut self) -> &mut Section {
        if self.sections.is_empty() {
            self.section("figures");
        }
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }
}

impl Section {
    /// The figures of the section as a table; columns in which nothing stands are left out.
    fn figures(&self) -> Option<Table> {
        if self.rows.is_empty() {
            return None;
        }
        let cells =
            |row: &Row| [&row.figure, &row.ours, &row.peer, &row.against, &row.target].map(Clone::clone);
        let lines: Vec<[String; 5]> = self.rows.iter().map(cells).collect();
        let used: Vec<usize> = (0..5)
            .filter(|column| *column == 0 || lines.iter().any(|line| !line[*column].is_empty()))
            .collect();
        let pick = |line: &[String; 5]| used.iter().map(|column| line[*column].clone()).collect();
        Some(Table {
            title: String::new(),
            headings: pick(&HEADINGS.map(str::to_owned)),
            rows: lines.iter().map(pick).collect(),
        })
    }

    /// All tables of the section, each written by `write`.
    fn tables(&self, write: impl Fn(&Table) -> String) -> String {
        let figures = self.figures();
        let tables = figures.iter().chain(&self.tables).map(write);
        tables.collect::<Vec<_>>().join("\n")
    }
}

/// Says on standard error what goes on.
pub(crate) fn note(text: impl Display) {
    // There is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints the report.
pub(crate) fn print(report: &Report) {
    let mut text = format!("\nMachine: {}\n", report.machine);
    for section in &report.sections {
        text.push_str(&format!("\n{}\n\n{}", section.title.to_uppercase(), section.tables(table::aligned)));
        for sentence in &section.notes {
            text.push_str(&format!("\n{sentence}\n"));
        }
    }
    let again = "Repeat with: cargo run --release -p groundrun-bench (--help says more)";
    let _ = writeln!(io::stdout().lock(), "{text}\n{READING}\n{again}");
}
