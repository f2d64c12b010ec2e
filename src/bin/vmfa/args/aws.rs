//! The arguments of `vmfa aws`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// One variant a command, sorted by what a person does first.
#[derive(Subcommand)]
pub(crate) enum Aws {
    /// Make this the user's MFA device: created, saved, enabled, proven
    #[command(after_help = "Examples:\n  vmfa aws enroll --profile admin\n  \
                      vmfa aws enroll --profile admin --write-config admin-mfa\n\n\
                      The secret is in the vault, and on the disk, before AWS is told to enable the device.\n\
                      Interrupted at any point, the same command goes on where it stopped. AWS enables the root\n\
                      user's device in the console only: `vmfa add QR.png`, then `vmfa pair`.")]
    Enroll(Enroll),
    /// Show devices, keys and policies: the caller's, or every user's
    #[command(
        after_help = "Examples:\n  vmfa aws status --profile admin\n  vmfa aws status --profile admin --all-users --json\n\n\
                      In step: AWS took a code of this vault. Only the caller's device can be tried. A Force-MFA policy is looked \
                      for among the policies of users and groups; those of an organisation can't be seen from here. What AWS \
                      doesn't let the caller see is left out, with the reason; that is no error, and nor is a finding.\n\n\
                      --all-users is for administrators: it reads the credential report and the account's policies. AWS makes the \
                      report anew every four hours at most; who came since, and whose device changed, is asked for.\n\n\
                      --json: an object with caller (arn, account, kind: user, role, root or other; user), password_policy (null: \
                      none), findings (objects with id, text, names and advice) and hidden (what wasn't seen, with the reason: its \
                      field is null), and for the caller devices (serial_number, enabled, account: null or id and label; step: \
                      in-step, drifted or null; step_reason), access_keys (access_key_id, active, created, age_days, old), force_mfa \
                      (true, false or null) and lack (no-deny, partial, long-term-keys-pass, sessions-pass or null). With \
                      --all-users: users (name, arn, root, console_password, mfa, devices, access_keys, force_mfa, lack), groups \
                      (name, users, force_mfa, lack) and unassigned_devices. Times are seconds since 1970. These names and the ids \
                      are stable; others may be added."
    )]
    Status(Status),
    /// Bring a device of this vault into step with AWS's clock
    #[command(after_help = "Example:\n  vmfa aws resync --profile admin")]
    Resync(Device),
    /// Put a new device of another name in a device's place: AWS can't rename one
    #[command(after_help = "Example:\n  vmfa aws rename alice alice-laptop --profile admin")]
    Rename(Rename),
    /// Take a device from its user, and delete it
    #[command(
        after_help = "Example:\n  vmfa aws remove alice-old --profile admin\n\n\
                      The last device of a user stays unless --last is said. The account goes into the trash: `vmfa restore`."
    )]
    Remove(Remove),
    /// Put a new device in a device's place: enabled and proven before the old one goes
    #[command(after_help = "Example:\n  vmfa aws rotate --profile admin")]
    Rotate(Rotate),
    /// Print a session as `credential_process` wants it
    #[command(
        after_help = "Example, in ~/.aws/config:\n  [profile admin-mfa]\n  credential_process = vmfa aws credentials --profile admin\n\n\
                      One JSON object on standard output and nothing else. Where there is no terminal nobody is asked:\n\
                      the agent (`vmfa unlock`), a key file or a passphrase command must serve, else exit code 4."
    )]
    Credentials(Credentials),
    /// Run a command with a session in its environment
    #[command(
        after_help = "Example:\n  vmfa aws exec --profile admin -- terraform apply\n\n\
                      Signals and the exit code are passed through."
    )]
    Exec(Exec),
    /// Print lines for `eval` that put a session into the shell
    #[command(
        after_help = "Examples:\n  eval \"$(vmfa aws env --profile admin)\"\n  eval \"$(vmfa aws env --unset)\"\n  \
                      vmfa aws env --profile admin --shell fish | source\n  \
                      vmfa aws env --profile admin --shell powershell | Out-String | Invoke-Expression"
    )]
    Env(Env),
    /// Print a link that signs a browser in to the console, from a role's session
    #[command(
        after_help = "Example:\n  vmfa aws login --profile ops | xargs xdg-open\n\n\
                      Whoever has the link is signed in: it is good for 15 minutes."
    )]
    Login(Login),
    /// Keep access keys in the vault in place of ~/.aws/credentials
    #[command(
        subcommand,
        after_help = "Examples:\n  vmfa aws key add admin\n  vmfa aws key add admin --csv accessKeys.csv\n  vmfa aws key list"
    )]
    Key(Key),
    /// Read the credentials.csv of a new user: what comes first
    #[command(
        after_help = "Example:\n  vmfa aws import-csv credentials.csv\n\nThe password in it is not kept."
    )]
    ImportCsv(ImportCsv),
    /// Print a policy that forces MFA, or examine one; calls nobody
    #[command(
        subcommand,
        after_help = "Examples:\n  vmfa aws policy force-mfa > force-mfa.json\n  vmfa aws policy check force-mfa.json"
    )]
    Policy(Policy),
}

/// Whose credentials a command works with.
#[derive(Args)]
pub(crate) struct Profile {
    /// The profile, as in ~/.aws/config [env: AWS_PROFILE]
    #[arg(long, short = 'p', value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// The region that calls go to, rather than the environment's or the profile's [env: AWS_REGION]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
}

#[derive(Args)]
pub(crate) struct Enroll {
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// The user whose device it will be, rather than the caller
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The device's name, rather than the user's
    #[arg(long, value_name = "NAME")]
    pub(crate) device_name: Option<String>,
    /// Delete a device of that name that nobody has and whose secret isn't here
    #[arg(long)]
    pub(crate) replace: bool,
    /// Then write a profile NAME that gets its credentials from vmfa; a backup of the file is kept
    #[arg(long, value_name = "NAME")]
    pub(crate) write_config: Option<String>,
    /// How long AWS is given to tell all its parts, before the proof
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub(crate) propagation: u16,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// Every user of the account
    #[arg(long)]
    pub(crate) all_users: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Device {
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// The user whose device it is, rather than the caller
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The device's name or serial number; not needed where there is but one
    #[arg(value_name = "DEVICE")]
    pub(crate) device: Option<String>,
}

#[derive(Args)]
pub(crate) struct Rename {
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// The user whose device it is, rather than the caller
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// The device's name or serial number
    #[arg(value_name = "DEVICE")]
    pub(crate) device: String,
    /// The new name
    #[arg(value_name = "NEW-NAME")]
    pub(crate) name: String,
    /// How long AWS is given to tell all its parts, before the proof
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub(crate) propagation: u16,
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    pub(crate) device: Device,
    /// Even the last one: nothing may be done then that asks for MFA
    #[arg(long)]
    pub(crate) last: bool,
}

#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) device: Device,
    /// The new device's name, rather than the old one's with a number
    #[arg(long, value_name = "NAME")]
    pub(crate) device_name: Option<String>,
    /// How long AWS is given to tell all its parts, before the proof
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub(crate) propagation: u16,
}

/// Which session.
#[derive(Args)]
pub(crate) struct Session {
    #[command(flatten)]
    pub(crate) profile: Profile,
    /// The MFA device, rather than the profile's mfa_serial or the one of this vault that is the user's
    #[arg(long, value_name = "ARN")]
    pub(crate) serial_number: Option<String>,
    /// How long it is to last: up to 129600 s for a user, up to the role's maximum for a role
    #[arg(long, value_name = "SECONDS")]
    pub(crate) duration: Option<u32>,
    /// A new one, whatever is held
    #[arg(long)]
    pub(crate) new: bool,
}

#[derive(Args)]
pub(crate) struct Credentials {
    #[command(flatten)]
    pub(crate) session: Session,
}

#[derive(Args)]
pub(crate) struct Exec {
    #[command(flatten)]
    pub(crate) session: Session,
    /// The command and its arguments
    #[arg(
        value_name = "CMD",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args)]
pub(crate) struct Env {
    #[command(flatten)]
    pub(crate) session: Session,
    /// Whose words
    #[arg(long, value_enum, default_value_t = Shell::Sh)]
    pub(crate) shell: Shell,
    /// Lines that take the session out again, and the region with it
    #[arg(long)]
    pub(crate) unset: bool,
}

/// A shell.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Shell {
    /// sh, bash, zsh
    Sh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
}

#[derive(Args)]
pub(crate) struct Login {
    #[command(flatten)]
    pub(crate) session: Session,
    /// Where the console opens
    #[arg(long, value_name = "URL")]
    pub(crate) destination: Option<String>,
    /// How long the console's session lasts; only for a role had with a code (duration_seconds above 3600)
    #[arg(long, value_name = "SECONDS")]
    pub(crate) console_duration: Option<u32>,
    /// The federation endpoint, rather than the partition's
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Key {
    /// Keep the access key of a profile
    #[command(
        after_help = "Examples:\n  vmfa aws key add admin\n  vmfa aws key add admin --csv accessKeys.csv\n  \
                      vmfa aws key add admin --from-credentials --remove-plaintext"
    )]
    Add(KeyAdd),
    /// Show which profiles have one
    #[command(after_help = "Example:\n  vmfa aws key list")]
    List(KeyList),
    /// Forget one; there is no trash for keys, only the vault's backups
    #[command(after_help = "Example:\n  vmfa aws key remove admin")]
    Remove(KeyRemove),
}

#[derive(Args)]
pub(crate) struct KeyAdd {
    /// The profile
    #[arg(value_name = "PROFILE")]
    pub(crate) profile: String,
    /// Read the console's accessKeys.csv or credentials.csv
    #[arg(long, value_name = "FILE", group = "source")]
    pub(crate) csv: Option<PathBuf>,
    /// Take what ~/.aws/credentials (or config) holds for the profile
    #[arg(long, group = "source")]
    pub(crate) from_credentials: bool,
    /// Then remove it from that file; a backup of the file is kept
    #[arg(long)]
    pub(crate) remove_plaintext: bool,
}

#[derive(Args)]
pub(crate) struct KeyList {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct KeyRemove {
    /// The profile, or an access key ID
    #[arg(value_name = "PROFILE")]
    pub(crate) which: String,
}

#[derive(Args)]
pub(crate) struct ImportCsv {
    /// The file that the console gave
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
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
