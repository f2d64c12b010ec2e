//! Profiles: what `~/.aws/config` and `~/.aws/credentials` say together, as botocore 1.43 puts them together.
//!
//! In the config file a profile is `[profile NAME]`, or `[default]`; in the credentials file `[NAME]`. A setting in the
//! credentials file goes before the same one in the config file. Nothing here reads a file or the environment.

mod chain;
mod error;
mod process;
mod settings;
mod source;

use std::collections::{HashMap, HashSet};
use std::fmt;

pub use chain::Link;
pub use error::ProfileError;
pub use process::{Ours, is_vmfa};
pub use settings::{CredentialSource, Device, Keys, is_endpoint, is_region};
pub use source::{Source, Sso};

use super::ini::{Entry, Ini, Section, quoted, words};

/// Which of the two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum File {
    /// `~/.aws/config`, or what `AWS_CONFIG_FILE` says.
    Config,
    /// `~/.aws/credentials`, or what `AWS_SHARED_CREDENTIALS_FILE` says.
    Credentials,
}

impl fmt::Display for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Config => "AWS's config file",
            Self::Credentials => "AWS's credentials file",
        })
    }
}

/// A place in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: File,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of {}", self.line, self.file)
    }
}

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub at: At,
}

/// The two files together.
pub struct Profiles {
    config: Option<Ini>,
    credentials: Option<Ini>,
    /// The profiles, by name: their sections in the one file and in the other.
    profiles: HashMap<String, Sections>,
    /// In the order of the files.
    names: Vec<String>,
    sso_sessions: HashMap<String, usize>,
    services: HashMap<String, usize>,
}

#[derive(Default, Clone, Copy)]
struct Sections {
    config: Option<usize>,
    credentials: Option<usize>,
}

/// A profile.
#[derive(Clone, Copy)]
pub struct Profile<'a> {
    all: &'a Profiles,
    name: &'a str,
    sections: Sections,
}

impl Profiles {
    /// The two files together; one that doesn't exist says nothing.
    pub fn new(config: Option<Ini>, credentials: Option<Ini>) -> Self {
        let mut all = Self {
            config: None,
            credentials: None,
            profiles: HashMap::new(),
            names: Vec::new(),
            sso_sessions: HashMap::new(),
            services: HashMap::new(),
        };
        for (index, section) in sections(config.as_ref()).iter().enumerate() {
            // Whatever the name begins with: botocore takes `[profiles x]` for a profile, too. Of two sections that mean the
            // same the later counts, and nothing of the earlier.
            match section.name() {
                "default" => all.of("default").config = Some(index),
                name if name.starts_with("profile") => {
                    if let Some(name) = second_word(name) {
                        all.of(&name).config = Some(index);
                    }
                }
                name if name.starts_with("sso-session") => {
                    let name = second_word(name);
                    all.sso_sessions.extend(name.map(|name| (name, index)));
                }
                name if name.starts_with("services") => {
                    let name = second_word(name);
                    all.services.extend(name.map(|name| (name, index)));
                }
                _ => {}
            }
        }
        for (index, section) in sections(credentials.as_ref()).iter().enumerate() {
            all.of(section.name()).credentials = Some(index);
        }
        Self {
            config,
            credentials,
            ..all
        }
    }

    /// A profile by its name.
    pub fn get(&self, name: &str) -> Option<Profile<'_>> {
        let (name, sections) = self.profiles.get_key_value(name)?;
        Some(Profile {
            all: self,
            name,
            sections: *sections,
        })
    }

    /// The names of all profiles, those of the config file first, in the order of the files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn of(&mut self, name: &str) -> &mut Sections {
        if !self.profiles.contains_key(name) {
            self.names.push(name.into());
        }
        self.profiles.entry(name.into()).or_default()
    }

    /// What a section of the config file says.
    fn config_section(&self, index: usize) -> Option<(&Ini, &Section)> {
        let ini = self.config.as_ref()?;
        Some((ini, ini.sections().get(index)?))
    }
}

impl<'a> Profile<'a> {
    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The section that holds it in a file, as it stands between the brackets: what [`super::ini::edit`] wants.
    pub fn section(&self, file: File) -> Option<&'a str> {
        self.in_file(file).map(|(_, section)| section.name())
    }

    /// Where the profile begins: its header in the config file, else in the credentials file.
    pub fn at(&self) -> At {
        let (file, found) = match self.in_file(File::Config) {
            Some(found) => (File::Config, Some(found)),
            None => (File::Credentials, self.in_file(File::Credentials)),
        };
        At {
            file,
            line: found.map_or(1, |(_, section)| section.line()),
        }
    }

    fn in_file(&self, file: File) -> Option<(&'a Ini, &'a Section)> {
        let (ini, index) = match file {
            File::Config => (self.all.config.as_ref()?, self.sections.config?),
            File::Credentials => (self.all.credentials.as_ref()?, self.sections.credentials?),
        };
        Some((ini, ini.sections().get(index)?))
    }

    /// What one file says of a key.
    fn entry_in(&self, file: File, key: &str) -> Option<(At, &'a Entry)> {
        let (ini, section) = self.in_file(file)?;
        let entry = ini.get(section, key)?;
        let at = At {
            file,
            line: entry.line(),
        };
        Some((at, entry))
    }

    /// What counts of a key: the credentials file goes first.
    fn entry(&self, key: &str) -> Option<(At, &'a Entry)> {
        let [first, second] = [File::Credentials, File::Config].map(|file| (file, key));
        self.entry_in(first.0, first.1)
            .or_else(|| self.entry_in(second.0, second.1))
    }

    /// All that both files say of it, each with its place. Some of it is secret.
    pub fn settings(&self) -> Vec<(At, &'a Entry)> {
        let [credentials, config] = [File::Credentials, File::Config].map(|file| {
            let entries = self.in_file(file).into_iter();
            entries.flat_map(move |(ini, section)| {
                ini.entries(section).map(move |entry| {
                    let line = entry.line();
                    (At { file, line }, entry)
                })
            })
        });
        let mut all: Vec<(At, &'a Entry)> = credentials.collect();
        let keys: HashSet<&str> = all.iter().map(|(_, entry)| entry.key()).collect();
        let others: Vec<_> = config
            .filter(|(_, entry)| !keys.contains(entry.key()))
            .collect();
        all.extend(others);
        all
    }

    fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }
}

/// The header of a profile that is new to the config file, as it stands between the brackets.
pub fn new_section(profile: &str) -> String {
    match profile {
        "default" => profile.into(),
        name => format!("profile {}", quoted(name)),
    }
}

fn sections(ini: Option<&Ini>) -> &[Section] {
    ini.map_or(&[], Ini::sections)
}

/// The name in `[profile name]`: there must be two words, or the section means nothing.
fn second_word(name: &str) -> Option<String> {
    let words = words(name)?;
    match words.as_slice() {
        [_, name] => Some(name.as_str().into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
