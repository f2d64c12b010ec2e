//! What a person says of an account besides its secret: in `add`, `edit` and `rename`.

use vmfa::account::text::clean;
use vmfa::account::{Field, Summary, typed};

use crate::fault::{Fault, Outcome};

/// Words for an account, cleaned and within bounds. What isn't given stays as it is.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) issuer: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) tags: Vec<String>,
    /// `Some(None)` takes it away.
    pub(crate) serial_number: Option<Option<String>>,
}

impl Words {
    /// # Errors
    /// Something is too long.
    pub(crate) fn new(
        issuer: Option<&str>,
        name: Option<&str>,
        note: Option<&str>,
        tags: &[String],
        serial: Option<&str>,
    ) -> Outcome<Self> {
        let label =
            |text: Option<&str>, field| text.map(|text| typed::label(text, field)).transpose();
        let mut added = Vec::new();
        for tag in tags {
            typed::add_tag(&mut added, tag)?;
        }
        Ok(Self {
            issuer: label(issuer, Field::Issuer)?,
            name: label(name, Field::Name)?,
            note: note.map(typed::note).transpose()?,
            tags: added,
            serial_number: serial.map(serial_number).transpose()?,
        })
    }

    /// ISSUER:NAME, or a name alone.
    pub(crate) fn of_label(text: &str) -> Outcome<Self> {
        let (issuer, name) = match text.split_once(':') {
            Some((issuer, name)) => (Some(issuer), name),
            None => (None, text),
        };
        Self::new(issuer, Some(name), None, &[], None)
    }

    /// These words, and the other's where these say nothing.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            issuer: self.issuer.or(other.issuer),
            name: self.name.or(other.name),
            note: self.note.or(other.note),
            tags: if self.tags.is_empty() {
                other.tags
            } else {
                self.tags
            },
            serial_number: self.serial_number.or(other.serial_number),
        }
    }

    /// Puts them on an account.
    ///
    /// # Errors
    /// It has too many tags then.
    pub(crate) fn put_on(&self, summary: &mut Summary) -> Outcome {
        if let Some(issuer) = &self.issuer {
            summary.issuer.clone_from(issuer);
            summary.label_issuer = None;
        }
        if let Some(name) = &self.name {
            summary.name.clone_from(name);
        }
        if let Some(note) = &self.note {
            summary.note.clone_from(note);
        }
        for tag in &self.tags {
            typed::add_tag(&mut summary.tags, tag)?;
        }
        if let Some(serial_number) = &self.serial_number {
            summary.serial_number.clone_from(serial_number);
        }
        Ok(())
    }
}

/// An MFA device's serial number is an ARN; an empty one takes it away.
fn serial_number(given: &str) -> Outcome<Option<String>> {
    let given = clean(given);
    let fields: Vec<&str> = given.splitn(6, ':').collect();
    match fields.as_slice() {
        [""] => Ok(None),
        ["arn", partition, "iam", "", account, resource]
            if partition.starts_with("aws")
                && account.len() == 12
                && account.bytes().all(|byte| byte.is_ascii_digit())
                && resource
                    .strip_prefix("mfa/")
                    .is_some_and(|name| !name.is_empty()) =>
        {
            Ok(Some(typed::label(&given, Field::SerialNumber)?))
        }
        _ => Err(Fault::usage(format!(
            "--serial-number: {} is not the ARN of a virtual MFA device",
            crate::command::quoted(&given)
        ))
        .hint("such as arn:aws:iam::123456789012:mfa/alice")),
    }
}
