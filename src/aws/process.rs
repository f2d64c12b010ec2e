//! A session in the forms in which other programs take it.

use zeroize::Zeroizing;

use crate::aws::remote::Keys;
use crate::aws::session::Credentials;
use crate::clock::UnixTime;
use crate::secret::SecretText;

/// A shell whose words are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh, ksh.
    Posix,
    /// fish.
    Fish,
    /// PowerShell.
    PowerShell,
}

/// The variables that a session sets, as the AWS SDKs read them. The older `AWS_SECURITY_TOKEN` isn't set; it is unset, since
/// some programs prefer it.
pub fn variables(
    session: &Credentials,
    region: Option<&str>,
) -> Vec<(&'static str, Zeroizing<String>)> {
    let Keys {
        access_key_id,
        secret_access_key,
        session_token,
    } = &session.keys;
    let text = |text: &str| Zeroizing::new(text.to_owned());
    let mut all = vec![
        ("AWS_ACCESS_KEY_ID", text(access_key_id)),
        ("AWS_SECRET_ACCESS_KEY", text(secret_access_key.expose())),
        (
            "AWS_SESSION_TOKEN",
            text(session_token.as_ref().map_or("", SecretText::expose)),
        ),
        ("AWS_CREDENTIAL_EXPIRATION", text(&iso8601(session.expires))),
    ];
    if let Some(region) = region {
        all.push(("AWS_REGION", text(region)));
        all.push(("AWS_DEFAULT_REGION", text(region)));
    }
    all
}

/// What must not stand beside a session in an environment: another profile or token would win, or be mixed with it.
pub const UNSET: [&str; 4] = [
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
];

/// Lines for `eval` that put a session into a shell's environment.
pub fn exports(session: &Credentials, region: Option<&str>, shell: Shell) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(32 << 10));
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN"] {
        out.push_str(&unset_line(name, shell));
    }
    for (name, value) in variables(session, region) {
        let quoted = quoted(&value, shell);
        let (before, between) = match shell {
            Shell::Posix => ("export ", "="),
            Shell::Fish => ("set -gx ", " "),
            Shell::PowerShell => ("$Env:", " = "),
        };
        for part in [before, name, between, quoted.as_str(), "\n"] {
            out.push_str(part);
        }
    }
    out
}

/// Lines for `eval` that take a session out of a shell's environment again.
pub fn unsets(shell: Shell) -> String {
    let names = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ];
    names.iter().map(|name| unset_line(name, shell)).collect()
}

fn unset_line(name: &str, shell: Shell) -> String {
    match shell {
        Shell::Posix => format!("unset {name}\n"),
        Shell::Fish => format!("set -e {name}\n"),
        Shell::PowerShell => {
            format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n")
        }
    }
}

/// A word in single quotes. AWS's keys need none; an answer that holds something else must not become a command.
fn quoted(text: &str, shell: Shell) -> Zeroizing<String> {
    let inner = Zeroizing::new(match shell {
        Shell::Posix => text.replace('\'', "'\\''"),
        Shell::Fish => text.replace('\\', "\\\\").replace('\'', "\\'"),
        // PowerShell takes the typographic quotes for the plain one, and each stands for itself when doubled.
        Shell::PowerShell => text
            .chars()
            .flat_map(|c| {
                let is_quote = matches!(c, '\'' | '\u{2018}'..='\u{201b}');
                std::iter::repeat_n(c, if is_quote { 2 } else { 1 })
            })
            .collect(),
    });
    Zeroizing::new(format!("'{}'", *inner))
}

/// A moment in ISO 8601, in UTC, to the second.
pub fn iso8601(moment: UnixTime) -> String {
    let (days, rest) = (moment.secs() / 86_400, moment.secs() % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// The date of a day since 1970, in the Gregorian calendar: years are counted from March, so that a leap day comes last.
fn civil(days: u64) -> (u64, u64, u64) {
    // From 0000-03-01 to 1970-01-01 there are 719,468 days; 400 years have 146,097.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let of_cycle = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_cycle + of_cycle / 4 - of_cycle / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + of_cycle + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_as_the_system_tells_them() {
        // `date -u -d @N +%FT%TZ`
        for (secs, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_795_372_031, "2026-11-22T18:27:11Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(iso8601(UnixTime::from_secs(secs)), text, "{secs}");
        }
    }

    #[test]
    fn no_value_becomes_a_command() {
        let nasty = "a'$(id)\\'`id`";
        assert_eq!(*quoted(nasty, Shell::Posix), r"'a'\''$(id)\'\''`id`'");
        assert_eq!(*quoted(nasty, Shell::Fish), r"'a\'$(id)\\\'`id`'");
        assert_eq!(*quoted(nasty, Shell::PowerShell), r"'a''$(id)\''`id`'");
        assert_eq!(
            *quoted("x\u{2019};y", Shell::PowerShell),
            "'x\u{2019}\u{2019};y'"
        );
    }
}
