//! A line of the list: its columns, and what stands in each.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr as _;
use vmfa::account::Summary;
use vmfa::account::query::aws_account_id;
use vmfa::account::text::clean;

use super::super::cell::{cell, grouped, grouped_width};
use crate::command::named;
use crate::fuzzy::Marks;
use crate::tui::board::{Board, Shown};
use crate::tui::state::State;
use crate::tui::theme::Theme;

/// A code with fewer seconds than this is nearly over.
const NEARLY_OVER: u64 = 5;
/// The bar of a countdown has so many parts.
const BAR: u64 = 8;

/// How wide each column is.
pub(super) struct Columns {
    code: usize,
    /// None where there is no room for the next code.
    next: Option<usize>,
    bar: bool,
    /// Issuer and name in one column where this is none.
    issuer: Option<usize>,
    name: usize,
    tags: usize,
    aws: usize,
}

/// What is said of a code that another program was given.
const USED: &str = "used";
const AWS_ID: usize = 12;
const LEFT: usize = 3;

impl Columns {
    pub(super) fn of(width: usize, visible: &[&Summary]) -> Self {
        let digits = visible
            .iter()
            .map(|summary| usize::from(summary.scheme.digits()));
        let code = digits.map(grouped_width).max().unwrap_or(7).max(7);
        // The mark of the chosen line, the code, the countdown.
        let mut rest = width.saturating_sub(2 + code + 1 + LEFT + 2);
        let next = (rest >= code + 1 + 16).then_some(code);
        rest -= next.map_or(0, |next| next + 1);
        let bar = rest >= 60;
        if bar {
            rest -= BAR as usize + 1;
        }
        let has_aws = visible.iter().any(|one| aws_account_id(one).is_some());
        let aws = if rest >= 56 && has_aws { AWS_ID } else { 0 };
        rest -= if aws > 0 { aws + 2 } else { 0 };
        let tags_wanted = visible.iter().map(|one| tags_width(one)).max().unwrap_or(0);
        let tags = if rest >= 48 {
            tags_wanted.min(rest / 4)
        } else {
            0
        };
        rest -= if tags > 0 { tags + 2 } else { 0 };
        let (issuer, name) = if rest >= 30 {
            let widest = |text: fn(&Summary) -> &str| {
                let all = visible.iter().map(|one| clean(text(one)).width());
                all.max().unwrap_or(0)
            };
            let (issuer, name) = (widest(|one| &one.issuer), widest(|one| &one.name));
            // Where both don't fit, the issuer has two fifths, or what the name leaves.
            let most = (rest * 2 / 5).max((rest - 2).saturating_sub(name));
            let issuer = issuer.clamp(6, most.max(6));
            // What stands behind the names stands near them.
            (Some(issuer), (rest - issuer - 2).min(name.max(12)))
        } else {
            (None, rest)
        };
        Self {
            code,
            next,
            bar,
            issuer,
            name,
            tags,
            aws,
        }
    }

    pub(super) fn heads<'a>(&self, theme: &Theme) -> Line<'a> {
        let mut text = format!("  {:<code$} ", "CODE", code = self.code);
        if let Some(next) = self.next {
            text.push_str(&format!("{:<next$} ", "NEXT"));
        }
        text.push_str(&format!("{:>LEFT$}  ", "SEC"));
        if self.bar {
            text.push_str(&" ".repeat(BAR as usize + 1));
        }
        match self.issuer {
            Some(issuer) => {
                text.push_str(&format!(
                    "{:<issuer$}  {:<name$}",
                    "ISSUER",
                    "ACCOUNT",
                    name = self.name
                ));
            }
            None => text.push_str(&format!("{:<name$}", "ACCOUNT", name = self.name)),
        }
        if self.tags > 0 {
            text.push_str(&format!("  {:<tags$}", "TAGS", tags = self.tags));
        }
        if self.aws > 0 {
            text.push_str(&format!("  {:<aws$}", "AWS ACCOUNT", aws = self.aws));
        }
        Line::styled(text, theme.faint)
    }

    pub(super) fn row<'a>(
        &self,
        state: &State,
        board: &Board,
        summary: &Summary,
        is_selected: bool,
    ) -> Line<'a> {
        let theme = &state.theme;
        let marks = board.marks(summary);
        let mut spans = vec![Span::styled(
            match (is_selected, summary.favorite) {
                (true, false) => "> ",
                (true, true) => ">*",
                (false, true) => " *",
                (false, false) => "  ",
            },
            theme.key,
        )];
        let taken = self.codes(state, board, summary, &mut spans);
        let name = self.name.saturating_sub(taken);
        self.names(theme, summary, &marks, name, &mut spans);
        if self.tags > 0 {
            spans.push(Span::raw("  "));
            spans.extend(tags(theme, summary, &marks, self.tags));
        }
        if self.aws > 0 {
            spans.push(Span::raw("  "));
            let id = aws_account_id(summary).unwrap_or_default();
            spans.extend(cell(
                id,
                &marks.aws_account,
                theme.faint,
                theme.matched,
                self.aws,
            ));
        }
        Line::from(spans)
    }

    /// The code, the next one when its time is near, the countdown; and how many columns of the name's that took.
    fn codes(
        &self,
        state: &State,
        board: &Board,
        summary: &Summary,
        spans: &mut Vec<Span<'_>>,
    ) -> usize {
        let mut is_used = false;
        let theme = &state.theme;
        let plain = |text: &str, width: usize| format!("{text:<width$} ");
        let dots = "·".repeat(usize::from(summary.scheme.digits()));
        let (code, code_style, next, left) = match board.code_of(summary, state) {
            Shown::Step {
                now,
                next,
                left,
                period,
            } => {
                let is_over = left < NEARLY_OVER;
                let style = if is_over {
                    theme.code_expiring
                } else {
                    theme.code
                };
                let near = left < u64::from(state.config.next_code_from);
                is_used = now.is_some_and(|given| given.used);
                let text = now.map_or_else(|| grouped(&dots), |given| grouped(given.code.as_str()));
                // Where another program has taken this code, the next one is the one to use.
                let next = match next.filter(|_| near || is_used) {
                    Some(next) => grouped(next.code.as_str()),
                    None => String::new(),
                };
                (text, style, next, Some((left, period)))
            }
            Shown::Single(code) => (grouped(code.as_str()), theme.code, String::new(), None),
            Shown::Counter(counter) => {
                let text = format!("#{counter}");
                (text, theme.faint, String::new(), None)
            }
            Shown::Asks => ("asks".to_owned(), theme.faint, String::new(), None),
            Shown::Hidden => {
                let hidden = "•".repeat(usize::from(summary.scheme.digits()));
                (grouped(&hidden), theme.faint, String::new(), None)
            }
            Shown::None => ("no code".to_owned(), theme.warning, String::new(), None),
        };
        // Another program has taken the code: a cross behind it, and the word where the bar is, or before the next code
        // where there is room for both.
        let word = if is_used && !self.bar { USED } else { "" };
        let cross = if is_used { "×" } else { "" };
        let rest = (self.code + 1).saturating_sub(code.width() + cross.width());
        spans.push(Span::styled(code, code_style));
        spans.push(Span::styled(cross, theme.warning));
        spans.push(Span::raw(" ".repeat(rest)));
        // Without a column of its own the next code stands behind the countdown, where the name gives way to it.
        let mut inline = String::new();
        match self.next {
            Some(width) => {
                let both = next.width() + 1 + word.width();
                let word = if next.is_empty() || both <= width {
                    word
                } else {
                    ""
                };
                let text = format!("{word} {next}");
                spans.push(Span::styled(plain(text.trim(), width), theme.code_soon));
            }
            None => inline = format!("{word} {next}").trim().to_owned(),
        }
        match left {
            Some((left, period)) => {
                let style = if left < NEARLY_OVER {
                    theme.code_expiring
                } else {
                    theme.faint
                };
                let sign = if left < NEARLY_OVER { "!" } else { " " };
                spans.push(Span::styled(format!("{left:>LEFT$}{sign} "), style));
                if self.bar && is_used {
                    let width = BAR as usize + 1;
                    spans.push(Span::styled(format!("{USED:<width$}"), theme.warning));
                } else if self.bar {
                    let full = (left * BAR).div_ceil(period.max(1)).min(BAR);
                    let bar = format!(
                        "{}{} ",
                        "━".repeat(full as usize),
                        "╌".repeat((BAR - full) as usize)
                    );
                    spans.push(Span::styled(bar, style));
                }
            }
            None => {
                let bar = if self.bar { BAR as usize + 1 } else { 0 };
                spans.push(Span::raw(" ".repeat(LEFT + 2 + bar)));
            }
        }
        if inline.is_empty() {
            return 0;
        }
        inline.push(' ');
        let width = inline.width();
        spans.push(Span::styled(inline, theme.code_soon));
        width
    }

    fn names(
        &self,
        theme: &Theme,
        summary: &Summary,
        marks: &Marks,
        name: usize,
        spans: &mut Vec<Span<'_>>,
    ) {
        if summary.issuer.is_empty() && summary.name.is_empty() {
            // A line without a word can't be told from the next one.
            let width = self.issuer.map_or(name, |issuer| issuer + 2 + name);
            let called = named(summary);
            spans.extend(cell(&called, &[], theme.faint, theme.matched, width));
            return;
        }
        if let Some(issuer) = self.issuer {
            spans.extend(cell(
                &summary.issuer,
                &marks.issuer,
                theme.issuer,
                theme.matched,
                issuer,
            ));
            spans.push(Span::raw("  "));
            spans.extend(cell(
                &summary.name,
                &marks.name,
                theme.account,
                theme.matched,
                name,
            ));
            return;
        }
        // In one column: the issuer gives way where both don't fit, but not all of it.
        let issuer_width = clean(&summary.issuer).width();
        let name_width = clean(&summary.name).width();
        let both = issuer_width + 1 + name_width;
        let issuer = if summary.name.is_empty() || summary.issuer.is_empty() {
            issuer_width.min(name)
        } else if both <= name {
            issuer_width
        } else {
            issuer_width.min((name / 2).max(name.saturating_sub(name_width + 1)))
        };
        spans.extend(cell(
            &summary.issuer,
            &marks.issuer,
            theme.issuer,
            theme.matched,
            issuer,
        ));
        let mut rest = name - issuer;
        if issuer > 0 && rest > 0 {
            spans.push(Span::styled(
                if summary.name.is_empty() { " " } else { ":" },
                theme.faint,
            ));
            rest -= 1;
        }
        spans.extend(cell(
            &summary.name,
            &marks.name,
            theme.account,
            theme.matched,
            rest,
        ));
    }
}

fn tags_width(summary: &Summary) -> usize {
    let each = summary.tags.iter().map(|tag| clean(tag).width() + 1);
    each.sum::<usize>().saturating_sub(1)
}

fn tags<'a>(theme: &Theme, summary: &Summary, marks: &Marks, width: usize) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    let mut rest = width;
    for (at, tag) in summary.tags.iter().enumerate() {
        if rest == 0 {
            break;
        }
        let wanted = clean(tag).width().min(rest);
        let marked = marks.tags.get(at).map_or(&[][..], Vec::as_slice);
        spans.extend(cell(tag, marked, theme.tag, theme.matched, wanted));
        rest -= wanted;
        if rest > 0 {
            spans.push(Span::raw(" "));
            rest -= 1;
        }
    }
    spans.push(Span::raw(" ".repeat(rest)));
    spans
}
