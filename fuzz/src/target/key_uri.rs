//! A Key URI: what is taken gives an account, and what is written of that account is read as the same one.

use vmfa::account::key_uri::{MAX_LEN, read, write};
use vmfa::account::text::clean;
use vmfa::account::{Account, Refusal, Summary};
use vmfa::clock::UnixTime;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let now = UnixTime::from_secs(1_700_000_000);
    let account = match read(&text).and_then(|draft| draft.into_account(now)) {
        Ok(drafted) => drafted.account,
        Err(refusal) => return refused(&refusal),
    };
    fit(&account.summary);
    let uri = write(&account);
    if uri.expose().len() > MAX_LEN {
        return;
    }
    let again = match read(uri.expose()).and_then(|draft| draft.into_account(now)) {
        Ok(drafted) => drafted.account,
        Err(refusal) => panic!("our own words: {refusal}"),
    };
    same(&account, &again);
    assert!(write(&again).expose() == uri.expose());
}

/// What a refusal says is shown as it is.
pub fn refused(refusal: &Refusal) {
    let said = refusal.to_string();
    assert_eq!(clean(&said), said);
}

/// What an account says is fit for a terminal, and within its bounds.
pub fn fit(summary: &Summary) {
    let image = summary.image.as_deref().unwrap_or_default();
    let serial = summary.serial_number.as_deref().unwrap_or_default();
    let prefix = summary.label_issuer.as_deref().unwrap_or_default();
    let texts = [
        &summary.issuer,
        &summary.name,
        &summary.note,
        image,
        serial,
        prefix,
    ];
    for text in texts
        .into_iter()
        .chain(summary.tags.iter().map(String::as_str))
    {
        assert_eq!(clean(text), text);
        assert!(text.len() <= vmfa::account::MAX_NOTE);
    }
    assert!(summary.tags.len() <= vmfa::account::MAX_TAGS);
    assert!((1..=10).contains(&summary.scheme.digits()));
}

/// What a Key URI holds of an account.
fn same(one: &Account, other: &Account) {
    assert!(one.gives_same_codes_as(other) || one.pin.is_some());
    assert!(one.secret.same_as(&other.secret));
    let (one, other) = (&one.summary, &other.summary);
    assert_eq!(one.scheme, other.scheme);
    assert_eq!(one.counter, other.counter);
    assert_eq!(one.issuer, other.issuer);
    assert_eq!(one.name, other.name);
    assert_eq!(one.label(), other.label());
    assert_eq!(one.image, other.image);
}
