//! `vmfa init`: make a vault.

use vmfa::secret::SecretText;
use vmfa::vault::{self, KdfParams, Unlocked};

use crate::args::Init;
use crate::fault::{Exit, Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &Init) -> Outcome {
    let kdf = context.kdf(input.kdf.as_deref(), KdfParams::DEFAULT)?;
    make(context, kdf).map(|_| ())
}

/// Makes the vault and shows its recovery code.
pub(crate) fn make(context: &Context, kdf: KdfParams) -> Outcome<Unlocked> {
    // Asked before the passphrase is: nobody should choose one for nothing.
    if std::fs::symlink_metadata(&context.files.vault).is_ok() {
        return Err(Fault::usage(format!(
            "{} is there already, and is left alone",
            context.vault_name()
        ))
        .hint("`vmfa doctor` looks at it; --vault PATH makes another vault"));
    }
    let credential = context.new_credential()?;
    let (vault, recovery) = vault::create(&context.files, &credential, kdf, context.now()?)?;
    context
        .screen
        .remark(&format!("made {}", context.vault_name()));
    show_recovery(context, &recovery)?;
    Ok(vault)
}

/// The recovery code goes to standard output, what it is for to standard error, so that a pipe carries the code alone.
pub(crate) fn show_recovery(context: &Context, code: &SecretText) -> Outcome {
    let screen = &context.screen;
    screen.remark(
        "\nThis is the recovery code. It opens the vault when the passphrase is forgotten, and is shown only now.\n\
         Write it down and keep it apart from this machine:\n",
    );
    screen.line(&screen.bold(code.expose())).map_err(|_| {
        Fault::new(
            Exit::Internal,
            "the vault is saved, but its recovery code couldn't be shown",
        )
        .hint("make a new one with `vmfa slot add recovery`")
    })?;
    screen.remark("");
    Ok(())
}
