//! `vmfa man`: generated from the arguments themselves.

use std::io::Write;

use clap::CommandFactory;

use crate::args::{Arguments, Man};
use crate::fault::{EXIT_CODES, Exit, Fault, Outcome};
use crate::unlock::Context;

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

/// One page: what clap knows, with the examples and the exit codes as they stand, lines unfilled.
fn page(command: &clap::Command) -> Outcome<Vec<u8>> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let man = clap_mangen::Man::new(command.clone())
        .title(name)
        .section("1");
    let mut page = Vec::new();
    let made = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page));
    made.map_err(|error| Fault::new(Exit::Internal, format!("the manual page: {error}")))?;
    let verbatim = |title: &str, text: &str| {
        // A line that begins with a dot or a quote would be a request to the formatter; a backslash an escape.
        let lines = text
            .lines()
            .map(|line| format!("\\&{}\n", line.replace('\\', "\\e")));
        format!(".SH {title}\n.nf\n{}.fi\n", lines.collect::<String>())
    };
    if command.has_subcommands() {
        let subs = command.get_subcommands().map(|sub| {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            format!("{name}-{}(1)   {about}", sub.get_name())
        });
        page.extend(verbatim("COMMANDS", &subs.collect::<Vec<_>>().join("\n")).bytes());
    }
    if let Some(text) = command.get_after_help() {
        page.extend(verbatim("EXAMPLES", &text.to_string()).bytes());
    }
    page.extend(verbatim("EXIT STATUS", EXIT_CODES).bytes());
    Ok(page)
}
