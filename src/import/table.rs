//! CSV files: rows under named columns. Rows may be longer or shorter than the first line, which names the columns.

use zeroize::Zeroizing;

/// Columns beyond this are no export's.
const MAX_COLUMNS: usize = 256;

/// A CSV file. Names are kept in lower case.
pub(crate) struct Table {
    names: Vec<String>,
    rows: Vec<Row>,
}

/// One row and the line on which it begins.
pub(crate) struct Row {
    /// From 1, the names' line included, as an editor counts.
    pub(crate) line: u64,
    cells: Vec<Zeroizing<String>>,
}

impl Table {
    /// Reads one; none if the text can't be CSV.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(true)
            .from_reader(bytes);
        let names: Vec<String> = reader
            .headers()
            .ok()?
            .iter()
            .map(|name| name.trim().trim_start_matches('\u{feff}').to_lowercase())
            .collect();
        if names.is_empty() || names.len() > MAX_COLUMNS {
            return None;
        }
        let mut rows = Vec::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).ok()? {
            rows.push(Row {
                line: record.position().map_or(0, csv::Position::line),
                cells: record
                    .iter()
                    .map(|cell| Zeroizing::new(cell.to_owned()))
                    .collect(),
            });
        }
        Some(Self { names, rows })
    }

    /// Whether there is a column of each of these names.
    pub(crate) fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.column(name).is_some())
    }

    /// Where a column is.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The names of the columns, in lower case.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// All rows.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The cell of the first of these columns that has something in it.
    pub(crate) fn cell<'a>(&self, row: &'a Row, names: &[&str]) -> Option<&'a str> {
        let mut cells = names
            .iter()
            .filter_map(|name| row.cell(self.column(name)?))
            .filter(|cell| !cell.trim().is_empty());
        cells.next()
    }
}

impl Row {
    /// A cell by its place, from 0.
    pub(crate) fn cell(&self, column: usize) -> Option<&str> {
        self.cells.get(column).map(|cell| cell.as_str())
    }

    /// All cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|cell| cell.as_str())
    }
}
