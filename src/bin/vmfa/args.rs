//! The arguments as typed. What they mean is each command's own business.

#[cfg(feature = "aws")]
pub(crate) mod aws;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::clipboard::LONGEST;
use crate::fault::EXIT_CODES;

/// An authenticator for the terminal: the virtual MFA device of AWS, on your own desktop.
#[derive(Parser)]
#[command(
    name = "vmfa",
    version,
    about,
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_help_heading = "Commands",
    after_long_help = format!("Example, from the picture that AWS shows to the two codes that it asks for:\n  vmfa add qr.png\n\n\
                      `vmfa` alone, at a terminal, opens the interface.\n\n{EXIT_CODES}"),
    after_help = "Example, from the picture that AWS shows to the two codes that it asks for:\n  vmfa add qr.png\n\n\
                  `vmfa` alone, at a terminal, opens the interface.\n\
                  `vmfa COMMAND --help` shows each command with an example; `vmfa --help` the exit codes."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Work line by line, without drawing: for screen readers and simple terminals
    #[arg(long)]
    pub(crate) plain: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that every command takes.
#[derive(Args, Clone, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct Global {
    /// The vault file [env: VMFA_VAULT]
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        help_heading = "Global options"
    )]
    pub(crate) vault: Option<PathBuf>,
    /// Read the passphrase from the first line of a file [env: VMFA_PASSPHRASE_FILE]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options",
        group = "passphrase_source"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Read the passphrase from an open file descriptor [env: VMFA_PASSPHRASE_FD]
    #[arg(
        long,
        global = true,
        value_name = "N",
        help_heading = "Global options",
        group = "passphrase_source"
    )]
    pub(crate) passphrase_fd: Option<u32>,
    /// Take the passphrase from the first line that a shell command prints [env: VMFA_PASSPHRASE_COMMAND]
    #[arg(
        long,
        global = true,
        value_name = "CMD",
        help_heading = "Global options",
        group = "passphrase_source"
    )]
    pub(crate) passphrase_command: Option<String>,
    /// A key file that opens the vault, alone or together with the passphrase [env: VMFA_KEY_FILE]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(crate) key_file: Option<PathBuf>,
    /// Open with the recovery code, which is asked for (or read from the passphrase source)
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        hide_short_help = true
    )]
    pub(crate) recovery: bool,
    /// Don't ask the agent: open the vault here [env: VMFA_NO_AGENT]
    #[cfg(unix)]
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) no_agent: bool,
    /// Open a vault that is older than one seen here before, such as one just restored by hand
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        hide_short_help = true
    )]
    pub(crate) accept_rollback: bool,
    /// Open a vault whose key derivation asks for more than 256 MiB
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        hide_short_help = true
    )]
    pub(crate) accept_high_kdf: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a vault; shows its recovery code once
    #[command(after_help = "Example:\n  vmfa init")]
    Init(Init),
    /// Add accounts from QR pictures, the screen, the clipboard, Key URIs or a typed secret
    #[command(
        after_help = "Examples:\n  vmfa add qr.png                         every account in a picture; for AWS also the two codes to type\n  \
                      vmfa add work:me@example.com qr.png     under a name of your own\n  grim - | vmfa add -                     a screenshot, from standard input\n  \
                      vmfa add --screen                       the QR codes on any monitor, after a look at what was found\n  \
                      vmfa add --clipboard                    a copied picture, otpauth:// text or secret\n  \
                      ffmpeg -f v4l2 -i /dev/video0 -frames:v 1 -f image2pipe -c:v png - | vmfa add -\n                                          a code held before the camera\n  \
                      vmfa add GitHub:me --secret -           the secret from a hidden prompt, or from standard input\n  \
                      vmfa add --uri - < uris.txt             otpauth:// lines\n\nA secret is never taken from the command line: other users could read it there."
    )]
    Add(Box<Add>),
    /// Print an account's code
    #[command(
        after_help = "Examples:\n  vmfa code github                        the code of the one account that matches\n  \
                      vmfa code aws root                      words in any order\n  vmfa code --fresh --within 2 admin      one that no --fresh got before, as AWS STS wants it\n  \
                      vmfa code --min-validity 10 github      wait for the next one if fewer than 10 s are left\n  \
                      vmfa code --copy github                 into the clipboard for 30 s, and not onto the screen\n\nA counter-based (HOTP) account's counter advances with every code."
    )]
    Code(Code),
    /// Print a new code, for a program that sends it to AWS
    #[command(
        after_help = "Example, in ~/.aws/config, for aws-vault:\n  [profile admin]\n  mfa_serial = arn:aws:iam::123456789012:mfa/alice\n  \
                      mfa_process = vmfa mfa-process arn:aws:iam::123456789012:mfa/alice\n\n\
                      The same as `vmfa code --fresh --within 2`: one line that nobody had before. A passphrase is\n\
                      asked for on the terminal; where there is none, the agent (`vmfa unlock`) must serve."
    )]
    MfaProcess(MfaProcess),
    /// Print two consecutive codes, as enabling an AWS device needs them
    #[command(
        after_help = "Examples:\n  vmfa pair aws root           the codes of the step before and of this one, in order: type them at once\n  \
                      vmfa pair --wait github      this code, then the next when it begins"
    )]
    Pair(Pair),
    /// Show an account's code with its countdown, for as long as you like
    #[cfg(unix)]
    #[command(
        after_help = "Examples:\n  vmfa watch github           the code and how long it holds, in a small pane\n  \
                      vmfa watch --all aws        every account that matches, one a line\n  \
                      vmfa watch --json github    a line of JSON a step, for a status bar\n\n\
                      q or ^C ends it. Watching is use: with every code the agent's idle time begins anew.\n\n\
                      --json: an object a line with text, tooltip, class and percentage, as waybar's return-type json\n\
                      takes them, and id, issuer, account, type, code, step, valid_from, valid_until and\n\
                      seconds_left. While the agent is locked, class is \"locked\" and code is empty. These names are\n\
                      stable; others may be added."
    )]
    Watch(Watch),
    /// Ask for the passphrase once: an agent gives the codes until it is locked
    #[cfg(unix)]
    #[command(
        after_help = "Examples:\n  vmfa unlock                       for 8 hours, or until 10 minutes without use\n  \
                      vmfa unlock --for 1h --idle 1h    through an hour of Terraform\n\n\
                      The agent never gives an account's secret: `show --secret` and `qr` ask for the passphrase again.\n\
                      It locks when the machine sleeps, when the screen is locked, and on `vmfa lock`."
    )]
    Unlock(Unlock),
    /// Have the agent forget the key
    #[cfg(unix)]
    #[command(after_help = "Example:\n  vmfa lock")]
    Lock,
    /// Start the agent, tell how it is, stop it, or print what starts it at login
    #[cfg(unix)]
    #[command(
        after_help = "Examples:\n  vmfa agent status\n  vmfa agent stop\n  vmfa agent unit --out ~/.config/systemd/user    started by systemd when it is needed\n\n\
                      `vmfa unlock` starts an agent by itself where none runs."
    )]
    Agent(Agent),
    /// Be a user's MFA device at AWS, and give sessions with MFA to other programs
    #[cfg(feature = "aws")]
    #[command(
        subcommand,
        after_help = "Example, from a new access key to a profile that every program can use:\n  \
                      vmfa aws key add alice --csv accessKeys.csv\n  \
                      vmfa aws enroll --profile alice --write-config alice-mfa\n  \
                      aws s3 ls --profile alice-mfa\n\n\
                      Calls are made by vmfa-aws, which is installed beside vmfa."
    )]
    Aws(aws::Aws),
    /// Bring in accounts from another app's export: files, directories, archives, pictures
    #[command(
        after_help = "Examples:\n  vmfa import aegis-export.json            the format is found by what is in the file\n  \
                      vmfa import part1.png part2.png          a Google Authenticator migration, in any order\n  \
                      vmfa import --dry-run Downloads/         what is there, without bringing it in\n  \
                      vmfa import --help aegis                 how to get the export out of that app, step by step\n\n\
                      What is there already is kept once, so that the same file can be imported twice.\n\
                      `vmfa import --help` lists the formats.",
        after_long_help = format!("Examples:\n  vmfa import aegis-export.json            the format is found by what is in the file\n  \
                      vmfa import part1.png part2.png          a Google Authenticator migration, in any order\n  \
                      vmfa import ~/.password-store            a password store, opened by gpg\n  \
                      vmfa import --dry-run Downloads/         what is there, without bringing it in\n  \
                      vmfa import --undo                       the last import, into the trash\n  \
                      vmfa import --help aegis                 how to get the export out of that app, step by step\n\n\
                      What is there already is kept once, so that the same file can be imported twice.\n\n\
                      Formats, and what of them is read:\n{}\n  \
                      ZIP archives of any of these, with a passphrase or without\n\n\
                      --json: an object with dry_run, files, accounts, migrations and counts. These names are stable.",
                      crate::command::import_formats())
    )]
    Import(Import),
    /// Tell which QR codes are in a picture; needs no vault
    #[command(
        after_help = "Examples:\n  vmfa scan screenshot.png              labels and parameters\n  vmfa scan --secrets qr.png            the whole texts, as `zbarimg --raw` prints them\n  vmfa scan --screen                    what every monitor shows now"
    )]
    Scan(Scan),
    /// List the accounts
    #[command(
        after_help = "Examples:\n  vmfa list\n  vmfa list aws\n  vmfa list --json | jq -r '.[].account'\n  \
                      vmfa list --names | fzf | xargs -d '\\n' vmfa code\n\n\
                      --json: an array of objects with id, issuer, account, type, algorithm, digits, period, counter,\n\
                      tags and serial_number. These names are stable; others may be added.\n\n\
                      Before the tags, * marks a favourite and ? an account that asks before each code."
    )]
    List(List),
    /// Show all about an account; its secret only after the passphrase was typed
    #[command(after_help = "Examples:\n  vmfa show github\n  vmfa show github --secret")]
    Show(Show),
    /// Change an account's label, tags, note, AWS serial number or counter
    #[command(
        after_help = "Examples:\n  vmfa edit aws root --tag work --note 'break glass only'\n  \
                      vmfa edit admin --serial-number arn:aws:iam::123456789012:mfa/alice\n  vmfa edit bank --counter 42\n  vmfa edit aws root --confirm"
    )]
    Edit(Box<Edit>),
    /// Give an account another label
    #[command(after_help = "Example:\n  vmfa rename github GitHub:me@example.com")]
    Rename(Rename),
    /// Put an account into the trash, or erase it there
    #[command(
        after_help = "Examples:\n  vmfa remove github              into the trash: `vmfa restore` brings it back\n  \
                      vmfa remove --forever github    out of the trash, for good"
    )]
    Remove(Remove),
    /// Bring an account back from the trash; without a name, choose from what is there
    #[command(after_help = "Example:\n  vmfa restore github")]
    Restore(Restore),
    /// Draw an account as a QR code for another device, after the passphrase was typed
    #[command(after_help = "Examples:\n  vmfa qr github\n  vmfa qr github --png github.png")]
    Qr(Qr),
    /// Write accounts for another app, for paper or as a backup; asks for the passphrase
    #[command(
        after_help = "Examples:\n  vmfa export --to aegis --out aegis.json          encrypted, under a new passphrase\n  \
                      vmfa export --to google --plaintext              QR codes here in the terminal, to scan\n  \
                      vmfa export --to keepass --out work.kdbx work    those that match \"work\"\n  \
                      vmfa export --to vmfa --trash --out backup.vmfa  a vault under a passphrase of its own\n  \
                      vmfa export --help aegis                         the steps into that app\n\n\
                      `vmfa export --help` lists the formats and what they can't hold.",
        after_long_help = format!("Examples:\n  vmfa export --to aegis --out aegis.json          encrypted, under a new passphrase\n  \
                      vmfa export --to google --plaintext              QR codes here in the terminal, to scan\n  \
                      vmfa export --to keepass --out work.kdbx work    those that match \"work\"\n  \
                      vmfa export --to vmfa --trash --out backup.vmfa  a vault under a passphrase of its own\n  \
                      vmfa export --help aegis                         the steps into that app\n\n{}\n\n\
                      What is left out or lost is told account by account, and the export is read back and compared\n\
                      before it is under its name. Exit code 7: some accounts couldn't be carried.", crate::command::export::table())
    )]
    Export(Box<Export>),
    /// Change the passphrase
    #[command(subcommand, after_help = "Example:\n  vmfa passphrase change")]
    Passphrase(Passphrase),
    /// List, add and remove the ways in: passphrases, key files, recovery codes
    #[command(subcommand, after_help = "Example:\n  vmfa slot list")]
    Slot(Slot),
    /// Open the vault and test every record in it
    #[command(after_help = "Example:\n  vmfa check && echo sound")]
    Check,
    /// List, restore and purge the backups that every save leaves
    #[command(subcommand, after_help = "Example:\n  vmfa backup list")]
    Backup(Backup),
    /// Look for trouble: permissions, integrity, backups, ledger, clock; needs no passphrase
    #[command(
        after_help = "Examples:\n  vmfa doctor\n  vmfa doctor --clock https://sts.amazonaws.com"
    )]
    Doctor(Doctor),
    /// Print the interface's configuration, every setting explained
    #[cfg(feature = "tui")]
    #[command(
        after_help = "Examples:\n  vmfa config           what is set, and what it usually is: a file to begin with\n  \
                      vmfa config --path    where that file is looked for\n\n\
                      The file is config.toml in vmfa's configuration directory; VMFA_CONFIG names another."
    )]
    Config(Config),
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  vmfa completions bash > ~/.local/share/bash-completion/completions/vmfa"
    )]
    Completions(Completions),
    /// Print the manual page, or write one for each command
    #[command(
        after_help = "Examples:\n  vmfa man | man -l -\n  vmfa man --out ~/.local/share/man/man1"
    )]
    Man(Man),
}

#[derive(Args)]
pub(crate) struct Init {
    /// Cost of Argon2id: memory in KiB, passes, lanes
    #[arg(long, value_name = "M_KIB,T,P")]
    pub(crate) kdf: Option<String>,
}

#[derive(Args, Default)]
pub(crate) struct Add {
    /// A name for the account (NAME or ISSUER:NAME), then pictures; `-` is standard input
    #[arg(value_name = "NAME|PICTURE")]
    pub(crate) words: Vec<std::ffi::OsString>,
    /// Read Key URIs (otpauth://…), one a line, from standard input or a prompt
    #[arg(long, value_name = "-", conflicts_with = "secret")]
    pub(crate) uri: Option<String>,
    /// Read a base32 secret from standard input or a prompt
    #[arg(long, value_name = "-")]
    pub(crate) secret: Option<String>,
    /// Look for QR codes on every monitor, show what was found, and ask
    #[cfg(feature = "screen")]
    #[arg(long, group = "around", conflicts_with_all = ["uri", "secret"])]
    pub(crate) screen: bool,
    /// With --screen: wait so long first, to bring a window to the front
    #[cfg(feature = "screen")]
    #[arg(long, value_name = "SECONDS", requires = "screen", default_value_t = 0, value_parser = number::<u64>, hide_default_value = true)]
    pub(crate) delay: u64,
    /// Take a picture, Key URIs or a secret out of the clipboard, show what was found, and ask
    #[arg(long, group = "around", conflicts_with_all = ["uri", "secret"])]
    pub(crate) clipboard: bool,
    /// Add what --screen or --clipboard finds without asking
    #[arg(long, requires = "around")]
    pub(crate) yes: bool,
    /// Who asks for the code
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// The account name
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// totp, hotp, steam, motp or yandex
    #[arg(long = "type", value_name = "TYPE", requires = "secret")]
    pub(crate) kind: Option<String>,
    /// SHA1, SHA256 or SHA512 (also SHA224, SHA384)
    #[arg(long, requires = "secret")]
    pub(crate) algorithm: Option<String>,
    /// Length of a code, 1 to 10
    #[arg(long, value_name = "N", requires = "secret")]
    pub(crate) digits: Option<String>,
    /// Time step in seconds
    #[arg(long, value_name = "SECONDS", requires = "secret")]
    pub(crate) period: Option<String>,
    /// The next counter of an HOTP account
    #[arg(long, value_name = "N", requires = "secret")]
    pub(crate) counter: Option<String>,
    /// The moment from which time steps are counted, in seconds since 1970
    #[arg(long, value_name = "UNIX", requires = "secret")]
    pub(crate) t0: Option<String>,
    /// Read the PIN of a motp or yandex account, after the secret
    #[arg(long, value_name = "-")]
    pub(crate) pin: Option<String>,
    /// A word to find it by; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// A remark
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// AWS's serial number of the device, an ARN
    #[arg(long, value_name = "ARN")]
    pub(crate) serial_number: Option<String>,
    /// Ask before each code leaves, as `ssh-add -c` does for a key
    #[arg(long)]
    pub(crate) confirm: bool,
}

#[derive(Args, Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(crate) struct Code {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// One that neither --fresh nor `pair` has handed out before; waits for it if need be
    #[arg(long, conflicts_with_all = ["next", "at"])]
    pub(crate) fresh: bool,
    /// With --fresh: how many steps off the present one the other side takes (AWS STS: 2)
    #[arg(long, value_name = "N", requires = "fresh", default_value_t = 0, value_parser = number::<u32>, allow_hyphen_values = true)]
    pub(crate) within: u32,
    /// The code of the next time step
    #[arg(long, conflicts_with = "min_validity")]
    pub(crate) next: bool,
    /// The code for another moment, in seconds since 1970
    #[arg(long, value_name = "UNIX", value_parser = number::<u64>, allow_hyphen_values = true)]
    pub(crate) at: Option<u64>,
    /// Wait for the next code if this one holds for fewer seconds
    #[arg(long, value_name = "S", conflicts_with = "fresh", value_parser = number::<u64>, allow_hyphen_values = true)]
    pub(crate) min_validity: Option<u64>,
    /// As JSON: code, time step, and the seconds from and until which it holds
    #[arg(long)]
    pub(crate) json: bool,
    /// Into the clipboard, and out of it again after 30 s; the code isn't printed
    #[arg(long)]
    pub(crate) copy: bool,
    /// With --copy: how long it stays in the clipboard, up to 1h
    #[arg(long, value_name = "TIME", requires = "copy", value_parser = short_span)]
    pub(crate) copy_for: Option<Duration>,
}

#[derive(Args)]
pub(crate) struct MfaProcess {
    /// Serial number, label, or words of them
    #[arg(required = true, value_name = "QUERY")]
    pub(crate) query: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Pair {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// The present step and the next one, for services that take no code from the past
    #[arg(long, conflicts_with = "wait")]
    pub(crate) next: bool,
    /// Show this code, count down, then show the next, as a phone would
    #[arg(long)]
    pub(crate) wait: bool,
    /// As JSON: both codes in order, with steps and validity
    #[arg(long, conflicts_with = "wait")]
    pub(crate) json: bool,
}

#[cfg(unix)]
#[derive(Args)]
pub(crate) struct Watch {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Every account that matches all these words; all of them, if none is given
    #[arg(long)]
    pub(crate) all: bool,
    /// A line of JSON at every step, for a status bar; waits while the agent is locked
    #[arg(long)]
    pub(crate) json: bool,
    /// A line at every step instead of a countdown in place; an empty one while the agent is locked
    #[arg(long, conflicts_with = "json")]
    pub(crate) plain: bool,
}

#[cfg(unix)]
#[derive(Args)]
pub(crate) struct Unlock {
    /// How long the agent holds the key at most: 90s, 10m, 8h, 1h30m, up to 30d
    #[arg(long = "for", value_name = "TIME", default_value = "8h", value_parser = span)]
    pub(crate) whole: Duration,
    /// How long it holds the key without being asked for anything
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span)]
    pub(crate) idle: Duration,
}

#[cfg(unix)]
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Agent {
    /// Stay in the foreground; a listening socket on standard input is taken over
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Leave the terminal, and tell on standard output when it is ready
    #[arg(long, hide = true, requires = "foreground")]
    pub(crate) detached: bool,
    /// The process that holds the key; its three standard streams are the socket, the line to its parent, and a client
    #[arg(long, hide = true)]
    pub(crate) keyholder: bool,
    #[command(subcommand)]
    pub(crate) command: Option<AgentCommand>,
}

#[cfg(unix)]
#[derive(Subcommand)]
pub(crate) enum AgentCommand {
    /// Tell how the agent is: exit code 0 when it is unlocked, 4 when it is locked or none runs
    #[command(after_help = "Example:\n  vmfa agent status || vmfa unlock")]
    Status(AgentStatus),
    /// End the agent; the key is forgotten
    #[command(after_help = "Example:\n  vmfa agent stop")]
    Stop,
    /// Print the systemd units that start the agent when it is needed (on macOS the launchd property list)
    #[command(
        after_help = "Examples:\n  vmfa agent unit --out ~/.config/systemd/user && systemctl --user enable --now vmfa-agent.socket\n  \
                      vmfa agent unit --launchd > ~/Library/LaunchAgents/vmfa-agent.plist"
    )]
    Unit(AgentUnit),
}

#[cfg(unix)]
#[derive(Args)]
pub(crate) struct AgentStatus {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(unix)]
#[derive(Args)]
pub(crate) struct AgentUnit {
    /// A directory to write the two systemd units into
    #[arg(long, value_name = "DIR", conflicts_with = "launchd")]
    pub(crate) out: Option<PathBuf>,
    /// A launchd property list instead
    #[arg(long)]
    pub(crate) launchd: bool,
}

#[derive(Args)]
pub(crate) struct Import {
    /// Exports, pictures, archives and directories of them; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Take each file for one of this format
    #[arg(long, value_name = "FORMAT")]
    pub(crate) from: Option<String>,
    /// Tell what would come in, and save nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Put what the last import brought into the trash
    #[arg(long, conflicts_with_all = ["files", "from", "dry_run", "json"])]
    pub(crate) undo: bool,
    /// Read the export's own passphrase from the first line of a file
    #[arg(long, value_name = "FILE", group = "file_passphrase")]
    pub(crate) file_passphrase_file: Option<PathBuf>,
    /// Read the export's own passphrase from an open file descriptor
    #[arg(long, value_name = "N", group = "file_passphrase")]
    pub(crate) file_passphrase_fd: Option<u32>,
    /// Take the export's own passphrase from the first line that a shell command prints
    #[arg(long, value_name = "CMD", group = "file_passphrase")]
    pub(crate) file_passphrase_command: Option<String>,
}

#[derive(Args)]
pub(crate) struct Scan {
    /// Pictures (PNG, JPEG, WebP, GIF, BMP, TIFF); `-` is standard input
    #[arg(value_name = "PICTURE")]
    #[cfg_attr(feature = "screen", arg(required_unless_present_any = ["screen", "clipboard"]))]
    #[cfg_attr(not(feature = "screen"), arg(required_unless_present = "clipboard"))]
    pub(crate) pictures: Vec<PathBuf>,
    /// What every monitor shows now
    #[cfg(feature = "screen")]
    #[arg(long)]
    pub(crate) screen: bool,
    /// What was copied
    #[arg(long)]
    pub(crate) clipboard: bool,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Each whole text, secrets included
    #[arg(long)]
    pub(crate) secrets: bool,
}

#[derive(Args)]
pub(crate) struct List {
    /// Only those that match all these words
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// One name a line that means that account and no other: for menus such as dmenu, rofi and fzf
    #[arg(long, conflicts_with_all = ["json", "trash"])]
    pub(crate) names: bool,
    /// What is in the trash instead
    #[arg(long)]
    pub(crate) trash: bool,
}

#[derive(Args)]
pub(crate) struct Show {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Print the base32 secret, and nothing else
    #[arg(long)]
    pub(crate) secret: bool,
    /// Print the Key URI, which holds the secret, and nothing else
    #[arg(long, conflicts_with = "secret")]
    pub(crate) uri: bool,
    /// As JSON, without the secret
    #[arg(long, conflicts_with_all = ["secret", "uri"])]
    pub(crate) json: bool,
}

#[derive(Args, Default)]
pub(crate) struct Edit {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Who asks for the code
    #[arg(long)]
    pub(crate) issuer: Option<String>,
    /// The account name
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// Add a tag; may be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Take a tag away; may be repeated
    #[arg(long = "untag", value_name = "TAG")]
    pub(crate) untags: Vec<String>,
    /// A remark; an empty one takes it away
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// AWS's serial number of the device, an ARN; an empty one takes it away
    #[arg(long, value_name = "ARN")]
    pub(crate) serial_number: Option<String>,
    /// Sort it first
    #[arg(long, conflicts_with = "no_favorite")]
    pub(crate) favorite: bool,
    /// Don't sort it first
    #[arg(long)]
    pub(crate) no_favorite: bool,
    /// Ask before each code leaves, as `ssh-add -c` does for a key
    #[arg(long, conflicts_with = "no_confirm")]
    pub(crate) confirm: bool,
    /// Give codes without asking
    #[arg(long)]
    pub(crate) no_confirm: bool,
    /// The next counter of an HOTP account, when it has run away from the server's
    #[arg(long, value_name = "N", value_parser = number::<u64>, allow_hyphen_values = true)]
    pub(crate) counter: Option<u64>,
    /// Read the PIN of a motp or yandex account from standard input or a prompt
    #[arg(long, value_name = "-")]
    pub(crate) pin: Option<String>,
    /// Settle a conflict: this account is right as it is
    #[arg(long)]
    pub(crate) settled: bool,
}

#[derive(Args)]
pub(crate) struct Rename {
    /// Id, label, name, AWS account ID or serial number
    #[arg(value_name = "QUERY")]
    pub(crate) query: String,
    /// ISSUER:NAME, or NAME alone to keep the issuer
    #[arg(value_name = "NEW")]
    pub(crate) new: String,
}

#[derive(Args)]
pub(crate) struct Remove {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Erase an account that is in the trash, for good
    #[arg(long)]
    pub(crate) forever: bool,
    /// Don't ask, with --forever
    #[arg(long, requires = "forever")]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct Restore {
    /// Id, label, name, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Qr {
    /// Id, label, name, AWS account ID, serial number, or words of them; without it, choose from a list
    #[arg(value_name = "QUERY")]
    pub(crate) query: Vec<String>,
    /// Write a PNG instead, readable by you alone; `-` is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "svg")]
    pub(crate) png: Option<PathBuf>,
    /// Write an SVG instead, readable by you alone; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Export {
    /// Those that match all these words; all of them, if none is given
    #[arg(value_name = "QUERY|all")]
    pub(crate) query: Vec<String>,
    /// What to write: aegis, 2fas, bitwarden, google, uris, keepass, ente, stratum, proton, pass, sheet, vmfa and more
    #[arg(long, value_name = "FORMAT")]
    pub(crate) to: String,
    /// Where to: a new file or directory, for you alone; `-` is standard output
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Don't encrypt: every secret stands in the export in clear
    #[arg(long, conflicts_with = "export_passphrase")]
    pub(crate) plaintext: bool,
    /// Also what is in the trash
    #[arg(long)]
    pub(crate) trash: bool,
    /// Replace a file that is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Read the export's passphrase from the first line of a file instead of asking twice
    #[arg(long, value_name = "FILE", group = "export_passphrase")]
    pub(crate) export_passphrase_file: Option<PathBuf>,
    /// Read it from an open file descriptor
    #[arg(long, value_name = "N", group = "export_passphrase")]
    pub(crate) export_passphrase_fd: Option<u32>,
    /// Take it from the first line that a shell command prints
    #[arg(long, value_name = "CMD", group = "export_passphrase")]
    pub(crate) export_passphrase_command: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum Passphrase {
    /// Change the passphrase; the vault gets a new key
    #[command(
        after_help = "Examples:\n  vmfa passphrase change\n  vmfa passphrase change --new-recovery    when somebody may know the old passphrase\n\n\
                      Whoever has a copy of the vault from before and its passphrase finds in it the keys of the other\n\
                      ways in. --new-recovery exchanges the recovery code in the same save; remove key-file slots and add\n\
                      them anew with another file. Backups of before still open with the old passphrase:\n\
                      `vmfa backup purge` deletes them."
    )]
    Change(PassphraseChange),
}

#[derive(Args)]
pub(crate) struct PassphraseChange {
    /// Cost of Argon2id: memory in KiB, passes, lanes
    #[arg(long, value_name = "M_KIB,T,P")]
    pub(crate) kdf: Option<String>,
    /// Exchange the recovery code too, in the same save; the new one is shown once
    #[arg(long)]
    pub(crate) new_recovery: bool,
    /// Read the new passphrase from the first line of a file instead of asking twice
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Slot {
    /// List the ways into the vault
    #[command(after_help = "Example:\n  vmfa slot list")]
    List(SlotList),
    /// Add a way in
    #[command(
        after_help = "Examples:\n  vmfa slot add recovery              a new recovery code, shown once\n  \
                      vmfa slot add key-file ~/usb/vmfa.key    a file of at least 32 random bytes\n  vmfa slot add passphrase            a second passphrase"
    )]
    Add(SlotAdd),
    /// Take a way in away; the vault gets a new key
    #[command(after_help = "Example:\n  vmfa slot remove 3f2a91c0d4e5f607")]
    Remove(SlotRemove),
}

#[derive(Args)]
pub(crate) struct SlotList {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct SlotAdd {
    /// recovery, passphrase, or key-file
    #[arg(value_name = "KIND", value_parser = ["recovery", "passphrase", "key-file"])]
    pub(crate) kind: String,
    /// For key-file: the file; it is made if there is none
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// For a passphrase: a key file without which it doesn't open the vault
    #[arg(long, value_name = "FILE")]
    pub(crate) with_key_file: Option<PathBuf>,
    /// Cost of Argon2id for a passphrase: memory in KiB, passes, lanes
    #[arg(long, value_name = "M_KIB,T,P")]
    pub(crate) kdf: Option<String>,
    /// Read the new passphrase from the first line of a file instead of asking twice
    #[arg(long, value_name = "FILE")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SlotRemove {
    /// The slot's id, as `vmfa slot list` shows it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Don't ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Subcommand)]
pub(crate) enum Backup {
    /// List the backups
    #[command(after_help = "Example:\n  vmfa backup list")]
    List(BackupList),
    /// Put a backup in the vault's place; what stood there is kept
    #[command(
        after_help = "Examples:\n  vmfa backup restore 41\n  vmfa backup restore /media/usb/vault.vmfa"
    )]
    Restore(BackupRestore),
    /// Take in what another copy of this vault holds, such as a conflict copy that a synchroniser left
    #[command(after_help = "Example:\n  vmfa backup merge 'vault (conflicted copy).vmfa'")]
    Merge(BackupMerge),
    /// Delete all backups
    #[command(after_help = "Example:\n  vmfa backup purge --yes")]
    Purge(BackupPurge),
}

#[derive(Args)]
pub(crate) struct BackupList {
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct BackupRestore {
    /// A generation from `vmfa backup list`, or any vault file
    #[arg(value_name = "GENERATION|FILE")]
    pub(crate) backup: PathBuf,
}

#[derive(Args)]
pub(crate) struct BackupMerge {
    /// The other copy
    #[arg(value_name = "FILE")]
    pub(crate) copy: PathBuf,
}

#[derive(Args)]
pub(crate) struct BackupPurge {
    /// Don't ask
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// Compare this machine's clock with the Date header of a server
    #[arg(long, value_name = "URL")]
    pub(crate) clock: Option<String>,
    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "tui")]
#[derive(Args)]
pub(crate) struct Config {
    /// Print where the file is looked for, whether it is there or not
    #[arg(long)]
    pub(crate) path: bool,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// A directory to write one page a command into
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

/// A span of time: numbers with units, the larger first.
#[cfg(any(unix, feature = "tui"))]
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];
    let wrong = || "not a time such as 90s, 10m, 8h or 1h30m, from 1s to 30d".to_owned();
    let (mut seconds, mut number, mut largest) = (0u64, None::<u64>, u64::MAX);
    for character in text.chars() {
        if let Some(digit) = character.to_digit(10) {
            let before = number.unwrap_or(0);
            let longer = before
                .checked_mul(10)
                .and_then(|n| n.checked_add(digit.into()));
            number = Some(longer.ok_or_else(wrong)?);
            continue;
        }
        let unit = UNITS.iter().find(|(name, _)| *name == character);
        let (_, unit) = unit.filter(|(_, unit)| *unit < largest).ok_or_else(wrong)?;
        let part = number.take().and_then(|number| number.checked_mul(*unit));
        seconds = part
            .and_then(|part| seconds.checked_add(part))
            .ok_or_else(wrong)?;
        largest = *unit;
    }
    if number.is_some() || !(1..=30 * 86_400).contains(&seconds) {
        return Err(wrong());
    }
    Ok(Duration::from_secs(seconds))
}

/// A span as [`span`] reads it, of the length that a code may stay in the clipboard.
fn short_span(text: &str) -> Result<Duration, String> {
    let wrong = "not a time such as 30s or 5m, from 1s to 1h";
    span(text)
        .ok()
        .filter(|span| *span <= LONGEST)
        .ok_or_else(|| wrong.to_owned())
}

/// A whole number, or words that say so.
fn number<T: std::str::FromStr + Bounded>(text: &str) -> Result<T, String> {
    let most = T::MOST;
    text.parse()
        .map_err(|_| format!("not a whole number from 0 to {most}"))
}

/// The largest value of a type, for its error.
trait Bounded {
    const MOST: u64;
}

impl Bounded for u32 {
    const MOST: u64 = u32::MAX as u64;
}

impl Bounded for u64 {
    const MOST: u64 = u64::MAX;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_whole_or_refused() {
        let seconds = |text| span(text).ok().map(|span| span.as_secs());
        assert_eq!(seconds("8h"), Some(28_800));
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("30d"), Some(2_592_000));
        assert_eq!(seconds("1s"), Some(1));
        for text in [
            "",
            "h",
            "8",
            "0s",
            "31d",
            "30m1h",
            "1h1h",
            "-1h",
            "1.5h",
            " 1h",
            "1h ",
            "99999999999999999999h",
            "307445734561825861m",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
