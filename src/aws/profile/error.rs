//! What is wrong with a profile, and where.

use thiserror::Error;

use super::At;
use crate::failure::{Fails, Kind};

/// Why a profile can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No such profile in either file.
    #[error("there is no profile {0} in AWS's config file, nor in its credentials file")]
    NoProfile(String),
    /// A setting whose value can't be used.
    #[error("{at}: {key} {wrong}")]
    Value {
        /// Where.
        at: At,
        /// Which setting.
        key: &'static str,
        /// What is wrong with it.
        wrong: &'static str,
    },
    /// A setting without another that it needs.
    #[error("{at}: profile {profile} has {key}, but no {missing}")]
    Missing {
        /// Where the one stands.
        at: At,
        /// The profile.
        profile: String,
        /// The setting that is there.
        key: &'static str,
        /// The one that isn't.
        missing: &'static str,
    },
    /// Two settings of which there may be one.
    #[error("{at} and {other}: profile {profile} has both {key} and {other_key}")]
    Both {
        /// Where the one stands.
        at: At,
        /// Where the other stands.
        other: At,
        /// The profile.
        profile: String,
        /// The one.
        key: &'static str,
        /// The other.
        other_key: &'static str,
    },
    /// A setting that names a profile or an sso-session that isn't there.
    #[error("{at}: {key} names {name}, which isn't there")]
    Dangling {
        /// Where.
        at: At,
        /// Which setting.
        key: &'static str,
        /// Whom it names.
        name: String,
    },
    /// A profile and its sso-session say different things.
    #[error("{at} and {session}: the profile and its sso-session differ in {key}")]
    Differs {
        /// Where the profile says it.
        at: At,
        /// Where the sso-session says it.
        session: At,
        /// The setting.
        key: String,
    },
    /// A profile that is named as a source holds no credentials.
    #[error("{at}: the source profile {name} has no credentials")]
    EmptySource {
        /// Where it is named.
        at: At,
        /// Its name.
        name: String,
    },
    /// Profiles that name each other as their sources, in a circle.
    #[error("the source profiles go in a circle: {}", lines(.0))]
    Circle(Vec<At>),
    /// The credentials of a profile are to come from vmfa, which needs them to make them.
    #[error(
        "{at}: credential_process of profile {profile} asks vmfa, which needs that profile's own credentials"
    )]
    Ours {
        /// The line of the `credential_process`.
        at: At,
        /// The profile.
        profile: String,
    },
}

fn lines(places: &[At]) -> String {
    let places: Vec<String> = places.iter().map(At::to_string).collect();
    places.join(", ")
}

impl ProfileError {
    /// The lines that it is about.
    pub fn places(&self) -> Vec<At> {
        match self {
            Self::NoProfile(_) => Vec::new(),
            Self::Value { at, .. }
            | Self::Missing { at, .. }
            | Self::Dangling { at, .. }
            | Self::EmptySource { at, .. }
            | Self::Ours { at, .. } => vec![*at],
            Self::Both { at, other, .. } => vec![*at, *other],
            Self::Differs { at, session, .. } => vec![*at, *session],
            Self::Circle(places) => places.clone(),
        }
    }
}

impl Fails for ProfileError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoProfile(_) => Kind::NotFound,
            Self::Value { .. }
            | Self::Missing { .. }
            | Self::Both { .. }
            | Self::Dangling { .. }
            | Self::Differs { .. }
            | Self::EmptySource { .. }
            | Self::Circle(_)
            | Self::Ours { .. } => Kind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Ours { at, profile } => Some(format!(
                "change {at}, or give profile {profile} keys of its own: `vmfa aws key add`, or source_profile"
            )),
            Self::NoProfile(_)
            | Self::Value { .. }
            | Self::Missing { .. }
            | Self::Both { .. }
            | Self::Dangling { .. }
            | Self::Differs { .. }
            | Self::EmptySource { .. }
            | Self::Circle(_) => None,
        }
    }
}
