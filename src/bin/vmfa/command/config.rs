//! `vmfa config`: the interface's configuration.

use crate::args;
use crate::fault::{Exit, Fault, Outcome};
use crate::tui::config::Config;
use crate::unlock::Context;

pub(crate) fn run(context: &Context, input: &args::Config) -> Outcome {
    if !input.path {
        let config = Config::load(&context.place)?;
        return context.screen.raw(config.written().as_bytes());
    }
    let path = context.place.config_file().ok_or_else(|| {
        Fault::new(
            Exit::NotFound,
            "there is no home directory to keep a configuration in",
        )
        .hint("set HOME, or name a file with VMFA_CONFIG")
    })?;
    // A script takes it as it is, bytes that are no text included.
    let mut line = path.into_os_string().into_encoded_bytes();
    line.push(b'\n');
    context.screen.raw(&line)
}
