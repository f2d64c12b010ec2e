//! `vmfa completions` and `vmfa man`: both generated from the arguments themselves.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Arguments, Completions, Man};
use crate::fault::{EXIT_CODES, Exit, Fault, Outcome};
use crate::unlock::Context;

pub(crate) fn completions(context: &Context, input: &Completions) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(input.shell, &mut Arguments::command(), "vmfa", &mut script);
    context.screen.raw(&script)
}

pub(crate) fn man(context: &Context, input: &Man) -> Outcome {
    let mut command = Arguments::command();
    command.build();
    let Some(directory) = &input.out else {
        return context.screen.raw(&page(&command)?);
    };
    let fail = |error: std::io::Error| {
        Fault::new(
            Exit::Internal,
            format!("{}: {error}", context.place.show(directory)),
        )
    };
    std::fs::create_dir_all(directory).map_err(fail)?;
    let mut written = 0;
    let mut pending = vec![command];
    while let Some(command) = pending.pop() {
        let name = command
            .get_display_name()
            .unwrap_or(command.get_name())
            .to_owned();
        std::fs::File::create(directory.join(format!("{name}.1")))
            .and_then(|mut file| file.write_all(&page(&command).unwrap_or_default()))
            .map_err(fail)?;
        written += 1;
        pending.extend(command.get_subcommands().cloned());
    }
    context.screen.remark(&format!(
        "wrote {written} pages to {}",
        context.place.show(directory)
    ));
    Ok(())
}

fn page(command: &clap::Command) -> Outcome<Vec<u8>> {
    let mut page = Vec::new();
    let made = clap_mangen::Man::new(command.clone()).render(&mut page);
    made.map_err(|error| Fault::new(Exit::Internal, format!("the manual page: {error}")))?;
    if !command.get_name().contains(' ')
        && command.get_name() == "vmfa"
        && !String::from_utf8_lossy(&page).contains("Exit codes")
    {
        page.extend_from_slice(format!(".SH EXIT STATUS\n.nf\n{EXIT_CODES}\n.fi\n").as_bytes());
    }
    Ok(page)
}
