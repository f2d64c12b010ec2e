//! Every reader of bytes that others wrote, under a fuzzer: `VMFA_FUZZ` names the one that runs. See `fuzz/run`.
//!
//! A target says by a panic what must not be: a crash, a text that isn't fit for a terminal, words of ours that aren't read as
//! they were written, a bound that isn't kept.
#![no_main]

mod coverage;
mod target {
    pub mod agent_head;
    pub mod agent_reply;
    pub mod agent_request;
    pub mod aws_answers;
    pub mod aws_chain;
    pub mod aws_csv;
    pub mod aws_ini;
    pub mod aws_policy;
    pub mod aws_report;
    pub mod base32;
    pub mod import_read;
    pub mod import_text;
    pub mod key_uri;
    pub mod naive;
    pub mod qr_draw;
    pub mod qr_picture;
    pub mod qr_pixels;
    pub mod text;
}

use std::sync::OnceLock;

/// One reader.
type Target = fn(&[u8]);

/// The table of targets; `fuzz/run` asks for the names.
const TARGETS: [(&str, Target); 27] = [
    ("agent_head", target::agent_head::run),
    ("agent_reply", target::agent_reply::run),
    ("agent_request", target::agent_request::run),
    ("aws_answers", target::aws_answers::run),
    ("aws_chain", target::aws_chain::run),
    ("aws_csv", target::aws_csv::run),
    ("aws_ini", target::aws_ini::run),
    ("aws_policy", target::aws_policy::run),
    ("aws_report", target::aws_report::run),
    ("base32", target::base32::run),
    ("bus_message", vmfa::desktop::fuzzing::message),
    ("import_read", target::import_read::run),
    ("import_text", target::import_text::run),
    ("key_uri", target::key_uri::run),
    ("ledger", vmfa::ledger::fuzzing::ledger),
    ("naive", target::naive::run),
    ("qr_draw", target::qr_draw::run),
    ("qr_picture", target::qr_picture::run),
    ("qr_pixels", target::qr_pixels::run),
    ("text", target::text::run),
    ("vault_body", vmfa::vault::fuzzing::body),
    ("vault_fields", vmfa::vault::fuzzing::record_fields),
    ("vault_header", vmfa::vault::fuzzing::header),
    ("vault_inner", vmfa::vault::fuzzing::inner),
    ("vault_merge", vmfa::vault::fuzzing::merged),
    ("vault_pin", vmfa::vault::fuzzing::pinned),
    ("vault_session", vmfa::vault::fuzzing::session),
];

fn chosen() -> Target {
    let name = std::env::var("VMFA_FUZZ").unwrap_or_default();
    if name == "list" {
        // The control is none of the readers.
        let names = TARGETS.iter().map(|(name, _)| *name);
        names
            .filter(|name| *name != "naive")
            .for_each(|name| println!("{name}"));
        std::process::exit(0);
    }
    if name == "coverage" {
        coverage::tell(&TARGETS);
        std::process::exit(0);
    }
    match TARGETS.iter().find(|(other, _)| *other == name) {
        Some((_, target)) => *target,
        None => {
            eprintln!("VMFA_FUZZ={name:?} names no target");
            std::process::exit(2);
        }
    }
}

static CHOSEN: OnceLock<Target> = OnceLock::new();

// libFuzzer, which brings `main`.
#[link(name = "vmfa_fuzzer", kind = "static", modifiers = "+whole-archive")]
#[link(name = "stdc++")]
unsafe extern "C" {}

/// What libFuzzer calls with each input. A panic that gets here is a finding; one that our own code catches, as it does around
/// other people's decoders, is none.
#[unsafe(export_name = "LLVMFuzzerTestOneInput")]
extern "C" fn test_one_input(data: *const u8, len: usize) -> i32 {
    // libFuzzer's own promise. Of an empty input the address may be null.
    let bytes = match len {
        0 => &[],
        len => unsafe { std::slice::from_raw_parts(data, len) },
    };
    if std::panic::catch_unwind(|| CHOSEN.get_or_init(chosen)(bytes)).is_err() {
        std::process::abort();
    }
    0
}

/// What libFuzzer calls first.
#[unsafe(export_name = "LLVMFuzzerInitialize")]
extern "C" fn initialize(_count: *const i32, _arguments: *const *const *const u8) -> i32 {
    CHOSEN.get_or_init(chosen);
    0
}
