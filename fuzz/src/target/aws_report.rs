//! The credential report from any bytes: whoever is in it has a name, and a key that isn't in use has a date.
use vmfa::aws::status::report::read;
use vmfa::clock::UnixTime;

pub fn run(bytes: &[u8]) {
    let Ok(entries) = read(bytes) else {
        return;
    };
    let now = UnixTime::from_secs(1_800_000_000);
    for entry in entries {
        assert!(!entry.user.is_empty() && entry.keys.len() <= 2);
        for key in entry.keys {
            assert!(key.is_active || key.since.is_some());
            // The last second of the year 9999.
            assert!(key.since.is_none_or(|since| since <= 253_402_300_800));
            assert!(!key.is_old(now) || key.days(now).is_some());
        }
    }
}
