//! From a profile over its source to the end, as botocore goes.

use super::{At, Profile, ProfileError, Profiles, Source};
use crate::account::text::clean;

/// A profile on the way, and where its credentials come from.
pub struct Link<'a> {
    /// The profile.
    pub profile: Profile<'a>,
    /// Where its credentials come from.
    pub source: Source<'a>,
}

impl Profiles {
    /// From a profile to where its credentials come from in the end: the last link is never a `source_profile`.
    ///
    /// A profile may be its own source: it is there twice then, first with its role, then with its static keys.
    ///
    /// # Errors
    /// No such profile; a source that isn't there, holds nothing or leads back; settings that can't be used.
    pub fn chain(&self, name: &str) -> Result<Vec<Link<'_>>, ProfileError> {
        let no_profile = || ProfileError::NoProfile(clean(name).into_owned());
        let profile = self.get(name).ok_or_else(no_profile)?;
        let source = profile.source()?;
        let mut chain = vec![Link { profile, source }];
        // The lines that led on, to name them all where they lead back.
        let mut lines: Vec<At> = Vec::new();
        while let Some((parent, at, next)) = led_on(&chain) {
            lines.push(at);
            let profile = self.get(next).ok_or_else(|| ProfileError::Dangling {
                at,
                key: "source_profile",
                name: clean(next).into_owned(),
            })?;
            let known = chain.iter().any(|link| link.profile.name() == next);
            if known && !(next == parent && profile.has_static()) {
                return Err(ProfileError::Circle(lines));
            }
            let source = profile.source_for_other()?;
            if matches!(source, Source::Nothing) {
                return Err(ProfileError::EmptySource {
                    at,
                    name: clean(next).into_owned(),
                });
            }
            chain.push(Link { profile, source });
        }
        Ok(chain)
    }
}

fn led_on<'a>(chain: &[Link<'a>]) -> Option<(&'a str, At, &'a str)> {
    let last = chain.last()?;
    match &last.source {
        Source::SourceProfile { profile, .. } => {
            Some((last.profile.name(), profile.at, profile.value))
        }
        Source::CredentialSource { .. }
        | Source::WebIdentity { .. }
        | Source::Sso(_)
        | Source::Keys(_)
        | Source::Login(_)
        | Source::Process(_)
        | Source::Nothing => None,
    }
}
