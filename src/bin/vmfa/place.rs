//! The environment, read once and nowhere else: where things are and what was set.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use directories::{BaseDirs, ProjectDirs};
use vmfa::account::text::clean;
#[cfg(unix)]
use vmfa::agent::{Address, Usual};
#[cfg(unix)]
use vmfa::desktop::Buses;
#[cfg(feature = "aws")]
use vmfa::secret::SecretText;

use crate::fault::{Exit, Fault, Outcome};

/// Where a passphrase is to come from when it isn't typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Fd(u32),
    Command(String),
}

/// What the environment says of the screens.
#[cfg(feature = "screen")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Displays {
    /// Whether a Wayland compositor is named: `WAYLAND_DISPLAY`.
    pub(crate) wayland: bool,
    /// The X server's address: `DISPLAY`.
    pub(crate) x11: Option<String>,
    /// What kind of session logind says it is: `XDG_SESSION_TYPE`.
    pub(crate) kind: Option<String>,
}

/// What the environment says.
pub(crate) struct Place {
    vault: Option<PathBuf>,
    passphrase: Result<Option<Source>, &'static str>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) colours_allowed: bool,
    /// Whether the terminal can do nothing but print lines.
    pub(crate) is_dumb: bool,
    /// Whether the terminal says that it shows all colours.
    #[cfg(feature = "tui")]
    pub(crate) truecolor: bool,
    #[cfg(feature = "tui")]
    config: Option<PathBuf>,
    home: Option<PathBuf>,
    #[cfg(unix)]
    pub(crate) no_agent: bool,
    #[cfg(unix)]
    runtime: Option<PathBuf>,
}

fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The specification demands it of the runtime directory. Another user's, as under `sudo -E`, counts as none: whoever owns it
/// would find a directory of ours there.
#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let uid = rustix::process::geteuid().as_raw();
    std::fs::metadata(path).is_ok_and(|found| found.uid() == uid)
}

const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Where the system keeps such data. Without `HOME` nobody is asked for it: the password database may want a library loaded,
/// and a program that is linked statically crashes at that.
fn directories() -> Option<ProjectDirs> {
    set(HOME).and_then(|_| ProjectDirs::from("", "", "vmfa"))
}

/// The one source that is set, or what is wrong.
fn source() -> Result<Option<Source>, &'static str> {
    let file = set("VMFA_PASSPHRASE_FILE").map(|value| Ok(Source::File(value.into())));
    let fd = set("VMFA_PASSPHRASE_FD").map(|value| {
        let number = value.to_str().and_then(|value| value.parse().ok());
        number
            .map(Source::Fd)
            .ok_or("VMFA_PASSPHRASE_FD is not the number of a file descriptor")
    });
    let command = set("VMFA_PASSPHRASE_COMMAND").map(|value| {
        let command = value.into_string().map(Source::Command);
        command.map_err(|_| "VMFA_PASSPHRASE_COMMAND is not UTF-8")
    });
    let mut all = [file, fd, command].into_iter().flatten();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.map(Some),
        (Some(_), Some(_)) => Err(
            "more than one of VMFA_PASSPHRASE_FILE, VMFA_PASSPHRASE_FD and VMFA_PASSPHRASE_COMMAND is set",
        ),
    }
}

impl Place {
    pub(crate) fn read() -> Self {
        Self {
            vault: set("VMFA_VAULT").map(PathBuf::from),
            passphrase: source(),
            key_file: set("VMFA_KEY_FILE").map(PathBuf::from),
            // https://no-color.org: any value but the empty one.
            colours_allowed: set("NO_COLOR").is_none()
                && set("TERM").is_none_or(|term| term != "dumb"),
            is_dumb: set("TERM").is_none_or(|term| term == "dumb"),
            // What terminals have agreed on among themselves: https://github.com/termstandard/colors.
            #[cfg(feature = "tui")]
            truecolor: set("COLORTERM")
                .is_some_and(|value| value == "truecolor" || value == "24bit"),
            #[cfg(feature = "tui")]
            config: set("VMFA_CONFIG").map(PathBuf::from),
            home: set(HOME)
                .and_then(|_| BaseDirs::new())
                .map(|dirs| dirs.home_dir().to_owned()),
            #[cfg(unix)]
            no_agent: set("VMFA_NO_AGENT").is_some(),
            // The XDG base directory specification: a relative path is invalid and counts as none.
            #[cfg(unix)]
            runtime: set("XDG_RUNTIME_DIR")
                .map(PathBuf::from)
                .filter(|path| path.is_absolute() && is_ours(path)),
        }
    }

    /// The source of the passphrase that the environment names. What is wrong with it matters only to whoever needs it.
    pub(crate) fn passphrase(&self) -> Outcome<Option<Source>> {
        self.passphrase.clone().map_err(Fault::usage)
    }

    /// The vault's files: from the command line, else from the environment, else where the system keeps such data.
    pub(crate) fn files(&self, given: Option<&Path>) -> Outcome<vmfa::vault::Files> {
        let dirs = directories();
        let vault = given.map(Path::to_owned).or_else(|| self.vault.clone());
        let no_home = || {
            Fault::new(
                Exit::NotFound,
                "there is no home directory to keep a vault in",
            )
            .hint("set HOME, or name a vault with --vault PATH")
        };
        let vault = match (vault, &dirs) {
            (Some(vault), _) => vault,
            (None, Some(dirs)) => dirs.data_dir().join("vault.vmfa"),
            (None, None) => return Err(no_home()),
        };
        let state = match &dirs {
            Some(dirs) => dirs
                .state_dir()
                .unwrap_or_else(|| dirs.data_local_dir())
                .to_owned(),
            None => vault.parent().unwrap_or(Path::new("")).join(".vmfa-state"),
        };
        Ok(vmfa::vault::Files { vault, state })
    }

    /// The interface's configuration: as the environment names it, else where the system keeps such files.
    #[cfg(feature = "tui")]
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        let usual = || Some(directories()?.config_dir().join("config.toml"));
        self.config.clone().or_else(usual)
    }

    /// Whether the vault's path is the system's usual one: nobody named another.
    pub(crate) fn is_usual_vault(&self, given: Option<&Path>) -> bool {
        given.is_none() && self.vault.is_none()
    }

    /// Where the agent of a vault listens.
    #[cfg(unix)]
    pub(crate) fn agent(&self, files: &vmfa::vault::Files) -> Address {
        // Absolute, as the agent that is started for it is told it.
        let vault = std::path::absolute(&files.vault).unwrap_or_else(|_| files.vault.clone());
        let usual = match directories() {
            Some(dirs) if dirs.data_dir().join("vault.vmfa") == vault => Usual::Yes,
            Some(_) | None => Usual::No,
        };
        Address::new(self.runtime.as_deref(), &files.state, &files.vault, usual)
    }

    /// The directories of ours that somebody has put elsewhere.
    #[cfg(unix)]
    pub(crate) fn own_directories(&self) -> Vec<(&'static str, PathBuf)> {
        let named = ["XDG_DATA_HOME", "XDG_STATE_HOME"].into_iter();
        named
            .filter_map(|name| Some((name, PathBuf::from(set(name)?))))
            .collect()
    }

    /// Whether the system has told no directory for sockets.
    #[cfg(unix)]
    pub(crate) fn lacks_runtime(&self) -> bool {
        self.runtime.is_none()
    }

    /// Where D-Bus is: as the environment says, else where every system has it.
    #[cfg(unix)]
    pub(crate) fn buses(&self) -> Buses {
        let named = |name| set(name).and_then(|value| value.into_string().ok());
        let usual = || {
            let path = self.runtime.as_ref()?.join("bus");
            // A path with other characters would have to be escaped, and no system has such a one.
            let path = path.to_str().filter(|path| {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
                path.chars().all(plain)
            })?;
            Some(format!("unix:path={path}"))
        };
        Buses {
            system: named("DBUS_SYSTEM_BUS_ADDRESS")
                .or_else(|| Some("unix:path=/run/dbus/system_bus_socket".into())),
            session: named("DBUS_SESSION_BUS_ADDRESS").or_else(usual),
        }
    }

    /// Which screens there are.
    #[cfg(feature = "screen")]
    pub(crate) fn displays(&self) -> Displays {
        let named = |name| set(name).and_then(|value| value.into_string().ok());
        Displays {
            wayland: set("WAYLAND_DISPLAY").is_some(),
            x11: named("DISPLAY"),
            kind: named("XDG_SESSION_TYPE"),
        }
    }

    /// What an agent needs of the environment, and nothing else: keys that somebody exported have no place in a process that
    /// lives for days.
    #[cfg(unix)]
    pub(crate) fn for_agent(&self) -> Vec<(&'static str, OsString)> {
        const NAMES: [&str; 9] = [
            "HOME",
            "PATH",
            "LANG",
            "XDG_RUNTIME_DIR",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "DBUS_SESSION_BUS_ADDRESS",
            "DBUS_SYSTEM_BUS_ADDRESS",
            "RUST_BACKTRACE",
        ];
        self.given(&NAMES)
    }

    /// What the environment says of displays and terminals, read when it is asked for: no code needs it.
    pub(crate) fn display(&self) -> DisplayPlace {
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        let remote = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"];
        DisplayPlace {
            wayland: set("WAYLAND_DISPLAY").is_some(),
            x11: text("DISPLAY"),
            remote: remote.iter().any(|name| set(name).is_some()),
            tmux: set("TMUX").is_some(),
            screen: set("STY").is_some(),
            term: text("TERM").unwrap_or_default(),
        }
    }

    /// These variables, for a process that needs them and nothing else.
    pub(crate) fn given(&self, names: &[&'static str]) -> Vec<(&'static str, OsString)> {
        let values = names.iter().map(|name| (*name, std::env::var_os(name)));
        values
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    /// The home directory.
    #[cfg(feature = "tui")]
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// A path as a person writes it, safe to print.
    pub(crate) fn show(&self, path: &Path) -> String {
        if let Some(home) = &self.home
            && let Ok(rest) = path.strip_prefix(home)
        {
            return clean(&format!("~/{}", rest.display())).into_owned();
        }
        clean(&path.display().to_string()).into_owned()
    }
}

/// What the environment says of displays and terminals.
#[derive(Debug, Clone, Default)]
pub(crate) struct DisplayPlace {
    /// Whether there is a Wayland compositor: `WAYLAND_DISPLAY`.
    pub(crate) wayland: bool,
    /// The X server: `DISPLAY`.
    pub(crate) x11: Option<String>,
    /// Whether the person sits elsewhere: what sshd sets.
    pub(crate) remote: bool,
    /// Whether tmux is around us: `TMUX`.
    pub(crate) tmux: bool,
    /// Whether GNU screen is: `STY`.
    pub(crate) screen: bool,
    /// The terminal: `TERM`; empty where nothing is said.
    pub(crate) term: String,
}

/// What the environment says of AWS.
#[cfg(feature = "aws")]
pub(crate) struct AwsPlace {
    /// The config file: `AWS_CONFIG_FILE`, else `~/.aws/config`.
    pub(crate) config_file: PathBuf,
    /// The credentials file: `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/credentials`.
    pub(crate) credentials_file: PathBuf,
    /// The profile: `AWS_DEFAULT_PROFILE` first, as awscli 1 has it, then `AWS_PROFILE`.
    pub(crate) profile: Option<String>,
    /// The region: `AWS_REGION` first, as the SDKs have it, then `AWS_DEFAULT_REGION`, the only one that awscli 1 reads.
    pub(crate) region: Option<String>,
    /// Where STS is: `AWS_ENDPOINT_URL_STS`, and for all services `AWS_ENDPOINT_URL`. The SDK looks for itself, too.
    pub(crate) endpoint_sts: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) role_session_name: Option<String>,
    pub(crate) ca_bundle: Option<PathBuf>,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and perhaps `AWS_SESSION_TOKEN`.
    pub(crate) keys: Option<(String, SecretText, Option<SecretText>)>,
}

#[cfg(feature = "aws")]
impl Place {
    /// What the environment says of AWS, read when it is asked for: no code needs it.
    ///
    /// # Errors
    /// A variable that isn't UTF-8; an access key ID without its secret half; no home directory to look in.
    pub(crate) fn aws(&self) -> Outcome<AwsPlace> {
        let text = |name: &str| -> Outcome<Option<String>> {
            match set(name).map(OsString::into_string) {
                None => Ok(None),
                Some(Ok(value)) => Ok(Some(value)),
                Some(Err(_)) => Err(Fault::usage(format!("{name} is not UTF-8"))),
            }
        };
        let first = |names: [&str; 2]| -> Outcome<Option<String>> {
            Ok(text(names[0])?.or(text(names[1])?))
        };
        let secret = |name: &str| text(name).map(|value| value.map(SecretText::new));
        let file = |name: &str, usual: &str| match text(name)? {
            Some(path) => self.expanded(&path),
            None => self.expanded(usual),
        };
        let token = match secret("AWS_SECURITY_TOKEN")? {
            _ if set("AWS_SESSION_TOKEN").is_some() => secret("AWS_SESSION_TOKEN")?,
            older => older,
        };
        let keys = match (text("AWS_ACCESS_KEY_ID")?, secret("AWS_SECRET_ACCESS_KEY")?) {
            (Some(id), Some(secret)) => Some((id, secret, token)),
            (None, _) => None,
            (Some(_), None) => {
                return Err(Fault::usage(
                    "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not",
                ));
            }
        };
        Ok(AwsPlace {
            config_file: file("AWS_CONFIG_FILE", "~/.aws/config")?,
            credentials_file: file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")?,
            profile: first(["AWS_DEFAULT_PROFILE", "AWS_PROFILE"])?,
            region: first(["AWS_REGION", "AWS_DEFAULT_REGION"])?,
            endpoint_sts: text("AWS_ENDPOINT_URL_STS")?,
            endpoint: text("AWS_ENDPOINT_URL")?,
            role_session_name: text("AWS_ROLE_SESSION_NAME")?,
            ca_bundle: text("AWS_CA_BUNDLE")?.map(PathBuf::from),
            keys,
        })
    }

    /// Whether this process was started on the way to credentials that vmfa itself looks for.
    pub(crate) fn is_asked_by_ourselves(&self) -> bool {
        set(crate::command::aws::MARK).is_some()
    }

    /// A path as botocore expands it: `$NAME` and `${NAME}` that are set, then `~` at the beginning.
    #[allow(dead_code, reason = "`aws` calls it")]
    fn expanded(&self, path: &str) -> Outcome<PathBuf> {
        let path = with_variables(path, |name| {
            std::env::var_os(name).and_then(|value| value.into_string().ok())
        });
        let rest = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            Some(_) | None => return Ok(path.into()),
        };
        let no_home = || {
            Fault::new(
                Exit::NotFound,
                "there is no home directory to look for AWS's files in",
            )
            .hint("set HOME, or AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE")
        };
        let home = self.home.as_ref().ok_or_else(no_home)?;
        Ok(home.join(rest.trim_start_matches('/')))
    }
}

/// Python's `os.path.expandvars`: what isn't set stays as it is written.
#[cfg(feature = "aws")]
#[allow(dead_code, reason = "`aws` calls it")]
fn with_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let (name, len) = match behind.strip_prefix('{') {
            Some(inner) => match inner.find('}') {
                Some(end) => (&inner[..end], end + 2),
                None => ("", 0),
            },
            None => {
                let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = behind.find(|c| !fits(c)).unwrap_or(behind.len());
                (&behind[..end], end)
            }
        };
        // A name with `=` or NUL is no variable's, and asking for it would be a fault of ours.
        let is_name = !name.is_empty() && !name.contains(['=', '\0']);
        match is_name.then(|| value(name)).flatten() {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..at + 1 + len]),
        }
        rest = &behind[len..];
    }
    out.push_str(rest);
    out
}

#[cfg(feature = "aws")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_in_a_path_are_expanded_as_python_does() {
        let value = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "AB" => Some("2".to_owned()),
            _ => None,
        };
        for (text, expected) in [
            ("/x", "/x"),
            ("$A/$AB/${A}B", "1/2/1B"),
            ("$C/${C}/$", "$C/${C}/$"),
            ("${A", "${A"),
            ("$A$", "1$"),
            ("é$A é", "é1 é"),
        ] {
            assert_eq!(with_variables(text, value), expected, "{text}");
        }
    }
}
