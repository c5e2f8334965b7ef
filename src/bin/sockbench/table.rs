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

    /// Numbers are flush right, words are not.
    fn is_of_numbers(&self, column: usize) -> bool {
        let is_number = |cell: &String| cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        self.lines.iter().skip(1).all(|line| is_number(&line[column]))
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
            write!(f, "|")?;
            for (column, cell) in line.iter().enumerate() {
                let width = widths[column];
                if self.is_of_numbers(column) {
                    write!(f, " {cell:>width$} |")?;
                } else {
                    write!(f, " {cell:width$} |")?;
                }
            }
            writeln!(f)?;
            if n == 0 {
                write!(f, "|")?;
                for (column, width) in widths.iter().enumerate() {
                    let end = if self.is_of_numbers(column) { ":" } else { "-" };
                    write!(f, " {}{end} |", "-".repeat(width - 1))?;
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}
