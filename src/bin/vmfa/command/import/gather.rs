//! The files that a person named, directories and standard input among them, read; their passphrases asked for.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use vmfa::account::text::clean;
use vmfa::account::{Draft, Refusal};
use vmfa::import::{self, Alone, Beside, Contents, Format, ImportError, Other, Reading, Source};
use zeroize::Zeroizing;

use crate::args::Import;
use crate::command::import::keys::{Broken, Keys};
use crate::command::import::{gpg, unknown_format};
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::Context;

/// The most bytes of a file.
const MAX_FILE: u64 = 64 << 20;
/// The most files of all directories together.
const MAX_FILES: usize = 20_000;
/// How deep directories are walked.
const MAX_DEPTH: usize = 32;

/// One file, or one file of an archive, and what is in it.
pub(super) struct Gathered {
    /// As it was named, safe to print; with the path in an archive.
    pub(super) name: String,
    /// Its name without the directory.
    pub(super) short: String,
    /// Of which format it is.
    pub(super) format: Option<&'static Format>,
    /// What is in it, or why it can't be read.
    pub(super) contents: Result<Contents, Fault>,
    /// Whether a passphrase was needed.
    pub(super) sealed: bool,
    rows: RefCell<Vec<Result<Draft, Refusal>>>,
}

impl Gathered {
    fn read(file: &Named, reading: Reading, sealed: bool) -> Self {
        let Reading {
            member,
            format,
            mut contents,
        } = reading;
        let member = clean(&member);
        let with_member = |name: &str| match member.as_ref() {
            "" => name.to_owned(),
            member => format!("{name}/{member}"),
        };
        Self {
            name: with_member(&file.shown),
            short: with_member(file.short().as_ref()),
            format: Some(format),
            rows: RefCell::new(std::mem::take(&mut contents.rows)),
            contents: Ok(contents),
            sealed,
        }
    }

    fn failed(file: &Named, fault: Fault) -> Self {
        Self {
            name: file.shown.clone(),
            short: file.short().into_owned(),
            format: None,
            rows: RefCell::default(),
            contents: Err(fault),
            sealed: false,
        }
    }

    /// The drafts, once: they hold secrets and can't be copied.
    pub(super) fn take_rows(&self) -> Vec<Result<Draft, Refusal>> {
        self.rows.take()
    }
}

/// A file to read.
struct Named {
    /// Where it is; none for standard input.
    path: Option<PathBuf>,
    /// As it is shown.
    shown: String,
    /// Its name, or in a directory that was named its path from there.
    name: String,
    /// Found in a directory: files of other kinds are to be expected.
    found: bool,
    /// One of a password store: gpg opens it.
    gpg: bool,
}

impl Named {
    fn short(&self) -> Cow<'_, str> {
        match self.path {
            None => Cow::Borrowed(&self.shown),
            Some(_) => clean(&self.name),
        }
    }
}

/// Reads everything that was named.
///
/// # Errors
/// Nothing was named, or in a way that can't be meant. A file that can't be read is told in its place.
pub(super) fn gather(context: &Context, input: &Import) -> Outcome<Vec<Gathered>> {
    let from = match &input.from {
        None => None,
        Some(word) => Some(import::by_id(word).ok_or_else(|| unknown_format(word))?),
    };
    if input.files.is_empty() {
        return Err(Fault::usage(
            "nothing to import: name files, directories, or - for standard input",
        )
        .hint("vmfa import backup.json"));
    }
    let mut named = Vec::new();
    for path in &input.files {
        expand(context, path, &mut named)?;
    }
    let mut keys = Keys::new(input);
    let mut gathered: Vec<Gathered> = Vec::new();
    let mut origins: Vec<Option<PathBuf>> = Vec::new();
    let mut others = 0;
    for file in &named {
        match read(context, file, from, &mut keys) {
            Ok((readings, sealed)) => {
                for reading in readings {
                    // What gpg opened was sealed, too.
                    gathered.push(Gathered::read(file, reading, sealed || file.gpg));
                    origins.push(file.path.clone());
                }
            }
            Err(Failed::Other) => others += 1,
            Err(Failed::Fault(fault)) if fault.exit() == Exit::Interrupted => return Err(fault),
            Err(Failed::Fault(fault)) => {
                gathered.push(Gathered::failed(file, fault));
                origins.push(file.path.clone());
            }
        }
    }
    drop_read_along(&mut gathered, &origins);
    let nothing = gathered.is_empty();
    let first = gathered
        .iter_mut()
        .find_map(|file| file.contents.as_mut().ok());
    match first {
        Some(first) if others > 0 => *first.skipped.entry(Other::File).or_default() += others,
        Some(_) => {}
        None if nothing => {
            return Err(Fault::new(
                Exit::NotFound,
                match others {
                    0 => "there is no file in it".to_owned(),
                    1 => "the one file in it is no export that vmfa knows".to_owned(),
                    many => format!("none of the {many} files in it is an export that vmfa knows"),
                },
            )
            .hint("`vmfa import --help` lists what is read"));
        }
        None => {}
    }
    Ok(gathered)
}

/// A file that another one brought along would come twice.
fn drop_read_along(gathered: &mut Vec<Gathered>, origins: &[Option<PathBuf>]) {
    let mut along: Vec<PathBuf> = Vec::new();
    for (file, origin) in gathered.iter().zip(origins) {
        let directory = origin.as_deref().and_then(Path::parent);
        if let (Ok(contents), Some(directory)) = (&file.contents, directory) {
            along.extend(contents.read_along.iter().map(|name| directory.join(name)));
        }
    }
    let mut origins = origins.iter();
    gathered.retain(|_| {
        let origin = origins.next().and_then(Option::as_ref);
        !origin.is_some_and(|path| along.contains(path))
    });
}

/// The files that a path stands for.
fn expand(context: &Context, path: &Path, named: &mut Vec<Named>) -> Outcome {
    if path.as_os_str() == "-" {
        if named.iter().any(|file| file.path.is_none()) {
            return Err(Fault::usage("standard input is named twice"));
        }
        named.push(Named {
            path: None,
            shown: "standard input".into(),
            name: String::new(),
            found: false,
            gpg: false,
        });
        return Ok(());
    }
    if path.is_dir() {
        // Also a directory inside a store.
        let whole = path.canonicalize();
        let whole = whole.as_deref().unwrap_or(path);
        let store = whole.ancestors().any(|up| up.join(".gpg-id").exists());
        return walk(context, path, path, store, 0, named);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    named.push(Named {
        shown: context.place.show(path),
        name: name.into_owned(),
        path: Some(path.to_owned()),
        found: false,
        gpg: false,
    });
    Ok(())
}

/// Every file of a directory, in the order of their names. What begins with a dot isn't an export, and links aren't followed:
/// they may lead round in a circle.
fn walk(
    context: &Context,
    root: &Path,
    directory: &Path,
    store: bool,
    depth: usize,
    named: &mut Vec<Named>,
) -> Outcome {
    let shown = context.place.show(directory);
    let fail = |error: std::io::Error| Fault::new(Exit::Internal, format!("{shown}: {error}"));
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(directory)
        .map_err(fail)?
        .collect::<Result<_, _>>()
        .map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(fail)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            if depth == MAX_DEPTH {
                return Err(Fault::usage(format!(
                    "{shown}: more than {MAX_DEPTH} directories deep"
                )));
            }
            walk(context, root, &path, store, depth + 1, named)?;
        } else if kind.is_file() {
            if named.len() == MAX_FILES {
                return Err(
                    Fault::usage(format!("{shown}: more than {MAX_FILES} files"))
                        .hint("name the exports one by one"),
                );
            }
            let gpg = store && path.extension().is_some_and(|extension| extension == "gpg");
            let inner = path.strip_prefix(root).unwrap_or(&path);
            let inner = if gpg {
                inner.with_extension("")
            } else {
                inner.to_owned()
            };
            named.push(Named {
                shown: context.place.show(&path),
                name: inner.to_string_lossy().into_owned(),
                path: Some(path),
                found: true,
                gpg,
            });
        }
    }
    Ok(())
}

/// Why a file gives nothing.
enum Failed {
    /// It was found in a directory, and is of no format.
    Other,
    Fault(Fault),
}

fn read(
    context: &Context,
    file: &Named,
    from: Option<&'static Format>,
    keys: &mut Keys,
) -> Result<(Vec<Reading>, bool), Failed> {
    let fault = |fault: Fault| Failed::Fault(fault.at(&file.shown));
    // Among many files a large one is a film.
    let is_large =
        |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| metadata.len() > MAX_FILE);
    if file.found && file.path.as_ref().is_some_and(is_large) {
        return Err(Failed::Other);
    }
    // What gpg opens of a store is an entry: its first line is a password, which says nothing of a format.
    let from = from.or_else(|| file.gpg.then(|| import::by_id("pass")).flatten());
    let bytes = match &file.path {
        None => files::read_stdin(MAX_FILE).map_err(Failed::Fault)?,
        Some(path) if file.gpg => gpg::decrypt(path, MAX_FILE).map_err(fault)?,
        Some(path) => files::read(path, MAX_FILE).map_err(fault)?.0,
    };
    let directory = file.path.as_deref().and_then(Path::parent);
    let directory = directory.map(|path| Directory(path.to_owned()));
    let source = Source {
        name: &file.name,
        bytes: &bytes,
        beside: directory
            .as_ref()
            .map_or(&Alone as &dyn Beside, |directory| directory),
    };
    keys.read(context, &source, from, file.found, &file.shown)
        .map_err(|error| match error {
            Broken::Import(
                ImportError::Unknown
                | ImportError::Unmarked
                | ImportError::BrokenXml { .. }
                | ImportError::Empty
                | ImportError::NotThis { .. }
                | ImportError::WebPage
                | ImportError::NoCode
                | ImportError::Picture(_),
            ) if file.found => Failed::Other,
            Broken::Import(error) => fault(Fault::from(error)),
            Broken::Fault(other) => Failed::Fault(other),
        })
}

/// What lies in a directory. A name that leads elsewhere names nothing: manifests come from outside.
struct Directory(PathBuf);

impl Beside for Directory {
    fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        if Path::new(name).file_name() != Some(name.as_ref()) {
            return None;
        }
        let (bytes, _) = files::read(&self.0.join(name), MAX_FILE).ok()?;
        Some(bytes)
    }
}
