//! `vmfa agent unit`: what has a service manager start the agent when somebody asks for it.

use std::io::Write as _;
use std::path::Path;

use vmfa::account::text::clean;

use crate::args::AgentUnit;
use crate::fault::{Exit, Fault, Outcome};
use crate::files;
use crate::unlock::Context;

const SOCKET: &str = "vmfa-agent.socket";
const SERVICE: &str = "vmfa-agent.service";

pub(crate) fn run(context: &Context, input: &AgentUnit) -> Outcome {
    let program = std::env::current_exe()
        .map_err(|error| Fault::new(Exit::Internal, format!("where vmfa is: {error}")))?;
    let program = plain(&program)?;
    // Always named: the service manager's environment is not this one's.
    let vault = std::path::absolute(&context.files.vault)
        .map_err(|error| Fault::usage(format!("--vault: {error}")))?;
    let vault = Some(plain(&vault)?);
    let socket = plain(context.place.agent(&context.files).socket())?;
    if input.launchd || cfg!(target_os = "macos") {
        return context
            .screen
            .raw(launchd(&program, vault.as_deref(), &socket).as_bytes());
    }
    // `%t` is the runtime directory of whoever the units are started for.
    let socket = match Path::new(&socket)
        .file_name()
        .and_then(|name| name.to_str())
    {
        Some(name)
            if socket.ends_with(&format!("/vmfa/{name}")) && !context.place.lacks_runtime() =>
        {
            format!("%t/vmfa/{name}")
        }
        _ => socket.replace('%', "%%"),
    };
    let mut environment = Vec::new();
    for (name, value) in context.place.own_directories() {
        environment.push((name, plain(&value)?));
    }
    let (socket, service) = (
        systemd_socket(&socket),
        systemd_service(&program, vault.as_deref(), &environment),
    );
    match &input.out {
        None => context
            .screen
            .raw(format!("# {SOCKET}\n{socket}\n# {SERVICE}\n{service}").as_bytes()),
        Some(directory) => {
            std::fs::create_dir_all(directory).map_err(|error| {
                Fault::usage(format!("{}: {error}", context.place.show(directory)))
            })?;
            for (name, text) in [(SOCKET, socket), (SERVICE, service)] {
                write_new(context, &directory.join(name), &text)?;
            }
            context.screen.remark(
                "written; now: systemctl --user daemon-reload && systemctl --user enable --now vmfa-agent.socket",
            );
            Ok(())
        }
    }
}

/// A path as text that a unit file can hold.
fn plain(path: &Path) -> Outcome<String> {
    path.to_str()
        .filter(|text| clean(text) == *text && !text.contains(['"', '\\', '\n']))
        .map(str::to_owned)
        .ok_or_else(|| {
            Fault::usage(format!(
                "{}: such a path can't stand in a unit file",
                clean(&path.display().to_string())
            ))
        })
}

/// Writes a file that isn't there, or says the same already.
fn write_new(context: &Context, path: &Path, text: &str) -> Outcome {
    let name = context.place.show(path);
    if let Ok((there, _)) = files::read(path, 64 << 10) {
        if there.as_slice() == text.as_bytes() {
            return Ok(());
        }
        return Err(Fault::usage(format!(
            "{name} is there already and says something else: it is left alone"
        ))
        .hint("compare it with what `vmfa agent unit` prints, then remove it"));
    }
    let written = files::create_private(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Fault::new(Exit::Internal, format!("{name}: {error}")))
}

fn systemd_socket(socket: &str) -> String {
    format!(
        "\
[Unit]
Description=Socket of the vmfa agent
Documentation=man:vmfa-agent(1)

[Socket]
ListenStream={socket}
SocketMode=0600
DirectoryMode=0700

[Install]
WantedBy=sockets.target
"
    )
}

/// Restrictions that a user's own manager can set without a namespace: no other sockets than unix ones, no new privileges, no
/// memory that is both written and executed, no core dump.
fn systemd_service(program: &str, vault: Option<&str>, environment: &[(&str, String)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('%', "%%").replace('$', "$$"));
    let vault = vault.map_or(String::new(), |vault| format!(" --vault {}", quoted(vault)));
    // What this shell has and the service manager may not.
    let environment: String = environment
        .iter()
        .map(|(name, value)| {
            // Unlike on a command line, a dollar means nothing here.
            format!("Environment=\"{name}={}\"\n", value.replace('%', "%%"))
        })
        .collect();
    format!(
        "\
[Unit]
Description=vmfa agent: codes without the passphrase until it is locked
Documentation=man:vmfa-agent(1)
Requires={SOCKET}

[Service]
ExecStart={}{vault} agent --foreground
{environment}StandardInput=socket
StandardOutput=journal
StandardError=journal
KillMode=mixed
LimitCORE=0
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
",
        quoted(program)
    )
}

fn launchd(program: &str, vault: Option<&str>, socket: &str) -> String {
    let escaped = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let mut arguments = vec![program.to_owned()];
    if let Some(vault) = vault {
        arguments.extend(["--vault".to_owned(), vault.to_owned()]);
    }
    arguments.extend(["agent".to_owned(), "--foreground".to_owned()]);
    let arguments: String = arguments
        .iter()
        .map(|argument| format!("        <string>{}</string>\n", escaped(argument)))
        .collect();
    format!(
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">
<plist version=\"1.0\">
<dict>
    <key>Label</key>
    <string>vmfa-agent</string>
    <key>ProgramArguments</key>
    <array>
{arguments}    </array>
    <key>Sockets</key>
    <dict>
        <key>Listener</key>
        <dict>
            <key>SockPathName</key>
            <string>{}</string>
            <key>SockPathMode</key>
            <integer>384</integer>
        </dict>
    </dict>
    <key>inetdCompatibility</key>
    <dict>
        <key>Wait</key>
        <true/>
    </dict>
    <key>HardResourceLimits</key>
    <dict>
        <key>Core</key>
        <integer>0</integer>
    </dict>
</dict>
</plist>
",
        escaped(socket)
    )
}
