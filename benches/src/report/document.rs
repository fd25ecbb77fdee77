//! How do the figures get into the documentation?

use std::path::{Path, PathBuf};

use super::{Report, chart, table};
use crate::Outcome;

/// Between these lines the document has the tables.
const BEGIN: &str = "<!-- figures: written by `cargo run --release -p groundrun-bench -- --markdown` -->";
const END: &str = "<!-- end of figures -->";

/// Where the document shows the picture.
const PICTURE: &str = "\n![Processor time a request, times that of a byte relay](performance.svg)\n";

impl Report {
    /// Writes the tables into docs/performance.md, in the place of the last ones, and draws
    /// docs/performance.svg.
    ///
    /// # Errors
    /// The document is not there, or has no place for them.
    pub(crate) fn write_markdown(&self) -> Outcome<()> {
        let path = docs().join("performance.md");
        let document = replace(&std::fs::read_to_string(&path)?, &self.markdown());
        std::fs::write(&path, document.ok_or("docs/performance.md has lost the lines around the figures")?)?;
        self.draw(&docs().join("performance.svg"))
    }

    /// Draws the picture.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn draw(&self, file: &Path) -> Outcome<()> {
        if self.charts.is_empty() { Ok(()) } else { Ok(std::fs::write(file, chart::svg(&self.charts))?) }
    }

    fn markdown(&self) -> String {
        let mut text = format!("Machine: {}.\n", self.machine);
        if !self.charts.is_empty() {
            text.push_str(PICTURE);
        }
        for section in &self.sections {
            let mut title = section.title.clone();
            if let Some(first) = title.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            text.push_str(&format!("\n### {title}\n\n{}", section.tables(table::markdown)));
            for sentence in &section.notes {
                text.push_str(&format!("\n{sentence}\n"));
            }
        }
        text
    }
}

/// The documents of the repository.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// `document` with `tables` between the two lines.
fn replace(document: &str, tables: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Row;

    #[test]
    fn new_tables_take_the_place_of_the_old_ones() {
        let document = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let mut report = Report::new("m".to_owned());
        report.section("part");
        let (figure, ours) = ("f".to_owned(), "1".to_owned());
        report.add(Row { figure, ours, ..Row::default() });
        report.remark("Mind this.");
        let tables = report.markdown();
        let new = replace(&document, &tables).unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n{tables}{END}\nb\n"));
        assert_eq!(replace(&new, &tables).unwrap(), new);
        assert!(
            tables.contains("### Part\n\n| figure | groundrun |\n| --- | --- |\n| f | 1 |\n\nMind this.\n")
        );
        assert_eq!(replace("a", &tables), None);
    }

    #[test]
    fn the_document_has_a_place_for_the_figures() {
        let document = std::fs::read_to_string(docs().join("performance.md")).unwrap();
        assert!(replace(&document, "").is_some());
    }
}
