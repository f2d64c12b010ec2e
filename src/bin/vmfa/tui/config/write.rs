//! A configuration as a file that says it, every setting with what it means and what it usually is.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Config, LOOKS, NEVER, SORTS, STARTS};
use crate::tui::action::ACTIONS;
use crate::tui::keys::Keymap;
use crate::tui::theme::PARTS;

impl Config {
    /// The text that reads as this configuration.
    pub(crate) fn written(&self) -> String {
        let usual = Self::default();
        let mut out = String::from(
            "# How vmfa's interface looks and behaves. What is left out is as usual.\n",
        );
        let mut setting = |about: &str, name: &str, value: String, usual: String| {
            let aside = if value == usual {
                String::new()
            } else {
                format!("  # usually {usual}")
            };
            // A `String` takes all that is written to it.
            let _ = write!(out, "\n# {about}\n{name} = {value}{aside}\n");
        };
        setting(
            "\"auto\": what suits the terminal; \"16\": its own colors; \"truecolor\"; \"mono\": none, as with NO_COLOR.",
            "theme",
            word(self.look, LOOKS),
            word(usual.look, LOOKS),
        );
        setting(
            "Without a key for so long the interface locks: \"90s\", \"10m\", \"1h30m\", or \"never\".",
            "lock-after",
            time(self.lock_after),
            time(usual.lock_after),
        );
        setting(
            "A copied code leaves the clipboard after so long; \"never\": after an hour.",
            "clear-clipboard-after",
            time(self.clear_clipboard_after),
            time(usual.clear_clipboard_after),
        );
        setting(
            "Codes are hidden until they are chosen.",
            "privacy",
            self.privacy.to_string(),
            usual.privacy.to_string(),
        );
        setting(
            "\"name\", \"use\" (the most used first) or \"recent\" (the last used first). Favourites come before all.",
            "sort",
            word(self.sort, SORTS),
            word(usual.sort, SORTS),
        );
        setting(
            "Clicks and the wheel. Without, the terminal's own selection works as everywhere.",
            "mouse",
            self.mouse.to_string(),
            usual.mouse.to_string(),
        );
        setting(
            "\"list\", or \"search\": what is typed first is searched for.",
            "start",
            word(self.start, STARTS),
            word(usual.start, STARTS),
        );
        setting(
            "`vmfa` alone opens the plain mode, line by line, as `vmfa --plain` does.",
            "plain",
            self.plain.to_string(),
            usual.plain.to_string(),
        );
        setting(
            "The next code is shown too from so many seconds before its time, 0 to 60; 0: never.",
            "next-code-from",
            self.next_code_from.to_string(),
            usual.next_code_from.to_string(),
        );
        self.write_colors(&mut out);
        self.write_keys(&mut out, &usual.keymap);
        out
    }

    fn write_colors(&self, out: &mut String) {
        out.push_str(
            "\n# A color of the terminal (red, bright-blue, default) or #rrggbb, and bold, dim, underline, reverse:\n\
             # code = \"bright-blue bold\". What isn't named is as in the theme.\n[colors]\n",
        );
        for (part, about) in PARTS {
            let said = self.colors.iter().find(|(name, _)| name == part);
            let _ = match said {
                Some((_, paint)) => writeln!(out, "{part} = \"{}\"  #{about}", paint.written()),
                None => writeln!(out, "# {part} = \"…\"  #{about}"),
            };
        }
    }

    fn write_keys(&self, out: &mut String, usual: &Keymap) {
        out.push_str(
            "\n# A key or a list of keys, [] for none: \"G\", \"?\", \"space\", \"enter\", \"f1\", \"ctrl-f\", \"alt-x\".\n\
             # A key that is given here is taken from the action that usually has it.\n[keys]\n",
        );
        for row in ACTIONS {
            let (value, as_usual) = (keys(&self.keymap, row.action), keys(usual, row.action));
            let aside = if value == as_usual {
                String::new()
            } else {
                format!("; usually {as_usual}")
            };
            let _ = writeln!(out, "{} = {value}  # {}{aside}", row.name, row.help);
        }
    }
}

fn word<T: PartialEq>(value: T, words: &[(&str, T)]) -> String {
    let known = words.iter().find(|(_, meant)| *meant == value);
    format!("\"{}\"", known.map_or("", |(word, _)| word))
}

fn time(value: Option<Duration>) -> String {
    let Some(value) = value else {
        return format!("\"{NEVER}\"");
    };
    let mut rest = value.as_secs();
    let mut text = String::new();
    for (unit, seconds) in [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
        if rest >= seconds {
            let _ = write!(text, "{}{unit}", rest / seconds);
            rest %= seconds;
        }
    }
    format!("\"{text}\"")
}

fn keys(keymap: &Keymap, action: crate::tui::action::Action) -> String {
    // The keys that TOML would take for something else.
    let quoted = |text: String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let keys: Vec<String> = keymap
        .keys(action)
        .map(|key| quoted(key.written()))
        .collect();
    match keys.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
