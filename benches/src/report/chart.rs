//! How is a picture of the figures drawn?
//!
//! Bars, as plain SVG: a group for each case, a bar for each contestant.

use std::fmt::Write as _;

/// A picture of bars.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// What it shows, and in which unit.
    pub(crate) title: String,
    /// The cases.
    pub(crate) groups: Vec<Group>,
}

/// A case.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Which.
    pub(crate) label: String,
    /// Those that were measured.
    pub(crate) bars: Vec<Bar>,
}

/// One of those that were measured.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// Who.
    pub(crate) label: String,
    /// How much; NaN draws nothing.
    pub(crate) value: f64,
    /// Whether it is what the document is about.
    pub(crate) ours: bool,
}

/// Lengths in pixels.
const WIDTH: f64 = 860.0;
const MARGIN: f64 = 20.0;
const LABELS: f64 = 230.0;
const VALUES: f64 = 60.0;
const BAR: f64 = 16.0;
const LINE: f64 = 22.0;
const TITLE: f64 = 40.0;
const GROUP: f64 = 34.0;

/// Text and paper that can be read by day and by night.
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}\
                     .group{font-weight:600}.value{font-size:12px}.paper{fill:#fff}.bar{fill:#afb8c1}\
                     .ours{fill:#1a7f37}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}\
                     .bar{fill:#57606a}.ours{fill:#3fb950}}";

/// The charts below each other.
pub(super) fn svg(charts: &[Chart]) -> String {
    let mut drawn = String::new();
    let mut y = MARGIN;
    for chart in charts {
        y = draw(&mut drawn, chart, y);
    }
    let height = y + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{drawn}</svg>\n"
    )
}

/// Draws a chart from `y` on, and says where it ends. All its bars have one scale.
fn draw(to: &mut String, chart: &Chart, mut y: f64) -> f64 {
    let values = chart.groups.iter().flat_map(|group| &group.bars).map(|bar| bar.value);
    let largest = values.filter(|value| value.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - 2.0 * MARGIN - LABELS - VALUES) / largest;
    text(to, "title", MARGIN, y + 16.0, &chart.title);
    y += TITLE;
    for group in &chart.groups {
        text(to, "group", MARGIN, y + 12.0, &group.label);
        y += GROUP - 12.0;
        for bar in group.bars.iter().filter(|bar| bar.value.is_finite()) {
            text(to, "label", MARGIN, y + 13.0, &bar.label);
            let (x, width) = (MARGIN + LABELS, bar.value * scale);
            let class = if bar.ours { "ours" } else { "bar" };
            // Writing to a string does not fail.
            let _ = writeln!(
                to,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
            );
            text(to, "value", x + width + 6.0, y + 12.0, &format!("{:.2}", bar.value));
            y += LINE;
        }
        y += 12.0;
    }
    y
}

fn text(to: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(to, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{escaped}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, value: f64) -> Bar {
        Bar { label: label.to_owned(), value, ours: label == "ours" }
    }

    #[test]
    fn bars_have_one_scale_and_what_was_not_measured_has_none() {
        let bars = vec![bar("ours", 1.0), bar("a & b", 2.0), bar("absent", f64::NAN)];
        let groups = vec![Group { label: "case".to_owned(), bars }];
        let drawn = svg(&[Chart { title: "a < b".to_owned(), groups }]);
        let full = WIDTH - 2.0 * MARGIN - LABELS - VALUES;
        assert!(
            drawn.contains(&format!("class=\"ours\" x=\"250\" y=\"82.0\" width=\"{:.1}\"", full / 2.0)),
            "{drawn}"
        );
        assert!(drawn.contains(&format!("width=\"{full:.1}\"")));
        assert!(drawn.contains("a &lt; b") && drawn.contains("a &amp; b") && !drawn.contains("absent"));
        assert_eq!(drawn.matches("<rect").count(), 3);
    }
}
