//! The clipboard by way of other programs: `wl-copy`, `xclip`, `xsel`, `tmux`. They are told the code on standard input.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use vmfa::clock::Deadline;
use vmfa::secret::SecretText;
use zeroize::{Zeroize as _, Zeroizing};

use super::{MAX_CODE, Way};
use crate::fault::{Exit, Fault, Outcome};

/// How long a program may take for its answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How often is looked whether it has one.
const LOOK: Duration = Duration::from_millis(10);

/// A program, and what it is called with.
struct Tool {
    program: &'static str,
    /// To put its standard input into the clipboard.
    copy: &'static [&'static str],
    /// To write the text that is in the clipboard.
    paste: &'static [&'static str],
    /// To tell which kinds of data are in the clipboard, and to write a PNG picture.
    kinds: Option<(&'static [&'static str], &'static [&'static str])>,
}

/// The program that goes a way; none for the ways that need none.
fn tool(way: Way) -> Option<Tool> {
    let tool = match way {
        Way::Wayland | Way::X11 | Way::System | Way::Terminal => return None,
        // `wl-paste` belongs to it.
        Way::WlCopy => Tool {
            program: "wl-copy",
            copy: &["--type", "text/plain"],
            paste: &["--no-newline"],
            kinds: Some((&["--list-types"], &["--no-newline", "--type", "image/png"])),
        },
        Way::Xclip => Tool {
            program: "xclip",
            copy: &["-selection", "clipboard", "-in"],
            paste: &["-selection", "clipboard", "-out"],
            kinds: Some((
                &["-selection", "clipboard", "-out", "-target", "TARGETS"],
                &["-selection", "clipboard", "-out", "-target", "image/png"],
            )),
        },
        Way::Xsel => Tool {
            program: "xsel",
            copy: &["--clipboard", "--input", "--nodetach"],
            paste: &["--clipboard", "--output"],
            kinds: None,
        },
        Way::Tmux => Tool {
            program: "tmux",
            copy: &["load-buffer", "-w", "-b", BUFFER, "-"],
            paste: &["show-buffer"],
            kinds: None,
        },
    };
    Some(tool)
}

/// The name of our buffer in tmux, so that no other is overwritten, and none deleted.
const BUFFER: &str = "vmfa";

/// Whether the program of a way can be started.
pub(crate) fn is_there(way: Way) -> Outcome {
    let tool = tool(way).ok_or_else(|| failed(way))?;
    // Each of them does nothing but answer to this one.
    let asked = if way == Way::Tmux { "-V" } else { "--help" };
    let mut child = command(tool.program, &[asked])
        .spawn()
        .map_err(|_| failed(way))?;
    ended(&mut child, Deadline::after(ANSWER)).map_err(|()| failed(way))?;
    Ok(())
}

/// Has the program of a way hold the clipboard until the time is over, or somebody else takes it.
///
/// # Errors
/// The program isn't there, or fails.
#[cfg(unix)]
pub(crate) fn hold(way: Way, code: &SecretText, until: Deadline, ready: &dyn Fn()) -> Outcome {
    let tool = tool(way).ok_or_else(|| failed(way))?;
    if way == Way::Tmux {
        return hold_tmux(&tool, code, until, ready);
    }
    let serving = Serving::start(way, &tool, code)?;
    ready();
    serving.until(until);
    Ok(())
}

/// None of these programs is at home there.
#[cfg(not(unix))]
pub(crate) fn hold(way: Way, _: &SecretText, _: Deadline, _: &dyn Fn()) -> Outcome {
    Err(failed(way))
}

/// A buffer of tmux belongs to nobody: at the end it is looked at, and deleted if it still holds the code. What tmux has
/// handed to its terminal is out of reach.
#[cfg(unix)]
fn hold_tmux(tool: &Tool, code: &SecretText, until: Deadline, ready: &dyn Fn()) -> Outcome {
    fed(command(tool.program, tool.copy), code)
        .and_then(|mut child| ended(&mut child, Deadline::after(ANSWER)))
        .map_err(|()| failed(Way::Tmux))?;
    ready();
    std::thread::sleep(until.left());
    let found = said(
        command(tool.program, &["show-buffer", "-b", BUFFER]),
        MAX_CODE,
    );
    if found.is_ok_and(|found| found.as_slice() == code.expose().as_bytes()) {
        let _ = command(tool.program, &["delete-buffer", "-b", BUFFER])
            .spawn()
            .map(|mut child| ended(&mut child, Deadline::after(ANSWER)));
    }
    Ok(())
}

/// A program that serves the clipboard, with what it has started: it puts itself into the background.
#[cfg(unix)]
struct Serving {
    way: Way,
    group: rustix::process::Pid,
}

#[cfg(unix)]
impl Serving {
    /// Starts it, and waits until the clipboard holds the code.
    fn start(way: Way, tool: &Tool, code: &SecretText) -> Outcome<Self> {
        use std::os::unix::process::CommandExt as _;
        // What goes into the background becomes a child of ours, not of init: so its end is seen.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        let mut command = command(tool.program, tool.copy);
        command.process_group(0);
        if way == Way::WlCopy && knows_sensitive(tool).map_err(|()| failed(way))? {
            command.arg("--sensitive");
        }
        let mut child = fed(command, code).map_err(|()| failed(way))?;
        let serving = Self {
            way,
            group: rustix::process::Pid::from_child(&child),
        };
        let by = Deadline::after(ANSWER);
        loop {
            let background = match child.try_wait() {
                Ok(None) => false,
                Ok(Some(status)) if status.success() => true,
                Ok(Some(_)) | Err(_) => return Err(failed(way)),
            };
            // It says so by going into the background. Reading would put up a window, on some desktops.
            let holds = if way == Way::WlCopy {
                background
            } else {
                said(self::command(tool.program, tool.paste), MAX_CODE)
                    .is_ok_and(|found| found.as_slice() == code.expose().as_bytes())
            };
            if holds {
                return Ok(serving);
            }
            if by.has_passed() {
                serving.end();
                return Err(failed(way));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Waits for its end, or for the time, when it is made to end.
    fn until(&self, until: Deadline) {
        let (tell, told) = std::sync::mpsc::channel();
        let group = self.group;
        std::thread::spawn(move || {
            wait_for_group(group);
            let _ = tell.send(());
        });
        if told.recv_timeout(until.left()).is_ok() {
            return;
        }
        if self.way == Way::WlCopy {
            // It tidies up what it has written into a file when it loses the clipboard, and not when it is ended.
            let _ = command("wl-copy", &["--clear"]).spawn();
            if told.recv_timeout(ANSWER).is_ok() {
                return;
            }
        }
        self.end();
    }

    fn end(&self) {
        let _ = rustix::process::kill_process_group(self.group, rustix::process::Signal::TERM);
    }
}

/// Until no process of the group is left. All of them are children of ours, where the system gives us what they leave behind.
#[cfg(unix)]
fn wait_for_group(group: rustix::process::Pid) {
    use rustix::process::{WaitOptions, test_kill_process_group, waitpgid};
    loop {
        match waitpgid(group, WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) if test_kill_process_group(group).is_ok() => {
                std::thread::sleep(Duration::from_millis(500));
            }
            Err(_) => return,
        }
    }
}

/// Newer ones mark what they are told to mark.
#[cfg(unix)]
fn knows_sensitive(tool: &Tool) -> Result<bool, ()> {
    let help = said(command(tool.program, &["--help"]), 1 << 16)?;
    Ok(String::from_utf8_lossy(&help).contains("--sensitive"))
}

/// The text in the clipboard; none where there is none.
pub(crate) fn text(way: Way, most: usize) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    let tool = tool(way).ok_or_else(|| failed(way))?;
    let text = said(command(paster(&tool), tool.paste), most).map_err(|()| failed(way))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// The picture in the clipboard, as a PNG file; none where there is none.
pub(crate) fn picture(way: Way, most: usize) -> Outcome<Option<Zeroizing<Vec<u8>>>> {
    let tool = tool(way).ok_or_else(|| failed(way))?;
    let Some((kinds, png)) = tool.kinds else {
        return Ok(None);
    };
    let kinds = said(command(paster(&tool), kinds), 1 << 16).map_err(|()| failed(way))?;
    if !kinds
        .split(|byte| *byte == b'\n')
        .any(|kind| kind == b"image/png")
    {
        return Ok(None);
    }
    let picture = said(command(paster(&tool), png), most).map_err(|()| failed(way))?;
    Ok(Some(picture).filter(|picture| !picture.is_empty()))
}

/// The program that reads the clipboard.
fn paster(tool: &Tool) -> &'static str {
    match tool.program {
        "wl-copy" => "wl-paste",
        program => program,
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A program that has been told the code.
#[cfg(unix)]
fn fed(mut command: Command, code: &SecretText) -> Result<Child, ()> {
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(drop)?;
    let mut stdin = child.stdin.take().ok_or(())?;
    // A code fits into a pipe: this doesn't wait for the program.
    stdin.write_all(code.expose().as_bytes()).map_err(drop)?;
    Ok(child)
}

/// Waits for a program's end, which must be a good one.
fn ended(child: &mut Child, by: Deadline) -> Result<(), ()> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) | Err(_) => return Err(()),
            Ok(None) if by.has_passed() => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(());
            }
            Ok(None) => std::thread::sleep(LOOK),
        }
    }
}

/// What a program says, at most so many bytes: more is an error, and so is a program that takes too long.
fn said(mut command: Command, most: usize) -> Result<Zeroizing<Vec<u8>>, ()> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(drop)?;
    let mut out = child.stdout.take().ok_or(())?;
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut part = Zeroizing::new([0; 16 << 10]);
        let read = loop {
            match out.read(part.as_mut_slice()) {
                Ok(0) => break Ok(bytes),
                Ok(more) if bytes.len() + more > most => break Err(()),
                Ok(more) => extend(&mut bytes, &part[..more]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break Err(()),
            }
        };
        let _ = tell.send(read);
    });
    let by = Deadline::after(ANSWER);
    let read = told.recv_timeout(ANSWER).unwrap_or(Err(()));
    if read.is_err() {
        let _ = child.kill();
    }
    // `xclip` and `wl-paste` fail where there is nothing.
    ended(&mut child, by).and(read)
}

/// Appends without leaving a copy behind where the vector must grow.
fn extend(bytes: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    if bytes.capacity() - bytes.len() < more.len() {
        let mut larger = Vec::with_capacity((bytes.len() + more.len()) * 2);
        larger.extend_from_slice(bytes);
        bytes.zeroize();
        **bytes = larger;
    }
    bytes.extend_from_slice(more);
}

fn failed(way: Way) -> Fault {
    Fault::new(
        Exit::NotFound,
        format!("{} isn't there, or fails", way.name()),
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn said_by(script: &str, most: usize) -> Result<String, ()> {
        let said = said(command("sh", &["-c", script]), most)?;
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    #[test]
    fn what_a_program_says_is_taken_whole_or_not_at_all() {
        assert_eq!(said_by("printf abc", 3), Ok("abc".into()));
        assert_eq!(said_by("printf abcd", 3), Err(()));
        assert_eq!(said_by("printf abc; exit 1", 3), Err(()));
        assert_eq!(said_by("", 3), Ok(String::new()));
        // Without an end.
        assert_eq!(said_by("exec yes", 1 << 20), Err(()));
        let long = said_by("head -c 100000 /dev/zero | tr '\\0' x", 100_000);
        assert_eq!(long, Ok("x".repeat(100_000)));
        assert!(said(command("/nonexistent", &[]), 3).is_err());
    }

    #[test]
    fn a_program_is_told_the_code_and_must_end_well() {
        let ended_by = |script: &str| {
            let code = SecretText::new("123456".into());
            let mut child = fed(command("sh", &["-c", script]), &code)?;
            ended(&mut child, Deadline::after(ANSWER))
        };
        assert_eq!(ended_by("test \"$(cat)\" = 123456"), Ok(()));
        assert_eq!(ended_by("test \"$(cat)\" = 123457"), Err(()));
    }
}
