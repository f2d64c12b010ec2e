//! `vmfa check`: every record, tested.

use vmfa::authenticator::Authenticator;
use vmfa::keyring::Keyring;
use vmfa::otp::OtpError;

use crate::command::{counted, named};
use crate::fault::{Exit, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context) -> Outcome<Exit> {
    let vault = context.open()?;
    let live = vault.summaries()?;
    let trash = vault.trash();
    let (mut bad, mut without_pin) = (0, 0);
    for summary in live.iter().chain(&trash) {
        let fault = match vault.account(&summary.id) {
            Err(error) => Some(error.to_string()),
            Ok(account) => match account.generator() {
                Ok(_) => None,
                // Nothing of it is damaged: other apps export such accounts without the PIN, and it is asked for later.
                Err(OtpError::PinMissing) => {
                    without_pin += 1;
                    context.screen.line(&format!(
                        "{}: no PIN yet: `vmfa edit QUERY --pin -` stores it",
                        named(summary)
                    ))?;
                    None
                }
                Err(error) => Some(error.to_string()),
            },
        };
        if let Some(fault) = fault {
            bad += 1;
            context.screen.line(&format!(
                "{}: {}",
                named(summary),
                vmfa::account::text::clean(&fault)
            ))?;
        }
    }
    let keys = vault.access_keys()?;
    for key in vault.damaged_access_keys() {
        bad += 1;
        context.screen.line(&format!(
            "access key {} of profile {}: its sealed secret is damaged",
            key.access_key_id,
            vmfa::account::text::clean(&key.profile)
        ))?;
    }
    let unknown = vault.unknown_records().len();
    let mut words = vec![
        format!("generation {}", vault.generation()),
        counted(live.len(), "account"),
    ];
    words.extend((!trash.is_empty()).then(|| format!("{} in the trash", trash.len())));
    words.extend((!keys.is_empty()).then(|| counted(keys.len(), "access key")));
    words.extend((unknown > 0).then(|| format!("{unknown} records of a newer version, kept")));
    words.extend((without_pin > 0).then(|| format!("{without_pin} without a PIN yet")));
    words.push(if bad == 0 {
        "all sound".into()
    } else {
        format!("{bad} NOT sound")
    });
    context.screen.line(&words.join(", "))?;
    Ok(if bad == 0 { Exit::Done } else { Exit::Damaged })
}
