//! A write-ahead log, put into the database it belongs to: pages that were written and not yet moved over.
//!
//! After "WAL-mode File Format" of SQLite's documentation.

use crate::cipher::Plain;
use crate::import::ImportError;
use crate::import::archive::MAX_MEMBER;

/// The magic of a log whose checksums are counted in little-endian words; one more is big-endian.
const MAGIC: u32 = 0x377f_0682;
const HEAD: usize = 32;
const FRAME: usize = 24;

/// Puts the pages of every whole transaction of a log into a database. What stands behind the last one was never committed; a
/// log that is not one, or of another page size, changes nothing: SQLite does the same.
///
/// # Errors
/// The database would be larger than is read.
pub(crate) fn apply(database: &mut Plain, log: &[u8]) -> Result<(), ImportError> {
    let Some(log) = Log::of(log) else {
        return Ok(());
    };
    let mut pages: Vec<(usize, &[u8])> = Vec::new();
    let (mut whole, mut size) = (0, 0);
    for frame in log {
        pages.push((frame.page, frame.data));
        if frame.committed > 0 {
            (whole, size) = (pages.len(), frame.committed);
        }
    }
    pages.truncate(whole);
    let Some(page_size) = pages.first().map(|(_, data)| data.len()) else {
        return Ok(());
    };
    let len = size.saturating_mul(page_size);
    if len as u64 > MAX_MEMBER {
        return Err(ImportError::TooLarge {
            len: len as u64,
            max: MAX_MEMBER,
        });
    }
    // A new vector, so that the old one is wiped and not moved from.
    let mut grown = Plain::new(vec![0; len]);
    let kept = database.len().min(len);
    grown[..kept].copy_from_slice(&database[..kept]);
    for (page, data) in pages {
        let start = (page - 1).saturating_mul(page_size);
        if let Some(place) = grown.get_mut(start..start.saturating_add(page_size)) {
            place.copy_from_slice(data);
        }
    }
    *database = grown;
    Ok(())
}

/// A page in the log.
struct Frame<'a> {
    /// Its number, from 1.
    page: usize,
    /// How many pages the database has, where a transaction ends with this frame; otherwise 0.
    committed: usize,
    data: &'a [u8],
}

/// The frames of a log whose checksums hold, one by one.
struct Log<'a> {
    rest: &'a [u8],
    page_size: usize,
    big_endian: bool,
    salts: &'a [u8],
    sum: (u32, u32),
}

impl<'a> Log<'a> {
    fn of(log: &'a [u8]) -> Option<Self> {
        let (head, rest) = log.split_at_checked(HEAD)?;
        let magic = word(head, 0);
        let big_endian = magic & 1 == 1;
        let page_size = word(head, 8) as usize;
        let sum = checksum((0, 0), &head[..24], big_endian);
        let is_log = magic & !1 == MAGIC
            && (512..=65536).contains(&page_size)
            && page_size.is_power_of_two()
            && sum == (word(head, 24), word(head, 28));
        is_log.then_some(Self {
            rest,
            page_size,
            big_endian,
            salts: &head[16..24],
            sum,
        })
    }
}

impl<'a> Iterator for Log<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        let (frame, rest) = self.rest.split_at_checked(FRAME + self.page_size)?;
        let (head, data) = frame.split_at(FRAME);
        let sum = checksum(self.sum, &head[..8], self.big_endian);
        let sum = checksum(sum, data, self.big_endian);
        let page = word(head, 0) as usize;
        // Frames of an earlier round of the log stand behind the present one's, with other salts.
        if page == 0 || head[8..16] != *self.salts || sum != (word(head, 16), word(head, 20)) {
            return None;
        }
        (self.rest, self.sum) = (rest, sum);
        Some(Frame {
            page,
            committed: word(head, 4) as usize,
            data,
        })
    }
}

/// Four bytes, the high one first.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4]
        .iter()
        .fold(0, |word, byte| word << 8 | u32::from(*byte))
}

fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    bytes.chunks_exact(8).fold(start, |(first, second), eight| {
        let turned = |at| match big_endian {
            true => word(eight, at),
            false => word(eight, at).swap_bytes(),
        };
        let first = first.wrapping_add(turned(0)).wrapping_add(second);
        (first, second.wrapping_add(turned(4)).wrapping_add(first))
    })
}
