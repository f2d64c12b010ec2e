use super::*;
use crate::account::Account;
use crate::agent::protocol::{Head, MAX_FRAME, REQUEST_HEAD};
use crate::agent::{Address, Client, Usual};
use crate::failure::Kind;
use crate::otp::{Algorithm, Digits, Hotp, Scheme, Totp};
use crate::secret::SecretText;
use crate::vault::{Credential, KdfParams, PutKey, create};
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

mod threads;

const NOON: UnixTime = UnixTime::from_secs(1_800_000_000);
const LONG: Lifetimes = Lifetimes {
    whole: Duration::from_secs(3600),
    idle: Duration::from_secs(3600),
};

/// A vault in a directory of its own, and an agent's hold of it.
struct Bench {
    _dir: tempfile::TempDir,
    files: Files,
    key: Secret,
    vault: Unlocked,
    hold: Hold,
}

impl Bench {
    fn new(lifetimes: Lifetimes) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = Files {
            vault: dir.path().join("vault.vmfa"),
            state: dir.path().join("state"),
        };
        let credential = Credential::KeyFile(Secret::new(vec![0x5a; 40]));
        let (mut vault, _) = create(&files, &credential, KdfParams::LEAST, NOON).unwrap();
        vault.add(account("alice", totp(), ""), NOON).unwrap();
        vault.add(account("counter", hotp(), ""), NOON).unwrap();
        vault.save(NOON).unwrap();
        let key = vault.key_for_agent();
        let ask = Box::new(|_: &Summary, _: &dyn Fn() -> bool| Allowed::NotAsked);
        let hold = Hold::new(files.clone(), "here".into(), &key, lifetimes, ask).unwrap();
        Self {
            _dir: dir,
            files,
            key,
            vault,
            hold,
        }
    }

    fn ask(&self, request: Request) -> (Vec<Reply>, Then) {
        self.ask_as(&mut newcomer(), request)
    }

    /// On a connection that goes on.
    fn ask_as(&self, asker: &mut Asker<'_>, request: Request) -> (Vec<Reply>, Then) {
        let mut replies = Vec::new();
        let mut say = |reply| replies.push(reply);
        let then = self.hold.answer(request, asker, &mut say);
        (replies, then)
    }

    /// The last reply on a connection that goes on.
    fn last(&self, asker: &mut Asker<'_>, request: Request) -> Reply {
        self.ask_as(asker, request).0.pop().unwrap()
    }

    /// The one reply to a request after which it goes on.
    #[track_caller]
    fn one(&self, request: Request) -> Reply {
        let (mut replies, then) = self.ask(request);
        assert_eq!((replies.len(), then), (1, Then::GoOn));
        replies.remove(0)
    }

    fn id(&self, name: &str) -> AccountId {
        let Reply::Found(summary) = self.one(Request::Find(name.into())) else {
            panic!("no {name}");
        };
        summary.id
    }

    fn next(&self, id: AccountId) -> Reply {
        self.one(Request::HotpNext { id, now: NOON })
    }
}

/// A connection on which nothing was said yet.
fn newcomer() -> Asker<'static> {
    Asker {
        is_there: &|| true,
        yes: None,
    }
}

fn totp() -> Scheme {
    Scheme::Totp(Totp::default())
}

fn hotp() -> Scheme {
    Scheme::Hotp(Hotp {
        algorithm: Algorithm::Sha1,
        digits: Digits::SIX,
    })
}

fn account(name: &str, scheme: Scheme, note: &str) -> Account {
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: String::new(),
            name: name.into(),
            label_issuer: None,
            scheme,
            counter: None,
            tags: Vec::new(),
            note: note.into(),
            favorite: false,
            serial_number: None,
            image: None,
            added: NOON.secs(),
            trashed: None,
            conflict: false,
            // Told by the name, for these tests.
            confirm: name.starts_with("asking"),
        },
        secret: Secret::new(format!("the secret of {name}").into_bytes()),
        pin: None,
    }
}

fn code(whom: Whom) -> Request {
    Request::Code {
        whom,
        when: When::At(NOON),
    }
}

fn by_name(name: &str) -> Request {
    code(Whom::Query(name.into()))
}

#[test]
fn a_code_is_the_vaults_own() {
    let bench = Bench::new(LONG);
    let id = bench.id("alice");
    let expected = bench.vault.code_at(&id, NOON).unwrap();
    for whom in [Whom::Id(id), Whom::Query("alice".into())] {
        let Reply::Code(summary, code) = bench.one(code(whom)) else {
            panic!("no code");
        };
        assert_eq!((summary.id, &code), (id, &expected));
    }
}

#[test]
fn a_life_that_is_over_gives_nothing_but_how_it_is() {
    let over = Lifetimes {
        whole: Duration::ZERO,
        idle: Duration::from_secs(3600),
    };
    let bench = Bench::new(over);
    for request in [
        by_name("alice"),
        Request::List(Which::Live),
        Request::Find("alice".into()),
        Request::SessionForget("x".into()),
    ] {
        let (replies, then) = bench.ask(request);
        assert!(matches!(replies.as_slice(), [Reply::Locked]) && then == Then::Lock);
    }
    // Only the key itself brings it back, and only the right one.
    let renewed = |key| Request::Unlock {
        key,
        lifetimes: LONG,
    };
    let wrong = bench.one(renewed(Secret::new(vec![7; 32])));
    assert!(matches!(wrong, Reply::Failed { .. }));
    assert_eq!(bench.ask(by_name("alice")).1, Then::Lock);
    let right = bench.one(renewed(bench.key.duplicate()));
    assert!(matches!(right, Reply::Status(Status { held: Some(_), .. })));
    assert!(matches!(bench.one(by_name("alice")), Reply::Code(..)));
}

#[test]
fn lock_and_stop_are_answered_and_then_done() {
    let bench = Bench::new(LONG);
    for (request, expected) in [(Request::Lock, Then::Lock), (Request::Stop, Then::Stop)] {
        let (replies, then) = bench.ask(request);
        assert!(matches!(replies.as_slice(), [Reply::Done]) && then == expected);
    }
}

#[test]
fn the_key_goes_when_nobody_uses_it_and_doesnt_come_back() {
    let bench = Bench::new(LONG);
    let reading = bench.hold.read();
    assert!(!bench.hold.let_go(), "a code is being made, say");
    drop(reading);
    let mut in_use = None;
    let put = Request::SessionPut {
        name: "admin".into(),
        blob: Secret::new(b"a token".to_vec()),
        until: NOON,
    };
    bench.hold.answer(put, &mut newcomer(), &mut |_| {
        in_use.get_or_insert_with(|| bench.hold.let_go());
    });
    assert_eq!(in_use, Some(false), "what was saved isn't answered yet");
    assert!(bench.hold.let_go() && bench.hold.let_go());
    let (replies, _) = bench.ask(by_name("alice"));
    assert!(matches!(replies.as_slice(), [Reply::Locked]));
    let Reply::Status(status) = bench.one(Request::Status) else {
        panic!("no status");
    };
    assert!(status.held.is_none());
}

#[test]
fn the_key_goes_also_after_a_panic() {
    let bench = Bench::new(LONG);
    std::thread::scope(|scope| {
        let panics = scope.spawn(|| {
            let _state = bench.hold.write();
            panic!("on purpose");
        });
        assert!(panics.join().is_err());
    });
    assert!(bench.hold.let_go());
    assert!(bench.hold.read().vault.is_none());
}

#[test]
fn a_vault_that_is_gone_is_told_once_and_then_locked() {
    let bench = Bench::new(LONG);
    std::fs::remove_file(&bench.files.vault).unwrap();
    let (replies, then) = bench.ask(by_name("alice"));
    assert!(matches!(replies.as_slice(), [Reply::Failed { .. }]) && then == Then::Lock);
    assert!(bench.hold.read().vault.is_none());
    let (replies, _) = bench.ask(by_name("alice"));
    assert!(matches!(replies.as_slice(), [Reply::Locked]));
}

#[test]
fn what_another_one_saves_is_seen() {
    let mut bench = Bench::new(LONG);
    assert!(matches!(bench.one(by_name("bob")), Reply::NotOne(_)));
    bench.vault.add(account("bob", totp(), ""), NOON).unwrap();
    bench.vault.save(NOON).unwrap();
    assert!(matches!(bench.one(by_name("bob")), Reply::Code(..)));
    let id = bench.id("alice");
    bench.vault.remove(&id, NOON).unwrap();
    bench.vault.save(NOON).unwrap();
    assert!(matches!(
        bench.one(code(Whom::Id(id))),
        Reply::Failed { .. }
    ));
    let (replies, _) = bench.ask(Request::List(Which::Trash));
    let [Reply::Part(part), Reply::End(0)] = replies.as_slice() else {
        panic!("another list");
    };
    assert_eq!(part[0].id, id);
}

#[test]
fn a_counter_goes_on_in_the_file_and_a_failure_changes_nothing() {
    let bench = Bench::new(LONG);
    let id = bench.id("counter");
    let failed = bench.one(by_name("counter"));
    assert!(
        matches!(
            failed,
            Reply::Failed {
                kind: Kind::Usage,
                ..
            }
        ),
        "it has no code for a moment"
    );
    for expected in 0..3 {
        let Reply::Code(summary, code) = bench.next(id) else {
            panic!("no code");
        };
        assert_eq!(code.moment(), crate::otp::Moment::Counter(expected));
        assert_eq!(summary.counter, Some(expected + 1));
    }
    assert!(matches!(
        bench.next(bench.id("alice")),
        Reply::Failed { .. }
    ));
    // Nowhere to save to: no code, and the counter stays.
    let (away, here) = (bench.files.vault.with_extension("away"), &bench.files.vault);
    std::fs::rename(here, &away).unwrap();
    let (replies, _) = bench.ask(Request::HotpNext { id, now: NOON });
    assert!(!replies.iter().any(|reply| matches!(reply, Reply::Code(..))));
}

#[test]
fn a_list_fits_into_frames_whatever_the_notes() {
    let mut bench = Bench::new(LONG);
    for n in 0..300 {
        let note = "n".repeat(n * 10);
        let account = account(&format!("account {n}"), totp(), &note);
        bench.vault.add(account, NOON).unwrap();
    }
    bench.vault.save(NOON).unwrap();
    let (replies, _) = bench.ask(Request::List(Which::Live));
    let mut seen = 0;
    for reply in &replies {
        let frame = reply.write();
        assert!(frame.len() <= MAX_FRAME + 4);
        match Reply::read(&frame[4..]) {
            Some(Reply::Part(part)) => seen += part.len(),
            Some(Reply::End(0)) => {}
            _other => panic!("something else in a list"),
        }
    }
    assert_eq!(seen, 302);
    assert!(replies.len() > 10);
}

#[test]
fn access_keys_are_given_from_the_newest_state_and_listed_in_parts() {
    let mut bench = Bench::new(LONG);
    let given = |bench: &Bench, profile: &str| match bench.one(Request::AccessKey(profile.into())) {
        Reply::AccessKey(found) => {
            found.map(|(key, secret)| (key.access_key_id, secret.expose().to_owned()))
        }
        other => panic!("{other:?}"),
    };
    let listed = |bench: &Bench| {
        let (replies, _) = bench.ask(Request::AccessKeys);
        let count = replies.len();
        let mut all = Vec::new();
        for (n, reply) in replies.into_iter().enumerate() {
            let Reply::AccessKeys { keys, more } = reply else {
                panic!("{reply:?}");
            };
            assert!(keys.len() <= KEYS && more == (n + 1 < count));
            all.extend(keys);
        }
        (all, count)
    };
    assert_eq!(given(&bench, "prod"), None);
    assert_eq!(listed(&bench), (Vec::new(), 1));
    let put = |bench: &mut Bench, profile: &str, id: &str| {
        let secret = SecretText::new(format!("secret of {id}"));
        bench
            .vault
            .put_access_key(profile, id, secret, NOON)
            .unwrap();
    };
    put(&mut bench, "prod", "AKIATESTTESTTEST0001");
    bench.vault.save(NOON).unwrap();
    let first = "AKIATESTTESTTEST0001";
    assert_eq!(
        given(&bench, "prod"),
        Some((first.into(), format!("secret of {first}")))
    );
    // Another program changes it: the old one is never given again.
    put(&mut bench, "prod", "AKIATESTTESTTEST0002");
    for n in 0..2 * KEYS {
        put(&mut bench, &format!("p{n:04}"), "AKIATESTTESTTEST0003");
    }
    bench.vault.save(NOON).unwrap();
    let second = "AKIATESTTESTTEST0002";
    assert_eq!(
        given(&bench, "prod"),
        Some((second.into(), format!("secret of {second}")))
    );
    let (all, parts) = listed(&bench);
    assert_eq!(all, bench.vault.access_keys().unwrap());
    assert_eq!((all.len(), parts), (2 * KEYS + 1, 3));
    // They are no accounts.
    let Reply::Status(status) = bench.one(Request::Status) else {
        panic!("no status");
    };
    assert_eq!(status.held.unwrap().accounts, 2);
}

/// Answers connections one after the other until told to stop; the first is closed without a word, as one that idles is when
/// others wait.
fn serve(listener: &UnixListener, hold: &Hold, is_over: &AtomicBool) {
    for (n, stream) in listener.incoming().enumerate() {
        let mut stream = stream.unwrap();
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let mut head = [0; REQUEST_HEAD];
        while n > 0 && stream.read_exact(&mut head).is_ok() {
            let head = Head::read(&head).unwrap();
            let mut body = vec![0; head.body];
            stream.read_exact(&mut body).unwrap();
            let request = Request::read(head.verb.unwrap(), &body).unwrap();
            let mut say = |reply: Reply| stream.write_all(&reply.write()).unwrap();
            hold.answer(request, &mut newcomer(), &mut say);
        }
    }
}

#[test]
fn a_client_gets_the_access_keys_that_the_vault_gives() {
    let mut bench = Bench::new(LONG);
    for n in 0..=KEYS {
        let secret = SecretText::new(format!("secret of {n}"));
        let put =
            bench
                .vault
                .put_access_key(&format!("p{n:03}"), "AKIATESTTESTTEST0001", secret, NOON);
        assert_eq!(put.unwrap(), PutKey::New);
    }
    bench.vault.save(NOON).unwrap();
    let runtime = tempfile::tempdir().unwrap();
    let (state, vault) = (&bench.files.state, &bench.files.vault);
    let address = Address::new(Some(runtime.path()), state, vault, Usual::Yes);
    address.make_directory().unwrap();
    let listener = UnixListener::bind(address.socket()).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| serve(&listener, &bench.hold, &is_over));
        let client = Client::connect(&address).unwrap();
        let asked = (
            client.access_keys(),
            client.access_key("p007"),
            client.access_key("none"),
        );
        drop(client);
        // Before anything is asserted, or a failure would wait for the server for good.
        is_over.store(true, Ordering::SeqCst);
        drop(UnixStream::connect(address.socket()));
        assert_eq!(asked.0.unwrap(), bench.vault.access_keys().unwrap());
        let (key, secret) = asked.1.unwrap().unwrap();
        assert_eq!((&*key.profile, secret.expose()), ("p007", "secret of 7"));
        assert!(asked.2.unwrap().is_none());
    });
}

#[test]
fn a_session_is_held_beside_the_vault() {
    let bench = Bench::new(LONG);
    let get = || {
        bench.one(Request::SessionGet {
            name: "admin".into(),
            now: NOON,
        })
    };
    assert!(matches!(get(), Reply::Session(None)));
    let until = NOON.plus_secs(60);
    let put = Request::SessionPut {
        name: "admin".into(),
        blob: Secret::new(b"a token".to_vec()),
        until,
    };
    assert!(matches!(bench.one(put), Reply::Done));
    let Reply::Session(Some((blob, expiry))) = get() else {
        panic!("not held");
    };
    assert_eq!((blob.expose(), expiry), (b"a token".as_slice(), until));
    assert!(matches!(
        bench.one(Request::SessionForget("admin".into())),
        Reply::Done
    ));
    assert!(matches!(get(), Reply::Session(None)));
}

/// A bench with two accounts that ask, and their ids: time-based, counter-based.
fn asking_bench() -> (Bench, AccountId, AccountId) {
    let mut bench = Bench::new(LONG);
    let asking = [("asking-totp", totp()), ("asking-counter", hotp())];
    for (name, scheme) in asking {
        bench.vault.add(account(name, scheme, ""), NOON).unwrap();
    }
    bench.vault.save(NOON).unwrap();
    let (totp, counter) = (bench.id("asking-totp"), bench.id("asking-counter"));
    (bench, totp, counter)
}

fn may(id: AccountId, asked: Asked) -> Request {
    Request::May { id, asked }
}

/// Each way to a code of the two.
fn givers(totp: AccountId, counter: AccountId) -> [(AccountId, Request); 4] {
    [
        (totp, code(Whom::Id(totp))),
        (totp, by_name("asking-totp")),
        (
            totp,
            Request::Pair {
                id: totp,
                now: NOON,
                pairing: Pairing::Previous,
            },
        ),
        (
            counter,
            Request::HotpNext {
                id: counter,
                now: NOON,
            },
        ),
    ]
}

fn gives(reply: &Reply) -> bool {
    matches!(reply, Reply::Code(..) | Reply::Pair(_))
}

#[test]
fn an_account_that_asks_gives_one_code_for_one_yes_on_one_connection() {
    let (mut bench, totp, counter) = asking_bench();
    // No question is put but by `may`.
    bench.hold.ask = Box::new(|_, _| panic!("asked"));
    for (_, request) in givers(totp, counter) {
        assert!(matches!(bench.one(request), Reply::AskFirst(_)));
    }
    let counting = by_name("asking-counter");
    assert!(matches!(bench.one(counting), Reply::AskFirst(_)));
    bench.hold.ask = Box::new(|_, _| Allowed::Yes);
    for (at, (id, request)) in givers(totp, counter).into_iter().enumerate() {
        let again = || givers(totp, counter).into_iter().nth(at).unwrap().1;
        let mut asker = newcomer();
        let (replies, _) = bench.ask_as(&mut asker, may(id, Asked::Not));
        assert!(matches!(replies.as_slice(), [Reply::Asking, Reply::Done]));
        // Not by another connection, and not twice.
        assert!(matches!(bench.one(again()), Reply::AskFirst(_)));
        assert!(gives(&bench.last(&mut asker, request)));
        assert!(matches!(
            bench.last(&mut asker, again()),
            Reply::AskFirst(_)
        ));
        // Not for another account.
        let other = if id == totp { counter } else { totp };
        bench.last(&mut asker, may(other, Asked::Not));
        assert!(matches!(
            bench.last(&mut asker, again()),
            Reply::AskFirst(_)
        ));
        // Not for ever.
        bench.last(&mut asker, may(id, Asked::Not));
        asker.yes = asker
            .yes
            .map(|(id, until)| (id, until.at_most(Duration::ZERO)));
        assert!(!gives(&bench.last(&mut asker, again())));
    }
    // Whoever doesn't ask needs no yes, and gets none.
    let mut asker = newcomer();
    let (replies, _) = bench.ask_as(&mut asker, may(bench.id("alice"), Asked::Not));
    assert!(matches!(replies.as_slice(), [Reply::Done]) && asker.yes.is_none());
}

#[test]
fn the_desktops_answer_counts_and_the_terminals_without_one() {
    let (mut bench, totp, counter) = asking_bench();
    let answers = [
        (Allowed::Yes, [true, true]),
        (Allowed::No, [false, false]),
        (Allowed::Busy, [false, false]),
        (Allowed::NotAsked, [false, true]),
    ];
    for (answer, expected) in answers {
        bench.hold.ask = Box::new(move |_, _| answer);
        for (asked, expected) in [Asked::Not, Asked::OnTerminal].into_iter().zip(expected) {
            for (id, request) in givers(totp, counter) {
                let mut asker = newcomer();
                // An earlier yes doesn't outlive a later no.
                asker.yes = Some((id, Deadline::after(YES)));
                let reply = bench.last(&mut asker, may(id, asked));
                assert!(match (answer, asked) {
                    (Allowed::Yes, _) | (Allowed::NotAsked, Asked::OnTerminal) =>
                        matches!(reply, Reply::Done),
                    (Allowed::No, _) => matches!(reply, Reply::Denied),
                    (Allowed::Busy, _) => matches!(reply, Reply::Busy),
                    (Allowed::NotAsked, Asked::Not) => matches!(reply, Reply::AskFirst(_)),
                });
                let reply = bench.last(&mut asker, request);
                assert_eq!(gives(&reply), expected, "{answer:?} {asked:?}");
            }
        }
    }
}

#[test]
fn a_yes_is_no_good_for_what_is_in_the_trash_since() {
    let (mut bench, totp, counter) = asking_bench();
    bench.hold.ask = Box::new(|_, _| Allowed::Yes);
    let mut askers: Vec<_> = givers(totp, counter)
        .into_iter()
        .map(|(id, request)| {
            let mut asker = newcomer();
            bench.last(&mut asker, may(id, Asked::Not));
            (asker, request)
        })
        .collect();
    bench.vault.remove(&totp, NOON).unwrap();
    bench.vault.remove(&counter, NOON).unwrap();
    bench.vault.save(NOON).unwrap();
    for (asker, request) in askers.drain(..) {
        let mut asker = asker;
        let reply = bench.last(&mut asker, request);
        assert!(matches!(reply, Reply::Failed { .. } | Reply::NotOne(_)));
    }
}
