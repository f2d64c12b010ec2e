//! A question put as a notification on the desktop.
//!
//! Source: the Desktop Notifications Specification 1.3.

use std::time::Duration;

use super::{Answer, Question};
use crate::account::text::fit;
use crate::clock::Deadline;
use crate::desktop::bus::{Bus, DRIVER, Descriptors, Lost, Unanswered};
use crate::desktop::wire::{Message, Method, Values, Variant};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// The longest texts, in bytes: what is longer would push the buttons off the screen.
const MAX_TITLE: usize = 200;
const MAX_TEXT: usize = 500;
/// How long taking the notification away may take.
const CLOSING: Duration = Duration::from_secs(1);
/// How often it is looked whether the answer is still wanted.
const GLANCE: Duration = Duration::from_millis(100);
/// A notification of this urgency comes through while others are held back, and stays until it is dealt with.
const CRITICAL: u8 = 2;
const ALLOW: &str = "allow";
const DENY: &str = "deny";

/// See [`super::ask`].
pub(super) fn ask(
    address: &str,
    question: &Question,
    within: Duration,
    is_wanted: &dyn Fn() -> bool,
) -> Answer {
    let deadline = Deadline::after(within);
    let Ok(bus) = Bus::connect(address, Descriptors::Refused, deadline) else {
        return Answer::CannotAsk;
    };
    let Ok(Some(mut desk)) = Desk::find(bus, deadline) else {
        return Answer::CannotAsk;
    };
    let Ok(id) = desk.notify(question, deadline) else {
        return Answer::CannotAsk;
    };
    let answer = desk.answer(id, deadline, is_wanted);
    // Also after an answer: not every server takes it away by itself.
    desk.close(id);
    match answer {
        Ok(answer) => answer,
        Err(Lost) => Answer::CannotAsk,
    }
}

/// A notification server that can put a question.
struct Desk {
    bus: Bus,
    /// Its unique name: only what it says is an answer.
    server: String,
    can_show_text: bool,
    reads_markup: bool,
}

impl Desk {
    fn find(mut bus: Bus, deadline: Deadline) -> Result<Option<Self>, Unanswered> {
        let mut server = bus.owner(NAME, deadline)?;
        if server.is_none() {
            bus.start(NAME, deadline)?;
            server = bus.owner(NAME, deadline)?;
        }
        let Some(server) = server else {
            return Ok(None);
        };
        let mut desk = Self {
            bus,
            server,
            can_show_text: false,
            reads_markup: false,
        };
        let answer = desk.call("GetCapabilities", &Values::default(), deadline)?;
        let capabilities = answer.values("as").and_then(|mut values| values.strings());
        let can = |what| {
            capabilities
                .as_ref()
                .is_some_and(|them| them.contains(&what))
        };
        (desk.can_show_text, desk.reads_markup) = (can("body"), can("body-markup"));
        if !can("actions") {
            return Ok(None);
        }
        let rules = [
            format!("sender='{}',interface='{NAME}'", desk.server),
            format!(
                "sender='{DRIVER}',member='NameOwnerChanged',arg0='{}'",
                desk.server
            ),
        ];
        for rule in rules {
            desk.bus
                .add_match(&format!("type='signal',{rule}"), deadline)?;
        }
        Ok(Some(desk))
    }

    fn notify(&mut self, question: &Question, deadline: Deadline) -> Result<u32, Unanswered> {
        let text = match (self.can_show_text, self.reads_markup) {
            (false, _) => String::new(),
            (true, false) => fitted(&question.text, MAX_TEXT),
            (true, true) => escaped(&fitted(&question.text, MAX_TEXT)),
        };
        let expires_ms = i32::try_from(deadline.left().as_millis()).unwrap_or(i32::MAX);
        let values = Values::default()
            .string("vmfa")
            .u32(0)
            .string("dialog-password")
            // The first line is plain text everywhere.
            .string(&fitted(&question.title, MAX_TITLE))
            .string(&text)
            // No "default" action: a click on the notification would be taken for it.
            .strings(&[ALLOW, "Allow", DENY, "Deny"])
            .options(&[("urgency", Variant::Byte(CRITICAL))])
            // 0 would mean never.
            .i32(expires_ms.max(1));
        let answer = self.call("Notify", &values, deadline)?;
        let id = answer.values("u").and_then(|mut values| values.u32());
        id.ok_or(Unanswered::Refused)
    }

    fn answer(
        &mut self,
        id: u32,
        deadline: Deadline,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Answer, Lost> {
        loop {
            // Signals that came before the notification's number was known wait in order.
            let signal = self.bus.next(Some(deadline.at_most(GLANCE)))?;
            if deadline.has_passed() && signal.is_none() || !is_wanted() {
                return Ok(Answer::No);
            }
            let Some(signal) = signal else { continue };
            if signal.sender == DRIVER && signal.is_signal(DRIVER, "NameOwnerChanged") {
                if first_string(&signal) == Some(&self.server) {
                    return Err(Lost); // The server is gone, and the question with it.
                }
            } else if signal.sender == self.server && about(&signal) == Some(id) {
                if signal.is_signal(NAME, "NotificationClosed") {
                    return Ok(Answer::No);
                }
                if signal.is_signal(NAME, "ActionInvoked") {
                    return Ok(match chosen(&signal) {
                        Some(ALLOW) => Answer::Yes,
                        Some(_) | None => Answer::No,
                    });
                }
            }
        }
    }

    fn close(&mut self, id: u32) {
        let values = Values::default().u32(id);
        let _ = self.call("CloseNotification", &values, Deadline::after(CLOSING));
    }

    fn call(
        &mut self,
        member: &str,
        values: &Values,
        deadline: Deadline,
    ) -> Result<Message, Unanswered> {
        let method = Method {
            destination: &self.server,
            path: PATH,
            interface: NAME,
            member,
        };
        self.bus.call(&method, values, deadline)
    }
}

/// Which notification a signal is about.
fn about(signal: &Message) -> Option<u32> {
    let mut values = signal.values("us").or_else(|| signal.values("uu"))?;
    values.u32()
}

fn chosen(signal: &Message) -> Option<&str> {
    let mut values = signal.values("us")?;
    values.u32()?;
    values.string()
}

fn first_string(signal: &Message) -> Option<&str> {
    signal.values("sss")?.string()
}

/// Cleaned, and at most so long; a cut shows.
fn fitted(text: &str, max: usize) -> String {
    let fitted = fit(text, max);
    if fitted.was_cut {
        format!("{}…", fitted.text)
    } else {
        fitted.text
    }
}

/// What a server would read as markup, or as the end of an attribute, as what it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_cleaned_cut_and_escaped() {
        assert_eq!(fitted("a\u{1b}[2J\u{202e}b\nc", 99), "a[2Jb c");
        assert_eq!(fitted(&"日".repeat(99), 7), "日日…");
        assert_eq!(
            escaped("<a href=\"x\">'&amp;'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&apos;&amp;amp;&apos;&lt;/a&gt;"
        );
    }
}
