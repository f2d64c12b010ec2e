//! What client and agent say to each other. Version 1.
//!
//! A request is `u32 length of what follows | u16 version | u8 verb | u8 0 | tag[16] | body`; a reply is
//! `u32 length of what follows | u16 version | u8 status | u8 0 | body`. Both are little-endian and at most 64 KiB. The
//! first eight bytes, the verbs `status` and `stop`, and the reply "other version" are the same in every version, so that an
//! older or a newer client gets a clear answer. The tag names the vault that the client means: the FNV-1a
//! hash (128 bits, big-endian) of its absolute path.
//!
//! | verb | body | reply's body when done |
//! |---|---|---|
//! | 1 status | – | pid, version, vault, state |
//! | 2 unlock | DEK[32], lifetimes | as status |
//! | 3 lock | – | – ; then the connection ends with the process that held the key |
//! | 4 list | which | parts with summaries, then how many records are of an unknown kind |
//! | 5 find | query | summary |
//! | 6 code | whom, when | summary, code |
//! | 7 pair | id, now, pairing | two codes |
//! | 8 hotp-next | id, now | code |
//! | 9 session get | name, now | perhaps a blob and its expiry |
//! | 10 session put | name, blob, expiry | – |
//! | 11 session forget | name | – |
//! | 12 stop | – | – |
//! | 13 may | id, whether the person was asked on the terminal | – ; "asking" may come first |
//! | 14 access key | profile | perhaps an access key and its secret |
//! | 15 access keys | – | parts with access keys, each saying whether another follows |
//!
//! An account that asks before each code gives none unless `may` was answered by "done" on the same connection and for the
//! same account: that is good for one code or one pair, and only for [`YES`]. Without it, the answer is "ask first". So a
//! client asks first, and says what the time is when it has the answer.
//!
//! An access key is its profile, its id, and when it came in as u64 seconds since 1970.
//!
//! There is no verb that gives the secret of an account: whoever wants one says the passphrase again, to the vault itself.
//! The secret of an AWS access key leaves, since requests are signed with it, and what signs them is another process.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::account::{AccountId, Summary, query};
use crate::agent::wire::{Reader, Writer};
use crate::clock::UnixTime;
use crate::failure::Kind;
use crate::keyring::AccessKey;
use crate::otp::{Code, Pair, Pairing};
use crate::secret::page::Guard;
use crate::secret::{Secret, SecretText};

/// The version spoken here.
pub const VERSION: u16 = 1;
/// No frame is longer, its length field aside.
pub const MAX_FRAME: usize = 64 << 10;
/// The bytes before a request's body.
pub const REQUEST_HEAD: usize = 4 + 2 + 1 + 1 + 16;
/// The bytes before a reply's body.
pub const REPLY_HEAD: usize = 4 + 2 + 1 + 1;
/// The longest name of a session or profile.
const MAX_NAME: usize = 1024;
/// The longest session: the rest of the frame is for its name and head.
pub const MAX_BLOB: usize = 48 << 10;
/// How many accounts an answer names that isn't a single one.
pub const NAMED: usize = 9;
/// How many access keys a part of their list holds: with the longest names they fill less than a frame.
pub const KEYS: usize = 100;

/// How long a person's yes is good for: more than a ledger takes for a claim, even on a slow disk. Nobody waits for a time
/// step with a yes in the hand.
pub const YES: Duration = Duration::from_secs(20);

/// Names the vault that a client means.
pub type Tag = [u8; 16];

/// What a request is about, from its head alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// How the agent is.
    Status = 1,
    /// Take the key.
    Unlock = 2,
    /// Forget the key.
    Lock = 3,
    /// Every account.
    List = 4,
    /// The one account that a query means.
    Find = 5,
    /// A code.
    Code = 6,
    /// Two consecutive codes.
    Pair = 7,
    /// The next code of a counter.
    HotpNext = 8,
    /// A session that is held.
    SessionGet = 9,
    /// Hold a session.
    SessionPut = 10,
    /// Forget a session.
    SessionForget = 11,
    /// End the agent.
    Stop = 12,
    /// Ask the person whether a code may be given.
    May = 13,
    /// The access key that stands for a profile, with its secret.
    AccessKey = 14,
    /// Every access key, without secrets.
    AccessKeys = 15,
}

impl Verb {
    const ALL: [Self; 15] = [
        Self::Status,
        Self::Unlock,
        Self::Lock,
        Self::List,
        Self::Find,
        Self::Code,
        Self::Pair,
        Self::HotpNext,
        Self::SessionGet,
        Self::SessionPut,
        Self::SessionForget,
        Self::Stop,
        Self::May,
        Self::AccessKey,
        Self::AccessKeys,
    ];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| *verb as u8 == number)
    }
}

/// Which account is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// This one.
    Id(AccountId),
    /// The one that a query means.
    Query(String),
}

/// Which code is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// That of a moment.
    At(UnixTime),
    /// That of a time step.
    Step(u64),
}

/// Whether the client has asked the person about an account that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Not yet.
    Not,
    /// On the terminal, and the answer was yes.
    OnTerminal,
}

/// For how long the key is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// At most so long.
    pub whole: Duration,
    /// At most so long after the last use.
    pub idle: Duration,
}

/// Which accounts a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those outside the trash.
    Live,
    /// Those in the trash.
    Trash,
}

/// What a client asks for.
pub enum Request {
    /// How the agent is.
    Status,
    /// Take this key.
    Unlock {
        /// The vault's DEK.
        key: Secret,
        /// For how long.
        lifetimes: Lifetimes,
    },
    /// Forget the key.
    Lock,
    /// Every account.
    List(Which),
    /// The one account that a query means.
    Find(String),
    /// A code.
    Code {
        /// Of which account.
        whom: Whom,
        /// For which moment.
        when: When,
    },
    /// Two consecutive codes.
    Pair {
        /// Of which account.
        id: AccountId,
        /// The present moment.
        now: UnixTime,
        /// Which two.
        pairing: Pairing,
    },
    /// The next code of a counter.
    HotpNext {
        /// Of which account.
        id: AccountId,
        /// The present moment, for the save.
        now: UnixTime,
    },
    /// A session that is held.
    SessionGet {
        /// Its name.
        name: String,
        /// The present moment: an expired one isn't given.
        now: UnixTime,
    },
    /// Hold a session.
    SessionPut {
        /// Its name.
        name: String,
        /// What is held.
        blob: Secret,
        /// Until when.
        until: UnixTime,
    },
    /// Forget a session.
    SessionForget(String),
    /// End the agent.
    Stop,
    /// Whether the person lets one code leave.
    May {
        /// Of which account.
        id: AccountId,
        /// Whether the person was asked on the terminal.
        asked: Asked,
    },
    /// The access key that stands for this profile, with its secret.
    AccessKey(String),
    /// Every access key, without secrets.
    AccessKeys,
}

/// A request's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The bytes of the body.
    pub body: usize,
    /// The client's version.
    pub version: u16,
    /// What it wants; none for a verb that isn't known here.
    pub verb: Option<Verb>,
    /// Which vault it means.
    pub tag: Tag,
}

impl Head {
    /// From its bytes. None when the length is out of bounds: whatever follows can't be told apart any more.
    pub fn read(bytes: &[u8; REQUEST_HEAD]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let len = reader.u32()? as usize;
        let version = reader.u16()?;
        let verb = Verb::of(reader.u8()?);
        let _reserved = reader.u8()?;
        let tag = reader.array()?;
        let body = len.checked_sub(REQUEST_HEAD - 4)?;
        (len <= MAX_FRAME).then_some(Self {
            body,
            version,
            verb,
            tag,
        })
    }
}

impl Request {
    fn verb(&self) -> Verb {
        match self {
            Self::Status => Verb::Status,
            Self::Unlock { .. } => Verb::Unlock,
            Self::Lock => Verb::Lock,
            Self::List(_) => Verb::List,
            Self::Find(_) => Verb::Find,
            Self::Code { .. } => Verb::Code,
            Self::Pair { .. } => Verb::Pair,
            Self::HotpNext { .. } => Verb::HotpNext,
            Self::SessionGet { .. } => Verb::SessionGet,
            Self::SessionPut { .. } => Verb::SessionPut,
            Self::SessionForget(_) => Verb::SessionForget,
            Self::Stop => Verb::Stop,
            Self::May { .. } => Verb::May,
            Self::AccessKey(_) => Verb::AccessKey,
            Self::AccessKeys => Verb::AccessKeys,
        }
    }

    /// Whether a request whose answer didn't come may be made again: nothing is used up or ended by it twice.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::Status
            | Self::List(_)
            | Self::Find(_)
            | Self::Code { .. }
            | Self::Pair { .. }
            | Self::SessionGet { .. }
            | Self::SessionPut { .. }
            | Self::SessionForget(_)
            | Self::May { .. }
            | Self::AccessKey(_)
            | Self::AccessKeys => true,
            Self::Unlock { .. } | Self::Lock | Self::HotpNext { .. } | Self::Stop => false,
        }
    }

    /// The whole frame. None when it would be longer than a frame may be.
    pub fn write(&self, tag: &Tag) -> Option<Zeroizing<Vec<u8>>> {
        let mut body = Writer::new();
        match self {
            Self::Status | Self::Lock | Self::Stop | Self::AccessKeys => {}
            Self::Unlock { key, lifetimes } => {
                body.block(key.expose());
                body.u64(lifetimes.whole.as_secs());
                body.u64(lifetimes.idle.as_secs());
            }
            Self::List(which) => body.u8(match which {
                Which::Live => 0,
                Which::Trash => 1,
            }),
            Self::Find(query) => body.text(query),
            Self::Code { whom, when } => {
                match whom {
                    Whom::Id(id) => {
                        body.u8(0);
                        body.id(id);
                    }
                    Whom::Query(query) => {
                        body.u8(1);
                        body.text(query);
                    }
                }
                match when {
                    When::At(now) => {
                        body.u8(0);
                        body.time(*now);
                    }
                    When::Step(step) => {
                        body.u8(1);
                        body.u64(*step);
                    }
                }
            }
            Self::Pair { id, now, pairing } => {
                body.id(id);
                body.time(*now);
                body.u8(match pairing {
                    Pairing::Previous => 0,
                    Pairing::Next => 1,
                });
            }
            Self::HotpNext { id, now } => {
                body.id(id);
                body.time(*now);
            }
            Self::May { id, asked } => {
                body.id(id);
                body.u8(match asked {
                    Asked::Not => 0,
                    Asked::OnTerminal => 1,
                });
            }
            Self::SessionGet { name, now } => {
                body.text(name);
                body.time(*now);
            }
            Self::SessionPut { name, blob, until } => {
                body.text(name);
                body.block(blob.expose());
                body.time(*until);
            }
            Self::SessionForget(name) => body.text(name),
            Self::AccessKey(profile) => body.text(profile),
        }
        let len = REQUEST_HEAD - 4 + body.len();
        if len > MAX_FRAME {
            return None;
        }
        let mut frame = Writer::new();
        frame.u32(len as u32);
        frame.u16(VERSION);
        frame.u8(self.verb() as u8);
        frame.u8(0);
        frame.bytes(tag);
        frame.bytes(&body.into_bytes());
        Some(frame.into_bytes())
    }

    /// From a verb and its body. None when the body isn't exactly what the verb asks for.
    pub fn read(verb: Verb, body: &[u8]) -> Option<Self> {
        let mut body = Reader::new(body);
        let request = match verb {
            Verb::Status => Self::Status,
            Verb::Unlock => Self::Unlock {
                key: {
                    let key = body.block()?;
                    (key.len() == 32).then(|| Secret::new(key.to_vec()))?
                },
                lifetimes: Lifetimes {
                    whole: Duration::from_secs(body.u64()?),
                    idle: Duration::from_secs(body.u64()?),
                },
            },
            Verb::Lock => Self::Lock,
            Verb::List => Self::List(match body.u8()? {
                0 => Which::Live,
                1 => Which::Trash,
                _other => return None,
            }),
            Verb::Find => Self::Find(bounded(&mut body, query::MAX_LEN)?),
            Verb::Code => Self::Code {
                whom: match body.u8()? {
                    0 => Whom::Id(body.id()?),
                    1 => Whom::Query(bounded(&mut body, query::MAX_LEN)?),
                    _other => return None,
                },
                when: match body.u8()? {
                    0 => When::At(body.time()?),
                    1 => When::Step(body.u64()?),
                    _other => return None,
                },
            },
            Verb::Pair => Self::Pair {
                id: body.id()?,
                now: body.time()?,
                pairing: match body.u8()? {
                    0 => Pairing::Previous,
                    1 => Pairing::Next,
                    _other => return None,
                },
            },
            Verb::HotpNext => Self::HotpNext {
                id: body.id()?,
                now: body.time()?,
            },
            Verb::SessionGet => Self::SessionGet {
                name: bounded(&mut body, MAX_NAME)?,
                now: body.time()?,
            },
            Verb::SessionPut => Self::SessionPut {
                name: bounded(&mut body, MAX_NAME)?,
                blob: {
                    let blob = body.block()?;
                    (blob.len() <= MAX_BLOB).then(|| Secret::new(blob.to_vec()))?
                },
                until: body.time()?,
            },
            Verb::SessionForget => Self::SessionForget(bounded(&mut body, MAX_NAME)?),
            Verb::Stop => Self::Stop,
            Verb::May => Self::May {
                id: body.id()?,
                asked: if body.flag()? {
                    Asked::OnTerminal
                } else {
                    Asked::Not
                },
            },
            Verb::AccessKey => Self::AccessKey(bounded(&mut body, MAX_NAME)?),
            Verb::AccessKeys => Self::AccessKeys,
        };
        body.is_done().then_some(request)
    }
}

fn bounded(body: &mut Reader<'_>, most: usize) -> Option<String> {
    let text = body.text()?;
    (text.len() <= most).then(|| text.to_owned())
}

/// How an agent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The process that answered.
    pub pid: u32,
    /// The program's version.
    pub program: String,
    /// The vault that the agent is for, as its starter named it.
    pub vault: String,
    /// What it holds; none when it is locked.
    pub held: Option<Held>,
}

/// What an unlocked agent tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The accounts outside the trash.
    pub accounts: u32,
    /// The vault's generation.
    pub generation: u64,
    /// How the key is kept.
    pub guard: Guard,
    /// How long it is held still, at most.
    pub left: Duration,
    /// How long it is held still if nobody asks for anything.
    pub idle_left: Duration,
}

/// An account that was found, or those that it might be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOne {
    /// Several: the first of them, and how many there are.
    Several(Vec<Summary>, u32),
    /// None: the nearest by spelling, how many, and how many accounts there are at all.
    Nothing(Vec<Summary>, u32, u32),
}

/// What an agent answers.
pub enum Reply {
    /// Done, with nothing to tell.
    Done,
    /// How it is.
    Status(Status),
    /// Some summaries of a list; more follow.
    Part(Vec<Summary>),
    /// The end of a list, and how many records are of a kind that the agent doesn't know.
    End(u32),
    /// The account that was found.
    Found(Box<Summary>),
    /// A code and whose it is.
    Code(Box<Summary>, Code),
    /// Two codes.
    Pair(Pair),
    /// A session and its expiry, if one is held.
    Session(Option<(Secret, UnixTime)>),
    /// The access key of a profile and its secret, if it has one.
    AccessKey(Option<(AccessKey, SecretText)>),
    /// Some access keys of the list.
    AccessKeys {
        /// At most [`KEYS`].
        keys: Vec<AccessKey>,
        /// Whether another part follows.
        more: bool,
    },
    /// The agent holds no key.
    Locked,
    /// The query means no account, or several.
    NotOne(NotOne),
    /// The agent is for another vault: this one.
    OtherVault(String),
    /// The person must be asked on the terminal first.
    AskFirst(Box<Summary>),
    /// The person is being asked on the desktop: the answer follows.
    Asking,
    /// The person said no, or nothing.
    Denied,
    /// Too many are being asked at once.
    Busy,
    /// The request isn't what its verb asks for, or the verb isn't known.
    Malformed,
    /// It failed: what can be done, what happened, and a hint.
    Failed {
        /// What a caller can do.
        kind: Kind,
        /// What happened.
        message: String,
        /// What to do about it; may be empty.
        hint: String,
    },
    /// The agent speaks another version: which, and what program it is.
    OtherVersion(u16, String),
}

const DONE: u8 = 0;
const STATUS: u8 = 1;
const PART: u8 = 2;
const END: u8 = 3;
const FOUND: u8 = 4;
const CODE: u8 = 5;
const PAIR: u8 = 6;
const SESSION: u8 = 7;
const LOCKED: u8 = 8;
const NOT_ONE: u8 = 9;
const OTHER_VAULT: u8 = 10;
const ASK_FIRST: u8 = 11;
const ASKING: u8 = 12;
const DENIED: u8 = 13;
const BUSY: u8 = 14;
const MALFORMED: u8 = 15;
const FAILED: u8 = 16;
const ACCESS_KEY: u8 = 17;
const ACCESS_KEYS: u8 = 18;
const OTHER_VERSION: u8 = 255;

impl Reply {
    /// The whole frame.
    pub fn write(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Writer::new();
        let status = match self {
            Self::Done => DONE,
            Self::Status(status) => {
                write_status(&mut body, status);
                STATUS
            }
            Self::Part(summaries) => {
                body.u32(summaries.len() as u32);
                summaries.iter().for_each(|summary| body.summary(summary));
                PART
            }
            Self::End(unknown) => {
                body.u32(*unknown);
                END
            }
            Self::Found(summary) => {
                body.summary(summary);
                FOUND
            }
            Self::Code(summary, code) => {
                body.summary(summary);
                body.code(code);
                CODE
            }
            Self::Pair(pair) => {
                body.code(&pair.first);
                body.code(&pair.second);
                PAIR
            }
            Self::Session(held) => {
                body.u8(held.is_some().into());
                if let Some((blob, until)) = held {
                    body.block(blob.expose());
                    body.time(*until);
                }
                SESSION
            }
            Self::AccessKey(found) => {
                body.u8(found.is_some().into());
                if let Some((key, secret)) = found {
                    body.access_key(key);
                    body.text(secret.expose());
                }
                ACCESS_KEY
            }
            Self::AccessKeys { keys, more } => {
                body.u8((*more).into());
                body.u32(keys.len() as u32);
                keys.iter().for_each(|key| body.access_key(key));
                ACCESS_KEYS
            }
            Self::Locked => LOCKED,
            Self::NotOne(not_one) => {
                write_not_one(&mut body, not_one);
                NOT_ONE
            }
            Self::OtherVault(vault) => {
                body.text(cut(vault));
                OTHER_VAULT
            }
            Self::AskFirst(summary) => {
                body.summary(summary);
                ASK_FIRST
            }
            Self::Asking => ASKING,
            Self::Denied => DENIED,
            Self::Busy => BUSY,
            Self::Malformed => MALFORMED,
            Self::Failed {
                kind,
                message,
                hint,
            } => {
                body.u8(kind_number(*kind));
                body.text(cut(message));
                body.text(cut(hint));
                FAILED
            }
            Self::OtherVersion(version, program) => {
                body.u16(*version);
                body.text(cut(program));
                OTHER_VERSION
            }
        };
        let len = REPLY_HEAD - 4 + body.len();
        let mut frame = Writer::new();
        if len > MAX_FRAME {
            // One account alone doesn't fit into a frame: a note of a megabyte, say. Better told than cut.
            return Self::Failed {
                kind: Kind::Usage,
                message: "the account is too large for the agent".into(),
                hint: "ask with --no-agent".into(),
            }
            .write();
        }
        frame.u32(len as u32);
        frame.u16(VERSION);
        frame.u8(status);
        frame.u8(0);
        frame.bytes(&body.into_bytes());
        frame.into_bytes()
    }

    /// From what follows the length. None when it isn't a reply of this version; a version that can't be understood is told
    /// as what it is.
    pub fn read(frame: &[u8]) -> Option<Self> {
        let mut body = Reader::new(frame);
        let version = body.u16()?;
        let status = body.u8()?;
        let _reserved = body.u8()?;
        if status == OTHER_VERSION {
            return Some(Self::OtherVersion(body.u16()?, body.text()?.to_owned()));
        }
        if version != VERSION {
            return Some(Self::OtherVersion(version, String::new()));
        }
        let reply = match status {
            DONE => Self::Done,
            STATUS => Self::Status(read_status(&mut body)?),
            PART => {
                let count = body.u32()?;
                let summaries = (0..count).map(|_| body.summary());
                Self::Part(summaries.collect::<Option<_>>()?)
            }
            END => Self::End(body.u32()?),
            FOUND => Self::Found(Box::new(body.summary()?)),
            CODE => Self::Code(Box::new(body.summary()?), body.code()?),
            PAIR => Self::Pair(Pair {
                first: body.code()?,
                second: body.code()?,
            }),
            SESSION => Self::Session(if body.flag()? {
                let blob = Secret::new(body.block()?.to_vec());
                Some((blob, body.time()?))
            } else {
                None
            }),
            ACCESS_KEY => Self::AccessKey(if body.flag()? {
                let key = body.access_key()?;
                Some((key, SecretText::new(body.text()?.to_owned())))
            } else {
                None
            }),
            ACCESS_KEYS => {
                let more = body.flag()?;
                let count = body.u32()?;
                let keys = (0..count).map(|_| body.access_key());
                Self::AccessKeys {
                    keys: keys.collect::<Option<_>>()?,
                    more,
                }
            }
            LOCKED => Self::Locked,
            NOT_ONE => Self::NotOne(read_not_one(&mut body)?),
            OTHER_VAULT => Self::OtherVault(body.text()?.to_owned()),
            ASK_FIRST => Self::AskFirst(Box::new(body.summary()?)),
            ASKING => Self::Asking,
            DENIED => Self::Denied,
            BUSY => Self::Busy,
            MALFORMED => Self::Malformed,
            FAILED => Self::Failed {
                kind: kind(body.u8()?)?,
                message: body.text()?.to_owned(),
                hint: body.text()?.to_owned(),
            },
            _unknown => return None,
        };
        body.is_done().then_some(reply)
    }
}

/// At most 2,000 bytes: words of an error, not a book.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(2000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn write_status(body: &mut Writer, status: &Status) {
    body.u32(status.pid);
    body.text(cut(&status.program));
    body.text(cut(&status.vault));
    body.u8(status.held.is_some().into());
    if let Some(held) = &status.held {
        body.u32(held.accounts);
        body.u64(held.generation);
        body.u8(match held.guard {
            Guard::Secret => 0,
            Guard::Locked => 1,
            Guard::Plain => 2,
        });
        // A second that has begun counts: what was given a moment ago reads as it was given.
        body.u64(held.left.as_millis().div_ceil(1000) as u64);
        body.u64(held.idle_left.as_millis().div_ceil(1000) as u64);
    }
}

fn read_status(body: &mut Reader<'_>) -> Option<Status> {
    Some(Status {
        pid: body.u32()?,
        program: body.text()?.to_owned(),
        vault: body.text()?.to_owned(),
        held: if body.flag()? {
            Some(Held {
                accounts: body.u32()?,
                generation: body.u64()?,
                guard: match body.u8()? {
                    0 => Guard::Secret,
                    1 => Guard::Locked,
                    2 => Guard::Plain,
                    _other => return None,
                },
                left: Duration::from_secs(body.u64()?),
                idle_left: Duration::from_secs(body.u64()?),
            })
        } else {
            None
        },
    })
}

fn write_not_one(body: &mut Writer, not_one: &NotOne) {
    let (several, named, count, all) = match not_one {
        NotOne::Several(named, count) => (1, named, *count, 0),
        NotOne::Nothing(named, count, all) => (0, named, *count, *all),
    };
    body.u8(several);
    body.u32(count);
    body.u32(all);
    // As many as fit: their labels may be long.
    let mut rows = Writer::new();
    let mut written = 0u32;
    for summary in named {
        let mut row = Writer::new();
        row.summary(summary);
        if body.len() + rows.len() + row.len() + 64 > MAX_FRAME {
            break;
        }
        rows.bytes(&row.into_bytes());
        written += 1;
    }
    body.u32(written);
    body.bytes(&rows.into_bytes());
}

fn read_not_one(body: &mut Reader<'_>) -> Option<NotOne> {
    let is_several = body.flag()?;
    let count = body.u32()?;
    let all = body.u32()?;
    let rows = body.u32()?;
    let named = (0..rows)
        .map(|_| body.summary())
        .collect::<Option<Vec<_>>>()?;
    Some(if is_several {
        NotOne::Several(named, count)
    } else {
        NotOne::Nothing(named, count, all)
    })
}

const KINDS: [Kind; 11] = [
    Kind::Internal,
    Kind::Usage,
    Kind::NotFound,
    Kind::Ambiguous,
    Kind::Locked,
    Kind::WrongPassphrase,
    Kind::Damaged,
    Kind::Partly,
    Kind::Refused,
    Kind::Offline,
    Kind::Conflict,
];

fn kind_number(kind: Kind) -> u8 {
    // What isn't in the list is a person's interruption, of which an agent has none.
    let at = KINDS.iter().position(|known| *known == kind);
    at.unwrap_or_default() as u8
}

fn kind(number: u8) -> Option<Kind> {
    KINDS.get(usize::from(number)).copied()
}

#[cfg(test)]
mod tests;
