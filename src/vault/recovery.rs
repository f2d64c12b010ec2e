//! The recovery code: 128 random bits as a person writes them down and types them in years later.
//!
//! Seven groups of five characters of Crockford's base32. The first four of a group carry data, the fifth checks them
//! together with the group's place, so that a typing error is told by its group. The 28 data characters are the 128 bits
//! and 12 bits of their SHA-256.

use zeroize::{Zeroize as _, Zeroizing};

use crate::secret::SecretText;
use crate::vault::error::{Typo, VaultError};
use crate::vault::seal::{self, Randomness};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUPS: usize = 7;
const GROUP: usize = 5;
const LABEL: &[u8] = b"vmfa/v1 recovery-code";

/// The 128 bits.
pub(super) type Bits = Zeroizing<[u8; 16]>;

/// A new code.
pub(super) fn new(from: &dyn Randomness) -> Result<Bits, VaultError> {
    let mut bits = Zeroizing::new([0; 16]);
    from.fill(bits.as_mut())?;
    Ok(bits)
}

/// As it is shown: upper case, groups joined by dashes.
pub(super) fn write(bits: &Bits) -> SecretText {
    let mut values = with_check(bits);
    let mut text = String::with_capacity(GROUPS * (GROUP + 1));
    for (n, group) in values.chunks_exact(GROUP - 1).enumerate() {
        if n > 0 {
            text.push('-');
        }
        for value in group.iter().chain([&check(n, group)]) {
            text.push(char::from(ALPHABET[usize::from(*value)]));
        }
    }
    values.zeroize();
    SecretText::new(text)
}

/// From what was typed: any case, with or without spaces and dashes, O for 0, I and L for 1.
pub(super) fn read(text: &SecretText) -> Result<Bits, Typo> {
    let mut typed = Zeroizing::new([0u8; GROUPS * GROUP]);
    let mut count = 0;
    for (at, c) in text.expose().chars().enumerate() {
        if c.is_whitespace() || matches!(c, '-' | '_' | '.' | '\u{2010}'..='\u{2015}') {
            continue;
        }
        let value = match c.to_ascii_uppercase() {
            'O' => Some(0),
            'I' | 'L' => Some(1),
            c => ALPHABET.iter().position(|known| char::from(*known) == c),
        };
        let value = value.ok_or(Typo::Character {
            position: at + 1,
            character: c,
        })?;
        if let Some(place) = typed.get_mut(count) {
            *place = value as u8;
        }
        count += 1;
    }
    if count != GROUPS * GROUP {
        return Err(Typo::Length(count));
    }
    let mut values = Zeroizing::new([0u8; GROUPS * (GROUP - 1)]);
    for (n, group) in typed.chunks_exact(GROUP).enumerate() {
        let (data, found) = group.split_at(GROUP - 1);
        if found != [check(n, data)] {
            return Err(Typo::Group(n + 1));
        }
        values[n * (GROUP - 1)..][..GROUP - 1].copy_from_slice(data);
    }
    let mut bits = Zeroizing::new([0; 16]);
    for (bit, place) in (0..128).map(|bit| (bit, 7 - bit % 8)) {
        bits[bit / 8] |= (values[bit / 5] >> (4 - bit % 5) & 1) << place;
    }
    if *with_check(&bits) != *values {
        return Err(Typo::Whole);
    }
    Ok(bits)
}

/// 128 bits and 12 bits of check as 28 values of five bits.
fn with_check(bits: &Bits) -> Zeroizing<[u8; GROUPS * (GROUP - 1)]> {
    let hash = Zeroizing::new(seal::sha256(&[LABEL, bits.as_ref()]));
    let mut values = Zeroizing::new([0; GROUPS * (GROUP - 1)]);
    for bit in 0..140 {
        let byte = if bit < 128 {
            bits[bit / 8]
        } else {
            hash[bit / 8 - 16]
        };
        values[bit / 5] |= (byte >> (7 - bit % 8) & 1) << (4 - bit % 5);
    }
    values
}

/// A weighted sum over GF(32) (modulus x^5 + x^2 + 1), whose weights 2, 4, 8, 16 differ: every single wrong character and
/// every pair of swapped ones changes it, and so does a group in another group's place.
fn check(group: usize, data: &[u8]) -> u8 {
    let mut sum = group as u8 + 1;
    for (n, value) in data.iter().enumerate() {
        let mut product = *value;
        for _ in 0..=n {
            product = product << 1 ^ if product & 16 == 0 { 0 } else { 0b10_0101 };
        }
        sum ^= product;
    }
    sum & 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(bits: [u8; 16]) -> String {
        write(&Zeroizing::new(bits)).expose().into()
    }

    fn typed(text: &str) -> Result<[u8; 16], Typo> {
        read(&SecretText::new(text.into())).map(|bits| *bits)
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(bits: [u8; 16]) {
            let text = code(bits);
            prop_assert_eq!(text.len(), 41);
            prop_assert_eq!(typed(&text), Ok(bits));
            let sloppy = text.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
            prop_assert_eq!(typed(&sloppy), Ok(bits));
        }

        #[test]
        fn one_wrong_character_is_told_by_its_group(bits: [u8; 16], at in 0usize..35, add in 1u8..32) {
            let mut text = code(bits).replace('-', "").into_bytes();
            let value = ALPHABET.iter().position(|c| *c == text[at]).unwrap() as u8;
            text[at] = ALPHABET[usize::from((value + add) % 32)];
            prop_assert_eq!(typed(std::str::from_utf8(&text).unwrap()), Err(Typo::Group(at / 5 + 1)));
        }

        #[test]
        fn two_swapped_characters_or_groups_are_noticed(bits: [u8; 16], a in 0usize..35, b in 0usize..35) {
            let mut text = code(bits).replace('-', "").into_bytes();
            prop_assume!(text[a] != text[b]);
            text.swap(a, b);
            prop_assert!(typed(std::str::from_utf8(&text).unwrap()).is_err());
            let joined = code(bits);
            let mut groups: Vec<&str> = joined.split('-').collect();
            if a % 7 != b % 7 {
                groups.swap(a % 7, b % 7);
                prop_assert!(typed(&groups.concat()).is_err());
            }
        }
    }

    #[test]
    fn wrong_lengths_and_characters_are_told() {
        let text = code([9; 16]);
        assert_eq!(typed(&text[1..]), Err(Typo::Length(34)));
        assert_eq!(typed(""), Err(Typo::Length(0)));
        assert_eq!(
            typed(&text.replacen('-', "!", 1)),
            Err(Typo::Character {
                position: 6,
                character: '!'
            })
        );
        assert_eq!(typed(&"0".repeat(100_000)), Err(Typo::Length(100_000)));
    }
}
