//! How does a table look in a terminal and in the document?

/// A table of text.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// What it shows; nothing, if the section says it.
    pub(crate) title: String,
    /// What stands above the columns.
    pub(crate) headings: Vec<String>,
    /// The lines, each as long as the headings.
    pub(crate) rows: Vec<Vec<String>>,
}

/// The table for a terminal.
pub(super) fn aligned(table: &Table) -> String {
    let lines = || std::iter::once(&table.headings).chain(&table.rows);
    let mut widths = vec![0; table.headings.len()];
    for line in lines() {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = if table.title.is_empty() { String::new() } else { format!("{}\n\n", table.title) };
    for line in lines() {
        let padded = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The table for the document.
pub(super) fn markdown(table: &Table) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let title = if table.title.is_empty() { String::new() } else { format!("{}\n\n", table.title) };
    let rule = vec!["---".to_owned(); table.headings.len()];
    let body: String = table.rows.iter().map(|cells| line(cells)).collect();
    format!("{title}{}{}{body}", line(&table.headings), line(&rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Table {
        let owned = |cells: &[&str; 2]| cells.map(str::to_owned).to_vec();
        let rows = rows.iter().map(owned).collect();
        Table { title: String::new(), headings: owned(&["figure", "groundrun"]), rows }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = aligned(&table(&[["a µ that is long", "1"], ["b", "22"]]));
        let column = |line: &str, what| line.split_once(what).map(|(left, _)| left.chars().count());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(column(lines[0], "groundrun"), Some(18));
        assert_eq!(column(lines[1], "1"), Some(18));
        assert_eq!(lines[2], "b                 22");
    }

    #[test]
    fn the_document_has_one_line_for_each_row() {
        let mut table = table(&[["f", "1"]]);
        assert_eq!(markdown(&table), "| figure | groundrun |\n| --- | --- |\n| f | 1 |\n");
        table.title = "Title".to_owned();
        assert!(markdown(&table).starts_with("Title\n\n| figure"));
    }
}
