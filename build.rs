//! Links the program statically where that can be done, so that a code comes as soon as the process starts.
//!
//! Of a dynamically linked start half is spent on finding, mapping and relocating what one code doesn't need: a shared
//! `libgcc_s` and `libm`, and 12,000 relative relocations on 64 pages, which the kernel copies one by one. `crt-static` would
//! be the way to say it, but the compiler applies it to procedural macros too, which can't be built so, unless a target is
//! named on each command line. So the linker is told here, for `vmfa` alone; for it the result is the same.
//!
//! `VMFA_LINK` chooses: `static` (the default where the C library's archive is installed, on Linux with glibc, in a release
//! build), `static-pie` (the program's own code at a random address too, 0.15 ms slower) or `dynamic`. A musl target is
//! static by itself. What then remains is mostly glibc's own start, which asks the processor 68 times what it can: 7 us each
//! where a hypervisor answers.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads its environment and writes small files of its own"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=VMFA_LINK");
    println!("cargo::rustc-check-cfg=cfg(static_glibc)");
    let mode = set("VMFA_LINK");
    let (kind, asked): (&[&str], bool) = match mode.as_str() {
        "" => (&["-static", "-no-pie"], false),
        "static" => (&["-static", "-no-pie"], true),
        "static-pie" => (&["-static-pie"], true),
        "dynamic" => return,
        other => panic!("VMFA_LINK={other}: not one of static, static-pie, dynamic"),
    };
    if !asked && !is_usual() {
        return;
    }
    match archives() {
        Some(dir) => {
            // Searched before the system's own directories, where the shared libraries are.
            println!("cargo::rustc-link-arg-bin=vmfa=-L{}", dir.display());
            for argument in kind {
                println!("cargo::rustc-link-arg-bin=vmfa={argument}");
            }
            // What loads libraries at run time must be done otherwise: looking up names.
            println!("cargo::rustc-cfg=static_glibc");
        }
        None if asked => {
            panic!("VMFA_LINK={mode}: no static C library (libc.a) is installed for this compiler")
        }
        None => {}
    }
}

fn set(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// Whether this is a build that static linking is meant for: for this machine's own glibc, optimised, and with no flags that
/// need a shared library or say themselves how to link.
fn is_usual() -> bool {
    let flags = set("CARGO_ENCODED_RUSTFLAGS");
    let says_otherwise = ["sanitizer", "crt-static", "fuzzing", "link-arg=-fuse-ld="]
        .iter()
        .any(|flag| flags.contains(flag));
    set("CARGO_CFG_TARGET_OS") == "linux"
        && set("CARGO_CFG_TARGET_ENV") == "gnu"
        && set("HOST") == set("TARGET")
        && set("PROFILE") == "release"
        && !says_otherwise
}

/// A directory in which each library that the compiler names has its static archive under the name that is looked for.
fn archives() -> Option<PathBuf> {
    let linker = match set("RUSTC_LINKER") {
        linker if linker.is_empty() => "cc".to_owned(),
        linker => linker,
    };
    let archive = |name: &str| {
        let asked = Command::new(&linker)
            .arg(format!("-print-file-name={name}"))
            .output();
        let found = PathBuf::from(String::from_utf8(asked.ok()?.stdout).ok()?.trim());
        // A name that isn't found comes back as it was given.
        (found.is_absolute() && found.is_file()).then_some(found)
    };
    let [libc, libm, libgcc, libgcc_eh] =
        ["libc.a", "libm.a", "libgcc.a", "libgcc_eh.a"].map(archive);
    let (libc, libm, libgcc, libgcc_eh) = (libc?, libm?, libgcc?, libgcc_eh?);
    let dir = Path::new(&std::env::var_os("OUT_DIR")?).join("static");
    std::fs::create_dir_all(&dir).ok()?;
    let script = |name: &str, archives: &[&PathBuf]| {
        let names: Vec<String> = archives
            .iter()
            .map(|archive| format!("\"{}\"", archive.display()))
            .collect();
        std::fs::write(dir.join(name), format!("GROUP({})\n", names.join(" "))).ok()
    };
    let unwinding = [&libgcc_eh, &libgcc, &libc];
    script("libgcc_s.a", &unwinding)?;
    script("libc.a", &unwinding)?;
    script("libm.a", &[&libm, &libc])?;
    // Since glibc 2.34 these are part of libc, before that archives of their own.
    for name in ["libutil.a", "libpthread.a", "libdl.a", "librt.a"] {
        script(name, &[&archive(name).unwrap_or_else(|| libc.clone())])?;
    }
    Some(dir)
}
