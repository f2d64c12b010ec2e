//! The pair, large, with what to type where.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use vmfa::account::Summary;
use vmfa::clock::UnixTime;
use vmfa::otp::{Code, Pair};

use super::cell::grouped;
use super::wrapped;
use crate::command::add::is_aws;
use crate::command::named;
use crate::tui::big;
use crate::tui::board::left;
use crate::tui::theme::Theme;

/// The lines of the dialog within so much room.
pub(super) fn lines<'a>(
    theme: &Theme,
    summary: &Summary,
    pair: Option<&Pair>,
    now: UnixTime,
    room: Rect,
) -> Vec<Line<'a>> {
    let width = usize::from(room.width);
    let mut lines = vec![Line::styled(named(summary), theme.heading)];
    let Some(pair) = pair else {
        lines.push(Line::styled("…", theme.text));
        return lines;
    };
    let (what, labels) = if is_aws(summary) {
        (
            "Type these under \"Set up device\" in the AWS console, in this order, now:",
            ["MFA code 1", "MFA code 2"],
        )
    } else {
        ("Type these two in this order, now:", ["first", "second"])
    };
    let said = wrapped(what, width);
    let foot = foot(pair, now, width);
    let codes = [&pair.first, &pair.second];
    let texts = codes.map(|code: &Code| grouped(code.as_str()));
    // Large where there is room for it: each code with its name above it.
    let large = texts.iter().map(|text| big::width(text)).max().unwrap_or(0);
    let wanted = lines.len() + said.len() + 2 * (big::HEIGHT + 2) + foot.len();
    lines.extend(said.into_iter().map(|line| Line::styled(line, theme.text)));
    if large <= width && wanted <= usize::from(room.height) {
        for (label, text) in labels.into_iter().zip(&texts) {
            lines.push(Line::default());
            // Beside the large one as text, for whoever reads by ear or copies with the mouse.
            lines.push(Line::from(vec![
                Span::styled(format!("{label}   "), theme.faint),
                Span::styled(text.clone(), theme.code),
            ]));
            lines.extend(
                big::big(text)
                    .into_iter()
                    .map(|row| Line::styled(row, theme.code)),
            );
        }
    } else {
        for (label, text) in labels.into_iter().zip(&texts) {
            lines.push(Line::from(vec![
                Span::styled(format!("{label:<10}  "), theme.faint),
                Span::styled(text.clone(), theme.code),
            ]));
        }
    }
    lines.extend(foot.into_iter().map(|line| Line::styled(line, theme.faint)));
    lines
}

/// How long there is, and what to do when it was too long.
fn foot(pair: &Pair, now: UnixTime, width: usize) -> Vec<String> {
    let text = match pair.second.window() {
        Some((_, until)) if now < until => {
            format!("{} s left; r: two new ones, Esc: back", left(now, until))
        }
        Some(_) | None => "too old by now; r: two new ones, Esc: back".to_owned(),
    };
    wrapped(&text, width)
}
