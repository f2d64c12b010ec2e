//! A sheet to print and to lay into a safe: a page of HTML with a QR code for each account.
//!
//! It asks nobody for anything: no script, no font, no picture from elsewhere, and a policy in its head that forbids them. All
//! text is escaped.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use crate::account::{Account, key_uri};
use crate::base32;
use crate::clock::UnixTime;
use crate::export::can::{Can, Tags};
use crate::export::format::{Sealing, Shape, Target};
use crate::export::loss::too_long_to_draw;
use crate::export::words::hex_secret;
use crate::export::{ExportError, Form, Output};
use crate::otp::Scheme;
use crate::qr::Drawing;
use crate::secret::{Secret, SecretText};

pub(super) const TARGET: Target = Target {
    id: "sheet",
    app: "paper",
    also: &["html", "paper", "print"],
    writes: "a page of HTML to print, with a QR code for each account",
    sealing: Sealing::Never,
    shape: Shape::Text,
    can: Can {
        t0: true,
        tags: Tags::All,
        favorite: false,
        trash: false,
        image: false,
        serial_number: true,
        ..Can::ALL
    },
    read_by: None,
    unread: &[],
    how: "\
1. vmfa export --to sheet --plaintext --out sheet.html
2. Open it in a browser and print it, on A4 or Letter. A printer that keeps what it printed keeps the secrets.
3. Erase the file: its secrets are in clear. Lay the paper into a safe.
To come back: scan the codes with any authenticator, or with `vmfa add` from a photograph.",
    fits: Some(|account| too_long_to_draw(&key_uri::write(account))),
    write,
};

const STYLE: &str = "\
@page{margin:14mm}\
*{box-sizing:border-box}\
body{font:10.5pt/1.35 system-ui,'Helvetica Neue',Arial,sans-serif;color:#000;background:#fff;margin:0 auto;max-width:182mm;padding:4mm 0}\
h1{font-size:15pt;margin:0 0 1mm}\
p{margin:0 0 4mm}\
article{display:flex;gap:6mm;align-items:flex-start;border-top:.3mm solid #000;padding:4mm 0;break-inside:avoid;page-break-inside:avoid}\
figure{margin:0;flex:0 0 44mm}\
svg{display:block;width:44mm;height:44mm}\
h2{font-size:12pt;margin:0 0 2mm;overflow-wrap:anywhere}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.6mm 3mm;margin:0}\
dt{color:#444}\
dd{margin:0;overflow-wrap:anywhere}\
code{font:9.5pt/1.4 ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;overflow-wrap:anywhere}\
@media screen{body{padding:8mm}}";

fn write(accounts: &[Account], _: Form<'_>, now: UnixTime) -> Result<Output, ExportError> {
    let cards: Vec<Zeroizing<String>> = accounts
        .iter()
        .map(card)
        .collect::<Result<_, ExportError>>()?;
    let len: usize = cards.iter().map(|card| card.len()).sum();
    let mut page = Zeroizing::new(String::with_capacity(len + STYLE.len() + 2048));
    let count = match accounts.len() {
        1 => "1 account".to_owned(),
        many => format!("{many} accounts"),
    };
    let today = date(now.secs());
    page.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n",
    );
    for part in [
        "<title>vmfa, ",
        &count,
        ", ",
        &today,
        "</title>\n<style>",
        STYLE,
        "</style>\n</head>\n<body>\n<h1>Authenticator secrets</h1>\n<p>",
        &count,
        ", printed by vmfa on ",
        &today,
        ". Whoever has this paper has the codes: keep it in a safe.</p>\n",
    ] {
        page.push_str(part);
    }
    for card in &cards {
        page.push_str(card);
    }
    page.push_str("</body>\n</html>\n");
    let bytes = std::mem::take(&mut *page).into_bytes();
    Ok(Output::File(Secret::new(bytes)))
}

fn card(account: &Account) -> Result<Zeroizing<String>, ExportError> {
    let summary = &account.summary;
    let svg = Drawing::new(&key_uri::write(account))?.svg();
    let secret = grouped(account);
    let words = summary.label().len() * 3
        + summary.note.len()
        + summary.tags.iter().map(|tag| tag.len() + 2).sum::<usize>();
    let mut card = Zeroizing::new(String::with_capacity(
        svg.expose().len() + secret.expose().len() + words * 6 + 4096,
    ));
    card.push_str("<article>\n<figure>");
    card.push_str(svg.expose().trim_end());
    card.push_str("</figure>\n<div>\n<h2>");
    escape_into(&summary.label(), &mut card);
    card.push_str("</h2>\n<dl>\n");
    let scheme = &summary.scheme;
    let mut kind = format!(
        "{}, {}, {} digits",
        scheme.name(),
        scheme.algorithm_name(),
        scheme.digits()
    );
    if let Some(period) = scheme.period() {
        let _ = write!(kind, ", {period} s");
    }
    let serial_number = summary.serial_number.as_deref().unwrap_or_default();
    let steps = match scheme.t0() {
        0 => String::new(),
        t0 => format!("{t0} s after 1970"),
    };
    let counter = summary.counter.map_or(String::new(), |counter| {
        format!("{counter} (the next one on this day)")
    });
    let added = date(summary.added);
    let id = summary.id.to_string();
    let pin = account.pin.as_ref().map_or("", |pin| pin.expose());
    let tags = summary.tags.join(", ");
    let rows = [
        ("Issuer", summary.issuer.as_str()),
        ("Account", &summary.name),
        (
            "Label prefix",
            summary.label_issuer.as_deref().unwrap_or_default(),
        ),
        ("AWS serial number", serial_number),
        ("AWS account", aws_account(serial_number)),
        ("Type", &kind),
        ("Next counter", &counter),
        ("Steps from", &steps),
        ("PIN", pin),
        ("Tags", &tags),
        ("Note", &summary.note),
        ("Added", &added),
        ("Id", &id),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        card.push_str("<dt>");
        card.push_str(name);
        card.push_str("</dt><dd>");
        escape_into(value, &mut card);
        card.push_str("</dd>\n");
    }
    card.push_str("<dt>Secret</dt><dd><code>");
    card.push_str(secret.expose());
    card.push_str("</code></dd>\n</dl>\n</div>\n</article>\n");
    Ok(card)
}

/// The secret in fours, as a person types it.
fn grouped(account: &Account) -> SecretText {
    let text = match account.summary.scheme {
        Scheme::Motp => hex_secret(account),
        Scheme::Totp(_) | Scheme::Hotp(_) | Scheme::Steam | Scheme::Yandex => {
            base32::encode(&account.secret)
        }
    };
    let mut groups = String::with_capacity(text.expose().len() * 5 / 4 + 4);
    for (index, character) in text.expose().chars().enumerate() {
        if index > 0 && index % 4 == 0 {
            groups.push(' ');
        }
        groups.push(character);
    }
    SecretText::new(groups)
}

/// The account number in `arn:aws:iam::123456789012:mfa/alice`.
fn aws_account(serial_number: &str) -> &str {
    let account = serial_number.split(':').nth(4).unwrap_or_default();
    let is_number = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { account } else { "" }
}

/// A text between tags: nothing in it that HTML takes for its own.
fn escape_into(text: &str, into: &mut String) {
    for character in text.chars() {
        match character {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\'' => into.push_str("&#39;"),
            other => into.push(other),
        }
    }
}

/// The day of a moment, in UTC, as ISO 8601 writes it: from days since 1970 to the Gregorian calendar, in eras of 400 years
/// that begin in March, so that the leap day is the last of its year.
fn date(secs: u64) -> String {
    let days = secs / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_calendars() {
        for (secs, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_700_000_000, "2023-11-14"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(secs), day);
        }
    }

    #[test]
    fn text_is_never_markup() {
        let mut out = String::new();
        escape_into("<b>\"a\" & 'b'</b>", &mut out);
        assert_eq!(out, "&lt;b&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/b&gt;");
    }

    #[test]
    fn an_aws_account_is_read_off_its_serial_number() {
        assert_eq!(
            aws_account("arn:aws:iam::123456789012:mfa/alice"),
            "123456789012"
        );
        assert_eq!(aws_account("GAHT12345678"), "");
    }
}
