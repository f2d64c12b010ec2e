//! How the list looks: texts out, and nothing else.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;
use vmfa::account::Summary;
use vmfa::account::query::aws_account_id;
use vmfa::account::text::clean;

use crate::fuzzy::Marks;

/// From the first line on, everything is gone.
pub(super) const GONE: &str = "\r\x1b[J\x1b[?25h";

const ASKED: &str = "Which account? ";
const MARKED: &str = "\x1b[1;4m";
const FAINT: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// All lines, drawn from where the cursor is; it returns to the end of the query in the first one. What is too long for a
/// line is cut by the terminal rather than wrapped. What was there is erased before: behind a line that is full, the cursor
/// stands on its last character, and would erase that.
pub(super) fn frame(lines: &[String], query: &str, columns: usize) -> String {
    let mut text = "\x1b[?25l\x1b[?7l\r\x1b[J".to_owned();
    text.push_str(&lines.join("\r\n"));
    text.push_str("\x1b[?7h\r");
    if lines.len() > 1 {
        text.push_str(&format!("\x1b[{}A", lines.len() - 1));
    }
    let column = typed(query, columns).width().min(columns.saturating_sub(1));
    if column > 0 {
        text.push_str(&format!("\x1b[{column}C"));
    }
    text.push_str("\x1b[?25h");
    text
}

/// The question and as much of the query's end as there is room for.
fn typed(query: &str, columns: usize) -> String {
    let whole = format!("{ASKED}{}", clean(query));
    if whole.width() < columns {
        return whole;
    }
    let mut end: Vec<&str> = Vec::new();
    let mut width = 0;
    for grapheme in whole.graphemes(true).rev() {
        width += grapheme.width();
        if width + 1 > columns {
            break;
        }
        end.push(grapheme);
    }
    end.into_iter().rev().collect()
}

/// The line of the query, and how many were found if there is room to say it.
pub(super) fn head(query: &str, counts: &str, columns: usize) -> String {
    let typed = typed(query, columns);
    let room = columns.saturating_sub(typed.width() + 1);
    if counts.len() + 2 > room {
        return typed;
    }
    let gap = " ".repeat(room - counts.len());
    format!("{typed}{gap}{FAINT}{counts}{PLAIN}")
}

/// A row: issuer, account name, tags, AWS account ID; what the query meant is in bold and underlined.
pub(super) fn row(summary: &Summary, marks: &Marks, is_selected: bool, columns: usize) -> String {
    let mut row = Row {
        text: if is_selected { "> " } else { "  " }.to_owned(),
        room: columns.saturating_sub(2),
        is_full: false,
    };
    if columns < 3 {
        return row.text[..columns.min(2)].to_owned();
    }
    row.push(&summary.issuer, &marks.issuer);
    if !summary.issuer.is_empty() && !summary.name.is_empty() {
        row.push(": ", &[]);
    }
    row.push(&summary.name, &marks.name);
    for (tag, marks) in summary.tags.iter().zip(&marks.tags) {
        row.push("  #", &[]);
        row.push(tag, marks);
    }
    // The name says it already where the console made it.
    if let Some(id) = aws_account_id(summary).filter(|id| !summary.name.ends_with(id)) {
        row.push("  ", &[]);
        row.push(id, &marks.aws_account);
    }
    row.text
}

/// A line that is filled until it is full.
struct Row {
    text: String,
    room: usize,
    is_full: bool,
}

impl Row {
    fn push(&mut self, text: &str, marks: &[usize]) {
        let text = clean(text);
        // The last column is kept for the sign that something was cut.
        for (number, grapheme) in text.graphemes(true).enumerate() {
            if self.is_full {
                return;
            }
            let width = grapheme.width();
            if width + 1 > self.room {
                self.text.push('…');
                self.is_full = true;
                return;
            }
            self.room -= width;
            if marks.binary_search(&number).is_ok() {
                self.text.push_str(&format!("{MARKED}{grapheme}{PLAIN}"));
            } else {
                self.text.push_str(grapheme);
            }
        }
    }
}
