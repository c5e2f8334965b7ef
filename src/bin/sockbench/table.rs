//! A table that reads as well on a terminal as in Markdown.

use std::fmt;

pub struct Table {
    /// The titles, then the rows.
    lines: Vec<Vec<String>>,
}

impl Table {
    pub fn new(titles: impl IntoIterator<Item = impl Into<String>>) -> Table {
        Table { lines: vec![titles.into_iter().map(Into::into).collect()] }
    }

    pub fn add(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or_default()
                .max(3)
        };
        let widths: Vec<usize> = (0..self.lines[0].len()).map(width).collect();
        for (n, line) in self.lines.iter().enumerate() {
            write!(f, "| {:1$} |", line[0], widths[0])?;
            for (cell, width) in line.iter().zip(&widths).skip(1) {
                write!(f, " {cell:>width$} |")?;
            }
            writeln!(f)?;
            if n == 0 {
                write!(f, "| {} |", "-".repeat(widths[0]))?;
                for width in &widths[1..] {
                    write!(f, " {}: |", "-".repeat(width - 1))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
