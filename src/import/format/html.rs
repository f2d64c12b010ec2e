//! Pages: what Aegis, Stratum, Ente and Raivo write to be printed, and any other with accounts in it. Key URIs are taken from
//! text and from links, QR codes from the pictures in the page itself. Nothing is fetched and nothing is executed.

mod page;

use std::collections::HashSet;
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::page::{Piece, pieces, unescape};
use crate::account::percent::{self, Plus};
use crate::account::{key_uri, present};
use crate::clock::Deadline;
use crate::import::document::Document;
use crate::import::format::uris::{self, SCHEMES};
use crate::import::format::{Format, Likeness, Seen};
use crate::import::words::from_base64;
use crate::import::{Contents, ImportError, Remark, read_text};
use crate::qr;
use crate::secret::SecretText;

pub(super) const FORMAT: Format = Format {
    id: "html",
    app: "a page with Key URIs or QR codes (HTML)",
    also: &["page", "web-page"],
    reads: "HTML as Aegis, Stratum, Ente and Raivo write it; pictures must be in the page itself",
    how: "\
Some apps write a page to print: Aegis (\"HTML\"), Stratum (\"Backup to HTML\"), Ente Auth (\"HTML\"), Raivo (in its ZIP).
1. In the app choose the export as HTML.
2. vmfa import backup.html
3. Erase the file: its secrets are in clear.",
    seen: Seen::Files,
    is,
    read,
};

/// What an address of a picture in the page begins with.
const PICTURE: &str = "data:image/";

/// How long pictures are looked at, all of them together. One with a code takes milliseconds, one without it seconds.
const LOOKING: Duration = Duration::from_secs(60);

fn is(document: &Document<'_>) -> Likeness {
    document
        .text()
        .is_some_and(|text| is_page(text) && has_accounts(text))
        .into()
}

fn is_page(text: &str) -> bool {
    const TAGS: [&str; 7] = [
        "<html",
        "<!doctype html",
        "<body",
        "<table",
        "<div",
        "<img",
        "<code",
    ];
    text.trim_start().starts_with('<') && TAGS.iter().any(|tag| find(text, tag).is_some())
}

fn has_accounts(text: &str) -> bool {
    let mut beginnings = SCHEMES.iter().chain(&[PICTURE]);
    beginnings.any(|beginning| find(text, beginning).is_some())
}

/// Where a text begins in another, whatever the case of its letters.
fn find(text: &str, wanted: &str) -> Option<usize> {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    text.windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted))
}

/// For apps that write, beside their own format, a list of Key URIs or a page: theirs if they are asked for by name.
pub(super) fn if_list_or_page(document: &Document<'_>) -> Likeness {
    match ((FORMAT.is)(document), (uris::FORMAT.is)(document)) {
        (Likeness::No, Likeness::No) => Likeness::No,
        (
            Likeness::No | Likeness::Perhaps | Likeness::Yes,
            Likeness::No | Likeness::Perhaps | Likeness::Yes,
        ) => Likeness::Perhaps,
    }
}

/// Reads what [`if_list_or_page`] knows.
pub(super) fn list_or_page(document: &Document<'_>) -> Result<Contents, ImportError> {
    match (FORMAT.is)(document) {
        Likeness::Yes | Likeness::Perhaps => read(document, None),
        Likeness::No => (uris::FORMAT.read)(document, None),
    }
}

fn read(document: &Document<'_>, _: Option<&SecretText>) -> Result<Contents, ImportError> {
    let text = document
        .text()
        .ok_or_else(|| ImportError::damaged("it is not text"))?;
    let mut found = Found::default();
    let mut pictures = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => found.uris_of(&unescape(text)),
            Piece::Value(value) => {
                let value = unescape(value);
                match value.trim_start().get(..PICTURE.len()) {
                    Some(start) if start.eq_ignore_ascii_case(PICTURE) => {
                        pictures.push(Zeroizing::new(value.trim().to_owned()));
                    }
                    Some(_) | None => found.uris_of(&value),
                }
            }
        }
    }
    let looked = look_at(&pictures);
    for (place, text) in looked.texts {
        found.put(place, text);
    }
    if found.contents.texts.is_empty() {
        return Err(match looked.unread {
            0 => ImportError::WebPage,
            _ => ImportError::damaged("none of the page's pictures can be read"),
        });
    }
    if looked.damaged {
        found.contents.remarks.push(Remark::DamagedPicture);
    }
    if looked.unseen > 0 {
        found.contents.remarks.push(Remark::PartMissing(format!(
            "{} of the page's {} pictures were not looked at: it took too long",
            looked.unseen,
            pictures.len()
        )));
    }
    Ok(found.contents)
}

/// What the pictures of a page gave.
#[derive(Default)]
struct Looked {
    texts: Vec<(String, SecretText)>,
    /// How many are none that can be read.
    unread: usize,
    /// How many there was no time for.
    unseen: usize,
    /// Whether one is cut off.
    damaged: bool,
}

/// Looks for codes. A picture of a code is a small file; the icons of a page, in which a search takes longest, come last.
fn look_at(pictures: &[Zeroizing<String>]) -> Looked {
    let mut smallest_first: Vec<(usize, &Zeroizing<String>)> =
        pictures.iter().enumerate().collect();
    smallest_first.sort_by_key(|(_, picture)| picture.len());
    let mut known = HashSet::new();
    let mut found = Vec::new();
    let mut looked = Looked::default();
    let end = Deadline::after(LOOKING);
    for (index, picture) in smallest_first {
        if !known.insert(<[u8; 32]>::from(Sha256::digest(picture.as_bytes()))) {
            continue;
        }
        if end.has_passed() {
            looked.unseen += 1;
            continue;
        }
        let Some(Ok(scanned)) = bytes_of(picture).map(|bytes| qr::scan(&bytes)) else {
            // An icon that is drawn in SVG is no code, and nothing to speak of.
            looked.unread += usize::from(find(picture, "svg").is_none());
            continue;
        };
        looked.damaged |= scanned.damaged;
        found.extend(scanned.texts.into_iter().map(|text| (index, text)));
    }
    found.sort_by_key(|(index, _)| *index);
    let placed = |(index, text)| (format!("picture {}", index + 1), text);
    looked.texts = found.into_iter().map(placed).collect();
    looked
}

/// A picture that stands in its own address.
fn bytes_of(address: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (_, data) = address.split_once(";base64,")?;
    let mut data = percent::decode(data, Plus::Literal).text;
    data.retain(|character| !character.is_ascii_whitespace());
    from_base64(&data)
}

/// What was found in a page so far. Pages show one account twice, as text and as a picture: it is taken once.
#[derive(Default)]
struct Found {
    contents: Contents,
    known: HashSet<[u8; 32]>,
}

impl Found {
    fn uris_of(&mut self, text: &str) {
        for line in text.lines() {
            let begins = SCHEMES.iter().filter_map(|scheme| find(line, scheme)).min();
            let Some(begins) = begins else { continue };
            for uri in key_uri::split(&line[begins..]) {
                let place = format!("account {}", self.contents.texts.len() + 1);
                self.put(place, SecretText::new(uri.to_owned()));
            }
        }
    }

    fn put(&mut self, place: String, text: SecretText) {
        if self.known.insert(identity(&text)) {
            self.contents.texts.push((place, text));
        }
    }
}

/// The same for two texts that give the same account, also where one leaves out what is usual or escapes its label otherwise.
fn identity(text: &SecretText) -> [u8; 32] {
    let draft = read_text(text.expose())
        .ok()
        .filter(|read| read.part.is_none())
        .and_then(|mut read| read.drafts.pop()?.ok());
    let mut hash = Sha256::new();
    let Some(draft) = draft else {
        return hash.chain_update(text.expose()).finalize().into();
    };
    let words = [
        (&draft.kind, "TOTP"),
        (&draft.algorithm, "SHA1"),
        (&draft.digits, "6"),
        (&draft.period, "30"),
        (&draft.counter, "0"),
        (&draft.t0, "0"),
    ];
    for (word, usual) in words {
        let word = present(word.as_deref()).unwrap_or(usual);
        hash.update(word.to_ascii_uppercase());
        hash.update([0]);
    }
    hash.update(draft.label());
    hash.update([0]);
    if let Some(secret) = &draft.secret {
        let secret = secret.expose().trim_end_matches('=');
        // Base64 minds its case.
        let is_steam = draft.kind.as_deref() == Some("steam");
        match is_steam {
            true => hash.update(secret),
            false => hash.update(Zeroizing::new(secret.to_ascii_uppercase()).as_bytes()),
        }
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::words::to_base64;
    use crate::import::{Alone, Source};

    const URI: &str = "otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP&issuer=A";

    fn read_page(text: &str) -> Result<Vec<String>, ImportError> {
        let source = Source {
            name: "page.html",
            bytes: text.as_bytes(),
            beside: &Alone,
        };
        let document = Document::new(&source)?;
        assert_eq!(
            (FORMAT.is)(&document),
            Likeness::from(is_page(text) && has_accounts(text))
        );
        let contents = read(&document, None)?;
        let texts = contents.texts.iter();
        Ok(texts.map(|(_, text)| text.expose().to_owned()).collect())
    }

    #[test]
    fn uris_in_texts_links_and_pictures_come_once() {
        for page in [
            format!("<html><code>{URI}</code></html>"),
            format!("<!DOCTYPE html><p>a < b &amp c</p><a href=\"{URI}\">{URI}</a>"),
            format!("<html><a title='x' HREF={URI}>link</a>"),
            format!(
                "<html><code>{}</code>",
                URI.replace('&', "&amp;")
                    .replace(':', "&#58;")
                    .replace("otpauth&#58;", "otpauth:")
            ),
            format!(
                "<html><code>{}</code><b>{URI}&digits=6&algorithm=sha1</b>",
                URI.replace(':', "&#x3A;")
                    .replace("otpauth&#x3A;", "otpauth:")
            ),
        ] {
            let found = read_page(&page).ok().unwrap();
            assert_eq!(found.len(), 1, "{page}");
            assert!(found[0] == URI, "{page}: {found:?}");
        }
        let other = URI.replace("A:b", "A:c");
        let page = format!("<html><code>{URI}\n{other}</code><code>{URI}&digits=8</code>");
        assert_eq!(read_page(&page).ok().unwrap().len(), 3);
    }

    #[test]
    fn a_page_without_accounts_and_one_whose_pictures_fail_are_told() {
        let class = |page: &str| read_page(page).err().unwrap();
        assert_eq!(
            class("<html><img src=\"data:image/svg+xml;base64,AAAA\">"),
            ImportError::WebPage
        );
        for picture in [
            "data:image/png;base64,AAAA",
            "data:image/png;base64,!",
            "data:image/png,x",
        ] {
            let page = format!("<html><img src=\"{picture}\">");
            assert_eq!(class(&page).class(), "bad_file", "{picture}");
            assert_ne!(class(&page), ImportError::WebPage, "{picture}");
        }
    }

    #[test]
    fn codes_in_pictures_come_in_the_order_of_the_page() {
        let picture = |uri: &str, pixels| {
            let drawing = qr::Drawing::new(&SecretText::new(uri.to_owned()))
                .ok()
                .unwrap();
            let png = drawing.png(pixels).ok().unwrap();
            let mut data = to_base64(png.expose());
            // Wrapped, as some write it, and escaped, as others do.
            data.insert_str(40, "\n  ");
            format!(
                "<img src='data:image/png;base64,{}'>",
                data.replace('+', "%2B")
            )
        };
        let other = URI.replace("A:b", "A:c");
        let (first, second) = (picture(&other, 8), picture(URI, 3));
        let page = format!("<!doctype html>{first}{second}{first}<p>no URI</p>");
        let found = read_page(&page).ok().unwrap();
        assert!(found == [other.as_str(), URI], "{} texts", found.len());
        // What stands beside its picture is the same account.
        let page = format!("<!doctype html><code>{URI}&period=30</code>{second}{first}");
        let found = read_page(&page).ok().unwrap();
        assert!(found.len() == 2 && found[1] == other);
    }

    #[test]
    fn entities_and_what_only_looks_like_one() {
        for (text, plain) in [
            (
                "a&amp;b&lt;&gt;&quot;&apos;&#39;&nbsp;&#xE9;",
                "a&b<>\"'' é",
            ),
            (
                "&;&#;&#x;&#x110000;&unknown;&amp",
                "&;&#;&#x;&#x110000;&unknown;&amp",
            ),
            ("issuer=A&period=60;", "issuer=A&period=60;"),
            ("&&amp;amp;é&", "&&amp;é&"),
        ] {
            assert_eq!(unescape(text).as_str(), plain);
        }
    }

    #[test]
    fn a_page_that_breaks_off_anywhere_is_answered() {
        let page = format!(
            "<html><a x = y z='é' href=\"{URI}\"><img src='data:image/png;base64,AAAA'>&amp;&#x41;<code>{URI}&amp;</code>"
        );
        for end in (0..page.len()).filter(|end| page.is_char_boundary(*end)) {
            let text: usize = pieces(&page[..end])
                .map(|piece| match piece {
                    Piece::Text(text) | Piece::Value(text) => text.len(),
                })
                .sum();
            assert!(text <= end);
            unescape(&page[..end]);
        }
        // Each byte is looked at once or twice, not once for each of the others.
        for hostile in ["<", "&", "=", "<a =", "<a '\"", "&#x", "<a = "] {
            let page = hostile.repeat(200_000);
            assert!(pieces(&page).count() <= 600_000);
            unescape(&page);
        }
    }
}
