//! From a profile over its source to the end, as botocore goes.

use super::{At, Profile, ProfileError, Profiles, Source, is_vmfa};
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
        match self.way(name)? {
            (chain, None) => Ok(chain),
            (_, Some((_, error))) => Err(error),
        }
    }

    /// As [`Self::chain`], for whoever may have credentials of their own for the profile at the end: where the files have
    /// none for it, its name, and what is wrong unless somebody else has some. The last link names it then.
    ///
    /// # Errors
    /// As [`Self::chain`], that aside.
    #[expect(
        clippy::type_complexity,
        reason = "two halves of one answer, used in two places"
    )]
    pub fn way(
        &self,
        name: &str,
    ) -> Result<(Vec<Link<'_>>, Option<(String, ProfileError)>), ProfileError> {
        let no_profile = || ProfileError::NoProfile(clean(name).into_owned());
        let profile = self.get(name).ok_or_else(no_profile)?;
        let source = profile.source()?;
        let mut chain = vec![Link { profile, source }];
        // The lines that led on, to name them all where they lead back.
        let mut lines: Vec<At> = Vec::new();
        while let Some((parent, at, next)) = led_on(&chain) {
            lines.push(at);
            let Some(profile) = self.get(next) else {
                let error = ProfileError::Dangling {
                    at,
                    key: "source_profile",
                    name: clean(next).into_owned(),
                };
                return Ok((chain, Some((next.to_owned(), error))));
            };
            let known = chain.iter().any(|link| link.profile.name() == next);
            if known && !(next == parent && profile.has_static()) {
                return Err(ProfileError::Circle(lines));
            }
            let source = profile.source_for_other()?;
            if matches!(source, Source::Nothing) {
                let error = ProfileError::EmptySource {
                    at,
                    name: clean(next).into_owned(),
                };
                let next = next.to_owned();
                chain.push(Link { profile, source });
                return Ok((chain, Some((next, error))));
            }
            chain.push(Link { profile, source });
        }
        Ok((chain, None))
    }

    /// Refuses a profile whose credentials come from vmfa, which would have to ask that profile for them.
    ///
    /// A `credential_process` that runs vmfa for another profile is followed to that one; only one that comes back is refused.
    ///
    /// # Errors
    /// The line of the `credential_process` that comes back; whatever [`Self::chain`] refuses.
    pub fn refuse_loop(&self, name: &str) -> Result<(), ProfileError> {
        let mut asked: Vec<String> = vec![name.into()];
        loop {
            let now = asked.last().map_or(name, String::as_str);
            let chain = self.chain(now)?;
            let Some(last) = chain.last() else {
                return Ok(());
            };
            let Source::Process(process) = &last.source else {
                return Ok(());
            };
            let Some(ours) = is_vmfa(process.value) else {
                return Ok(());
            };
            // Called without a profile, vmfa takes the one that the environment names: as a rule the very one that is in use.
            let next = ours.profile.unwrap_or_else(|| now.into());
            // Asked for a profile that this one goes through, it would come by here again.
            let is_on_the_way = chain.iter().any(|link| link.profile.name() == next);
            if is_on_the_way || asked.contains(&next) {
                return Err(ProfileError::Ours {
                    at: process.at,
                    profile: clean(last.profile.name()).into_owned(),
                });
            }
            asked.push(next);
        }
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
