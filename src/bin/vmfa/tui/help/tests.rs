use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::text::Text;
use ratatui::widgets::Paragraph;

use super::*;
use crate::tui::theme::Kind;

fn theme() -> Theme {
    Theme::new(Kind::Mono, &[])
}

/// The help and the hints as a terminal of this size shows them.
fn shown(width: u16, height: u16, scroll: usize) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    let (columns, lines) = (usize::from(width), usize::from(height));
    let keymap = Keymap::default();
    let page = help(&keymap, &theme(), columns, lines - 1, scroll);
    let actions: Vec<Action> = ACTIONS.iter().map(|row| row.action).collect();
    let mut text = Text::from(page.lines);
    text.lines.resize(lines - 1, Line::default());
    text.lines.push(hints(&keymap, &theme(), columns, &actions));
    terminal
        .draw(|frame| frame.render_widget(Paragraph::new(text), frame.area()))
        .expect("drawn");
    terminal.backend().to_string()
}

#[test]
fn help_and_hints_fit_a_small_terminal() {
    insta::assert_snapshot!(shown(40, 10, 0));
}

#[test]
fn help_is_scrolled() {
    insta::assert_snapshot!(shown(40, 10, 12));
    let last = help(&Keymap::default(), &theme(), 40, 9, 0).last;
    assert_eq!(shown(40, 10, last), shown(40, 10, usize::MAX));
    assert_ne!(shown(40, 10, last), shown(40, 10, last - 1));
}

#[test]
fn help_and_hints_fit_the_usual_terminal() {
    insta::assert_snapshot!(shown(80, 24, 0));
}

#[test]
fn help_and_hints_use_a_large_terminal() {
    insta::assert_snapshot!(shown(200, 60, 0));
    assert_eq!(help(&Keymap::default(), &theme(), 200, 59, 0).last, 0);
}

#[test]
fn no_line_is_wider_than_the_area_and_every_help_is_there() {
    let keymap = Keymap::default();
    for width in [24, 30, 40, 80, 131, 132, 200] {
        let page = help(&keymap, &theme(), width, 500, 0);
        let lines: Vec<String> = page.lines.iter().map(ToString::to_string).collect();
        for line in &lines {
            assert!(line.width() <= width, "{width}: {line:?}");
        }
        let words = |text: &str| text.split_whitespace().count();
        let told: usize = lines.iter().map(|line| words(line)).sum();
        let keys: usize = ACTIONS
            .iter()
            .map(|row| keymap.keys(row.action).count())
            .sum();
        let helps: usize = ACTIONS.iter().map(|row| words(row.help)).sum();
        assert_eq!(told, keys + helps + GROUPS.len(), "{width}");
    }
    // However small: something is given, and nothing fails.
    for (width, height) in [(0, 0), (0, 5), (1, 1), (5, 0)] {
        assert!(help(&keymap, &theme(), width, height, 3).lines.len() <= height);
    }
}

#[test]
fn what_has_no_key_is_not_told() {
    let keymap = Keymap::of(&[(Action::Qr, vec![])]).expect("a keymap");
    let page = help(&keymap, &theme(), 80, 500, 0);
    let all: String = page.lines.iter().map(ToString::to_string).collect();
    assert!(!all.contains("QR code"), "{all}");
    let line = hints(&keymap, &theme(), 80, &[Action::Qr, Action::Help]);
    assert_eq!(line.to_string(), "? help");
}

#[test]
fn hints_stop_where_the_width_does() {
    let keymap = Keymap::default();
    let actions = [Action::Copy, Action::Search, Action::Help];
    let hinted = |width| hints(&keymap, &theme(), width, &actions).to_string();
    assert_eq!(hinted(80), "Enter copy  / search  ? help");
    assert_eq!(hinted(28), "Enter copy  / search  ? help");
    assert_eq!(hinted(27), "Enter copy  / search");
    assert_eq!(hinted(19), "Enter copy");
    assert_eq!(hinted(9), "");
    assert_eq!(hinted(0), "");
}
