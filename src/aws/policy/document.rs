//! A policy document.

mod read;

use super::PolicyError;
use super::pattern::covers;

/// A policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    version: Option<String>,
    statements: Vec<Statement>,
    characters: usize,
    meant: Use,
}

/// What a policy is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A user, a group or a role.
    Identity,
    /// An organisation's root, units or accounts: a service control policy.
    Organisation,
}

/// One of a document's statements.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Where it stands, counted from 1.
    pub number: usize,
    /// Its Sid.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// Action or NotAction.
    pub actions: Actions,
    /// Resource or NotResource.
    pub resources: Resources,
    /// Whether it names a Principal, as trust and bucket policies do.
    pub principal: bool,
    /// All of which must hold.
    pub conditions: Vec<Condition>,
}

/// Allow or Deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Grants, where no Deny stands against it.
    Allow,
    /// Refuses, whatever grants.
    Deny,
}

/// The actions that a statement is about, as patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// Action: these.
    These(Vec<String>),
    /// NotAction: all but these.
    AllBut(Vec<String>),
}

/// The resources that a statement is about, as patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resources {
    /// Resource: these.
    These(Vec<String>),
    /// NotResource: all but these.
    AllBut(Vec<String>),
    /// Neither, as in a trust policy.
    Unsaid,
}

/// One key under one operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// As written: `BoolIfExists`.
    pub operator: String,
    /// As written: `aws:MultiFactorAuthPresent`.
    pub key: String,
    /// Any of which may match.
    pub values: Vec<Value>,
}

/// A condition's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// In quotation marks.
    Text(String),
    /// A JSON boolean, without.
    Bool(bool),
    /// A JSON number, as its digits.
    Number(String),
}

impl Value {
    /// What IAM compares.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
        }
    }
}

impl Document {
    /// Reads a policy document, or the answer of `get-policy-version`, `get-group-policy`, `get-user-policy`,
    /// `get-role-policy` or `organizations describe-policy` that holds one, url-encoded or not.
    ///
    /// # Errors
    /// When it isn't one, with the place.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        read::document(text)
    }

    /// The Version element.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The statements in order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// How many characters IAM counts: it leaves out white space.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// What it is attached to, as far as can be told from what was read.
    pub fn meant(&self) -> Use {
        self.meant
    }

    /// The same document, meant for that.
    #[must_use]
    pub fn meant_for(self, meant: Use) -> Self {
        Self { meant, ..self }
    }
}

impl Statement {
    /// Whether it is about an action: `iam:EnableMFADevice`.
    pub fn is_about(&self, action: &str) -> bool {
        match &self.actions {
            Actions::These(these) => these.iter().any(|pattern| covers(pattern, action)),
            Actions::AllBut(those) => !those.iter().any(|pattern| covers(pattern, action)),
        }
    }

    /// Whether it is about every resource.
    pub fn is_about_all_resources(&self) -> bool {
        match &self.resources {
            Resources::These(these) => these.iter().any(|pattern| covers(pattern, "*")),
            Resources::AllBut(those) => those.is_empty(),
            Resources::Unsaid => false,
        }
    }
}
