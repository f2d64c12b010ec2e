//! The agent as a client meets it: 10,000 accounts, one connection, the program's own optimised build at the other end.
//!
//! Codes a second over one connection is the inverse of "a code by id". Prints the memory of both processes at the end.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use vmfa::account::{Account, AccountId, Summary};
use vmfa::agent::protocol::{Lifetimes, Which};
use vmfa::agent::{Address, Client, Usual};
use vmfa::authenticator::Authenticator as _;
use vmfa::clock::UnixTime;
use vmfa::keep::Keep as _;
use vmfa::otp::{Scheme, Totp};
use vmfa::secret::Secret;
use vmfa::vault::{Credential, Files, KdfParams, Unlocked, create};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const COUNT: usize = 10_000;

fn account(n: usize) -> Account {
    Account {
        summary: Summary {
            id: AccountId::random().unwrap(),
            issuer: format!("Issuer {}", n % 100),
            name: format!("person.{n}@example.org"),
            label_issuer: None,
            scheme: Scheme::Totp(Totp::default()),
            counter: None,
            tags: Vec::new(),
            note: String::new(),
            favorite: false,
            serial_number: None,
            image: None,
            added: NOW.secs(),
            trashed: None,
            conflict: false,
            confirm: false,
        },
        secret: Secret::new(n.to_le_bytes().repeat(4)),
        pin: None,
    }
}

fn vault(home: &Path) -> (Files, Unlocked) {
    let files = Files {
        vault: home.join("bench.vmfa"),
        state: home.join(".local/state/vmfa"),
    };
    let credential = Credential::KeyFile(Secret::new(vec![7; 32]));
    let (mut vault, _) = create(&files, &credential, KdfParams::DEFAULT, NOW).unwrap();
    for n in 0..COUNT {
        vault.add(account(n), NOW).unwrap();
    }
    vault.save(NOW).unwrap();
    (files, vault)
}

/// An agent that ends with this value.
struct Agent(Child);

impl Agent {
    fn start(home: &Path, files: &Files, address: &Address) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_vmfa"))
            .env_clear()
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .arg("--vault")
            .arg(&files.vault)
            .args(["agent", "--foreground"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        while Client::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(child)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The resident memory of a process in KiB, and how much of it is its own.
fn memory(pid: u32) -> String {
    let path = format!("/proc/{pid}/smaps_rollup");
    let rollup = std::fs::File::open(path).and_then(std::io::read_to_string);
    let rollup = rollup.unwrap_or_default();
    let of = |name: &str| {
        let line = rollup.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1))
            .unwrap_or("?")
            .to_owned()
    };
    format!(
        "{} KiB resident, {} KiB private",
        of("Rss:"),
        of("Private_Dirty:")
    )
}

fn benches(c: &mut Criterion) {
    let home = tempfile::tempdir().unwrap();
    let (files, vault) = vault(home.path());
    let address = Address::new(Some(home.path()), &files.state, &files.vault, Usual::No);
    let agent = Agent::start(home.path(), &files, &address);
    let client = Client::connect(&address).unwrap();
    let long = Lifetimes {
        whole: Duration::from_secs(3600),
        idle: Duration::from_secs(3600),
    };
    let status = client.unlock(&vault, long).unwrap();
    let summary = vault.live().nth(COUNT / 2).unwrap().clone();
    let label = summary.label();
    c.bench_function("agent: a code by id, one connection", |b| {
        b.iter(|| client.code_at(black_box(&summary.id), NOW).unwrap());
    });
    c.bench_function("agent: a code by its label, one connection", |b| {
        b.iter(|| client.code_of(black_box(&label), NOW).unwrap());
    });
    c.bench_function("agent: a code by its name, one connection", |b| {
        b.iter(|| client.code_of(black_box(&summary.name), NOW).unwrap());
    });
    c.bench_function("agent: connect, and a code by id", |b| {
        b.iter(|| {
            let client = Client::connect(&address).unwrap();
            client.code_at(black_box(&summary.id), NOW).unwrap()
        });
    });
    let blob = Secret::new(vec![1; 1200]);
    client.hold("bench", &blob, NOW.plus_secs(3600)).unwrap();
    c.bench_function("agent: a session of 1,200 bytes", |b| {
        b.iter(|| client.recall("bench", NOW).unwrap().unwrap());
    });
    c.bench_function("agent: a list of all", |b| {
        b.iter(|| client.list(Which::Live).unwrap().summaries.len());
    });
    println!("supervisor: {}", memory(agent.0.id()));
    println!("keyholder with {COUNT} accounts: {}", memory(status.pid));
}

criterion_group!(all, benches);
criterion_main!(all);
