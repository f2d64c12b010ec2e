use super::*;
use crate::otp::{Algorithm, Digits, Hotp, Moment, Period, Scheme, Totp};
use proptest::prelude::*;

/// For what a failed case tells; secrets in it are the test's own.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.verb(), self.write(&Tag::default()))
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.write())
    }
}

fn time() -> impl Strategy<Value = UnixTime> {
    (any::<u64>(), 0u16..1000)
        .prop_map(|(secs, millis)| UnixTime::from_parts(secs, millis).unwrap())
}

fn id() -> impl Strategy<Value = AccountId> {
    any::<[u8; 16]>().prop_map(AccountId::from_bytes)
}

fn secret(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), len)
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![Just(Asked::Not), Just(Asked::OnTerminal)]
}

fn request() -> impl Strategy<Value = Request> {
    let lifetime = || any::<u64>().prop_map(Duration::from_secs);
    let whom = prop_oneof![id().prop_map(Whom::Id), ".{0,60}".prop_map(Whom::Query)];
    let when = prop_oneof![time().prop_map(When::At), any::<u64>().prop_map(When::Step)];
    let pairing = prop_oneof![Just(Pairing::Previous), Just(Pairing::Next)];
    prop_oneof![
        Just(()).prop_map(|()| Request::Status),
        Just(()).prop_map(|()| Request::Lock),
        Just(()).prop_map(|()| Request::Stop),
        Just(()).prop_map(|()| Request::List(Which::Live)),
        Just(()).prop_map(|()| Request::List(Which::Trash)),
        (secret(32), lifetime(), lifetime()).prop_map(|(key, whole, idle)| Request::Unlock {
            key: Secret::new(key),
            lifetimes: Lifetimes { whole, idle },
        }),
        ".{0,60}".prop_map(Request::Find),
        (whom, when).prop_map(|(whom, when)| Request::Code { whom, when }),
        (id(), time(), pairing).prop_map(|(id, now, pairing)| Request::Pair { id, now, pairing }),
        (id(), time()).prop_map(|(id, now)| Request::HotpNext { id, now }),
        (id(), asked()).prop_map(|(id, asked)| Request::May { id, asked }),
        (".{0,60}", time()).prop_map(|(name, now)| Request::SessionGet { name, now }),
        (".{0,60}", secret(0..300), time()).prop_map(|(name, blob, until)| Request::SessionPut {
            name,
            blob: Secret::new(blob),
            until,
        }),
        ".{0,60}".prop_map(Request::SessionForget),
        ".{0,60}".prop_map(Request::AccessKey),
        Just(()).prop_map(|()| Request::AccessKeys),
    ]
}

fn summary() -> impl Strategy<Value = Summary> {
    let scheme = prop_oneof![
        Just(Scheme::Steam),
        Just(Scheme::Motp),
        Just(Scheme::Yandex),
        Just(Scheme::Hotp(Hotp {
            algorithm: Algorithm::Sha512,
            digits: Digits::SIX,
        })),
        (1u64..100_000, any::<u64>()).prop_map(|(period, t0)| Scheme::Totp(Totp {
            period: Period::new(period).unwrap(),
            t0,
            ..Totp::default()
        })),
    ];
    let optional = || prop::option::of(".{1,20}");
    let texts = (
        ".{0,20}",
        ".{0,20}",
        ".{0,200}",
        optional(),
        optional(),
        optional(),
    );
    let numbers = (
        prop::option::of(any::<u64>()),
        any::<u64>(),
        prop::option::of(any::<u64>()),
    );
    let tags = prop::collection::vec(".{0,9}", 0..4);
    (
        id(),
        texts,
        scheme,
        numbers,
        tags,
        any::<(bool, bool, bool)>(),
    )
        .prop_map(
            |(
                id,
                texts,
                scheme,
                (counter, added, trashed),
                tags,
                (favorite, conflict, confirm),
            )| {
                let (issuer, name, note, label_issuer, serial_number, image) = texts;
                Summary {
                    id,
                    issuer,
                    name,
                    label_issuer,
                    scheme,
                    counter,
                    tags,
                    note,
                    favorite,
                    serial_number,
                    image,
                    added,
                    trashed,
                    conflict,
                    confirm,
                }
            },
        )
}

fn code() -> impl Strategy<Value = Code> {
    let moment = prop_oneof![
        any::<u64>().prop_map(Moment::Counter),
        any::<(u64, u64, u64)>().prop_map(|(step, from, until)| Moment::Step {
            step,
            from: UnixTime::from_secs(from),
            until: UnixTime::from_secs(until),
        }),
    ];
    ("[0-9A-Za-z]{1,10}", moment).prop_map(|(text, moment)| Code::from_text(&text, moment).unwrap())
}

fn access_key() -> impl Strategy<Value = AccessKey> {
    (".{0,60}", ".{0,60}", any::<u64>()).prop_map(|(profile, access_key_id, added)| AccessKey {
        profile,
        access_key_id,
        added,
    })
}

fn status() -> impl Strategy<Value = Status> {
    let guard = prop_oneof![Just(Guard::Secret), Just(Guard::Locked), Just(Guard::Plain)];
    let secs = || any::<u64>().prop_map(Duration::from_secs);
    let held = (any::<u32>(), any::<u64>(), guard, secs(), secs()).prop_map(
        |(accounts, generation, guard, left, idle_left)| Held {
            accounts,
            generation,
            guard,
            left,
            idle_left,
        },
    );
    (any::<u32>(), ".{0,20}", ".{0,60}", prop::option::of(held)).prop_map(
        |(pid, program, vault, held)| Status {
            pid,
            program,
            vault,
            held,
        },
    )
}

fn reply() -> impl Strategy<Value = Reply> {
    let some = || prop::collection::vec(summary(), 0..5);
    let kind = prop::sample::select(KINDS.to_vec());
    prop_oneof![
        Just(()).prop_map(|()| Reply::Done),
        Just(()).prop_map(|()| Reply::Locked),
        Just(()).prop_map(|()| Reply::Asking),
        Just(()).prop_map(|()| Reply::Denied),
        Just(()).prop_map(|()| Reply::Busy),
        Just(()).prop_map(|()| Reply::Malformed),
        status().prop_map(Reply::Status),
        some().prop_map(Reply::Part),
        any::<u32>().prop_map(Reply::End),
        summary().prop_map(|summary| Reply::Found(Box::new(summary))),
        summary().prop_map(|summary| Reply::AskFirst(Box::new(summary))),
        (summary(), code()).prop_map(|(summary, code)| Reply::Code(Box::new(summary), code)),
        (code(), code()).prop_map(|(first, second)| Reply::Pair(Pair { first, second })),
        prop::option::of((secret(0..300), time()))
            .prop_map(|held| Reply::Session(held.map(|(blob, until)| (Secret::new(blob), until)))),
        prop::option::of((access_key(), ".{0,60}"))
            .prop_map(|found| Reply::AccessKey(found.map(|(key, s)| (key, SecretText::new(s))))),
        (prop::collection::vec(access_key(), 0..5), any::<bool>())
            .prop_map(|(keys, more)| Reply::AccessKeys { keys, more }),
        (some(), any::<u32>())
            .prop_map(|(some, count)| Reply::NotOne(NotOne::Several(some, count))),
        (some(), any::<u32>(), any::<u32>())
            .prop_map(|(some, count, all)| Reply::NotOne(NotOne::Nothing(some, count, all))),
        ".{0,60}".prop_map(Reply::OtherVault),
        (kind, ".{0,60}", ".{0,60}").prop_map(|(kind, message, hint)| Reply::Failed {
            kind,
            message,
            hint
        }),
        (any::<u16>(), ".{0,20}")
            .prop_map(|(version, program)| Reply::OtherVersion(version, program)),
    ]
}

proptest! {
    /// The frames are compared, since a request holds secrets and has no equality: writing is tested by the second
    /// implementation in tests/agent.
    #[test]
    fn a_request_reads_back(request in request(), tag in any::<Tag>()) {
        let frame = request.write(&tag).unwrap();
        let head = Head::read(frame.first_chunk().unwrap()).unwrap();
        prop_assert_eq!(head, Head {
            body: frame.len() - REQUEST_HEAD,
            version: VERSION,
            verb: Some(request.verb()),
            tag,
        });
        let body = &frame[REQUEST_HEAD..];
        let again = Request::read(request.verb(), body).unwrap();
        prop_assert!(*again.write(&tag).unwrap() == *frame);
        // Not a byte more or less.
        prop_assert!(Request::read(request.verb(), &[body, b"x"].concat()).is_none());
        for cut in 0..body.len() {
            prop_assert!(Request::read(request.verb(), &body[..cut]).is_none());
        }
        let once = [Verb::Unlock, Verb::Lock, Verb::HotpNext, Verb::Stop];
        prop_assert_eq!(request.may_be_repeated(), !once.contains(&request.verb()));
    }

    #[test]
    fn a_reply_reads_back(reply in reply()) {
        let frame = reply.write();
        let len = u32::from_le_bytes(*frame.first_chunk().unwrap()) as usize;
        prop_assert_eq!(len, frame.len() - 4);
        let again = Reply::read(&frame[4..]).unwrap();
        prop_assert!(*again.write() == *frame);
        if !matches!(reply, Reply::OtherVersion(..)) {
            prop_assert!(Reply::read(&[&frame[4..], b"x"].concat()).is_none());
        }
        for cut in 4..frame.len() {
            prop_assert!(Reply::read(&frame[4..cut]).is_none());
        }
    }

    #[test]
    fn no_bytes_make_it_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300), status in 0u8..20) {
        for verb in Verb::ALL {
            let _ = Request::read(verb, &bytes);
        }
        let _ = Reply::read(&bytes);
        // And where version and status are right.
        if let [a, b, c, ..] = bytes.as_mut_slice() {
            (*a, *b, *c) = (1, 0, status);
        }
        let _ = Reply::read(&bytes);
    }

    #[test]
    fn a_head_keeps_to_its_bounds(bytes in any::<[u8; REQUEST_HEAD]>(), len in 0u32..70_000) {
        let mut near = bytes;
        near[..4].copy_from_slice(&len.to_le_bytes());
        for bytes in [bytes, near] {
            let len = u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
            let head = Head::read(&bytes);
            prop_assert_eq!(head.is_some(), (REQUEST_HEAD - 4..=MAX_FRAME).contains(&len));
            if let Some(head) = head {
                prop_assert_eq!(head.body, len + 4 - REQUEST_HEAD);
            }
        }
    }
}

#[test]
fn a_part_of_the_longest_access_keys_fits() {
    let key = AccessKey {
        profile: "p".repeat(256),
        access_key_id: "K".repeat(128),
        added: u64::MAX,
    };
    let frame = Reply::AccessKeys {
        keys: vec![key; KEYS],
        more: true,
    };
    let read = Reply::read(&frame.write()[4..]);
    assert!(matches!(read, Some(Reply::AccessKeys { keys, more: true }) if keys.len() == KEYS));
}

#[test]
fn what_doesnt_fit_isnt_cut() {
    let tag = Tag::default();
    assert!(Request::Find("a".repeat(MAX_FRAME)).write(&tag).is_none());
    let put = |len| Request::SessionPut {
        name: "n".repeat(MAX_NAME),
        blob: Secret::new(vec![0; len]),
        until: UnixTime::from_secs(0),
    };
    let largest = put(MAX_BLOB).write(&tag).unwrap();
    let read = Request::read(Verb::SessionPut, &largest[REQUEST_HEAD..]);
    assert!(read.is_some());
    let larger = put(MAX_BLOB + 1).write(&tag).unwrap();
    let read = Request::read(Verb::SessionPut, &larger[REQUEST_HEAD..]);
    assert!(read.is_none());
}
