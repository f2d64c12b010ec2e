//! The arguments of `vmfa aws`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// One variant a command, sorted by what a person does first.
#[derive(Subcommand)]
pub(crate) enum Aws {
    /// Print a policy that forces MFA, or examine one; calls nobody
    #[command(
        subcommand,
        after_help = "Examples:\n  vmfa aws policy force-mfa > force-mfa.json\n  vmfa aws policy check force-mfa.json"
    )]
    Policy(Policy),
}

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Print the policy for a group: enrolling is allowed, everything else denied until there is MFA
    #[command(
        after_help = "Examples:\n  vmfa aws policy force-mfa > force-mfa.json\n  \
                      aws iam create-policy --policy-name force-mfa --policy-document file://force-mfa.json\n  \
                      vmfa aws policy force-mfa --allow-password-change --self-service keys,passwords\n\n\
                      Attach it to a group and put the users in; what they may do with MFA is another policy's business.\n\
                      A user signed in or a key in use without MFA stops working at once, machines' keys too."
    )]
    ForceMfa(ForceMfa),
    /// Print the service control policy for an organisation: the same for the users of all its accounts
    #[command(after_help = "Examples:\n  vmfa aws policy scp > scp.json\n  \
                      vmfa aws policy scp --except 'arn:aws:iam::*:user/machines/*'\n\n\
                      It denies to IAM users alone: roles, AWS's services, the accounts' root users and the management\n\
                      account are not reached by it. It grants nothing: users enrol where another policy lets them.")]
    Scp(Scp),
    /// Tell what is wrong with a policy that is to force MFA, and what to write instead
    #[command(after_help = "Examples:\n  vmfa aws policy check force-mfa.json\n  \
                      aws iam get-policy-version --policy-arn ARN --version-id v1 | vmfa aws policy check -\n\n\
                      An error is a policy that doesn't do what it is meant to, or locks people out; a note is a trade-off.\n\
                      Exit code 6 if there is an error, 2 if it is no policy, else 0.\n\n\
                      --json: an object with characters (as IAM counts them), errors, warnings, notes and findings, an array of\n\
                      objects with severity, id, statement (null, or an object with number and sid), text and advice.\n\
                      These names and the ids are stable; others may be added.")]
    Check(PolicyCheck),
}

#[derive(Args)]
pub(crate) struct ForceMfa {
    /// Let the password be changed before there is MFA, as a first sign-in may demand; a thief can then, too
    #[arg(long)]
    pub(crate) allow_password_change: bool,
    /// What of their own credentials users manage, with MFA
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',')]
    pub(crate) self_service: Vec<SelfService>,
    /// A device must be called as its user is: one device a user, whose owner its name tells
    #[arg(long)]
    pub(crate) device_is_user: bool,
    /// The partition, as in an ARN: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "NAME", default_value = "aws")]
    pub(crate) partition: String,
}

/// What users can be let manage.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SelfService {
    /// Access keys
    Keys,
    /// The password of the console
    Passwords,
    /// X.509 signing certificates
    Certificates,
    /// SSH keys of CodeCommit
    Ssh,
    /// Passwords for CodeCommit over HTTPS
    Git,
}

#[derive(Args)]
pub(crate) struct Scp {
    /// Let the password be changed before there is MFA, as a first sign-in may demand; a thief can then, too
    #[arg(long)]
    pub(crate) allow_password_change: bool,
    /// Users for whom it doesn't hold, by ARN, * as a wildcard: machines that have no MFA
    #[arg(long, value_name = "ARN")]
    pub(crate) except: Vec<String>,
    /// The partition, as in an ARN: aws, aws-cn, aws-us-gov
    #[arg(long, value_name = "NAME", default_value = "aws")]
    pub(crate) partition: String,
}

#[derive(Args)]
pub(crate) struct PolicyCheck {
    /// A policy document, or what the AWS command line prints of one; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// It is a service control policy; told from its content where possible
    #[arg(long)]
    pub(crate) scp: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}
