//! Medians with their spread, as Markdown.

use std::fmt::Write as _;

/// The middle one of several measurements, and the least and greatest.
pub(crate) struct Median {
    /// The middle.
    pub(crate) middle: f64,
    least: f64,
    greatest: f64,
}

impl Median {
    /// Of at least one number.
    pub(crate) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Self {
            middle: numbers[numbers.len() / 2],
            least: numbers[0],
            greatest: numbers[numbers.len() - 1],
        }
    }
}

/// The least number that so many percent of all are not above.
pub(crate) fn percentile(mut numbers: Vec<f64>, percent: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() * percent / 100).min(numbers.len() - 1)]
}

impl std::fmt::Display for Median {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = if self.middle >= 100.0 {
            0
        } else if self.middle >= 1.0 {
            1
        } else {
            3
        };
        write!(
            f,
            "{:.digits$} ({:.digits$}–{:.digits$})",
            self.middle, self.least, self.greatest
        )
    }
}

/// A table; every row starts with its name.
pub(crate) fn markdown(title: &str, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!(
        "\n### {title}\n\n| {} |\n|{}\n",
        header.join(" | "),
        "---|".repeat(header.len())
    );
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
