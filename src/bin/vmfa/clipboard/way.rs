//! Which ways lead to the clipboard of the person who sits there, and in what order they are tried.

use crate::place::DisplayPlace;

/// A way to a clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A Wayland compositor that lets programs without a window reach the clipboard (data-control).
    Wayland,
    /// An X server, Xwayland among them.
    X11,
    /// The one clipboard that macOS and Windows have.
    System,
    /// The programs `wl-copy` and `wl-paste`, for compositors without data-control.
    WlCopy,
    /// The program `xclip`.
    Xclip,
    /// The program `xsel`.
    Xsel,
    /// A buffer of tmux, which hands it to its terminal, too.
    Tmux,
    /// The terminal, by OSC 52: the only way to where the person sits, over ssh.
    Terminal,
}

impl Way {
    const ALL: [Self; 8] = [
        Self::Wayland,
        Self::X11,
        Self::System,
        Self::WlCopy,
        Self::Xclip,
        Self::Xsel,
        Self::Tmux,
        Self::Terminal,
    ];

    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// As the keeper is told it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wayland => "wayland",
            Self::X11 => "x11",
            Self::System => "system",
            Self::WlCopy => "wl-copy",
            Self::Xclip => "xclip",
            Self::Xsel => "xsel",
            Self::Tmux => "tmux",
            Self::Terminal => "terminal",
        }
    }

    /// Whether a clipboard at its end can be seen, so that what was put there can be taken out again. What tmux hands to its
    /// terminal is out of sight.
    pub(crate) fn is_seen(self) -> bool {
        match self {
            Self::Wayland | Self::X11 | Self::System | Self::WlCopy | Self::Xclip | Self::Xsel => {
                true
            }
            Self::Tmux | Self::Terminal => false,
        }
    }

    /// What of the environment this way needs, and nothing else is given to the process that goes it.
    pub(crate) fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Wayland => &["WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"],
            // No WAYLAND_DISPLAY: the library would prefer it.
            Self::X11 => &["DISPLAY", "XAUTHORITY", "HOME"],
            Self::System => &["HOME", "SYSTEMROOT", "TMPDIR"],
            Self::WlCopy => &["PATH", "HOME", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"],
            Self::Xclip | Self::Xsel => &["PATH", "HOME", "DISPLAY", "XAUTHORITY"],
            Self::Tmux => &["PATH", "HOME", "LANG", "TMUX", "TMUX_PANE", "TERM"],
            Self::Terminal => &[],
        }
    }
}

/// What this program was built with, and for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Build {
    /// Whether it speaks to displays itself (the feature `clipboard`).
    pub(crate) speaks: bool,
    /// Whether the system has one clipboard, without displays: macOS, Windows.
    pub(crate) one_clipboard: bool,
}

/// This program.
pub(crate) const THIS: Build = Build {
    speaks: cfg!(feature = "clipboard"),
    one_clipboard: cfg!(any(target_os = "macos", windows)),
};

/// The ways, in the order in which they are tried. None where nothing leads anywhere.
///
/// Over ssh the display of the machine at the far end isn't looked at by the person, and perhaps by somebody else: it is
/// left alone, unless it is one that ssh carries back (its name has a host).
pub(crate) fn ways(display: &DisplayPlace, build: Build) -> Vec<Way> {
    let mut ways = Vec::new();
    if !display.remote && build.one_clipboard && build.speaks {
        ways.push(Way::System);
    }
    let wayland = display.wayland && !display.remote;
    let x11 = match &display.x11 {
        Some(name) => !display.remote || is_carried(name),
        None => false,
    };
    if wayland && build.speaks {
        ways.push(Way::Wayland);
    }
    if x11 {
        if build.speaks {
            ways.push(Way::X11);
        }
        ways.extend([Way::Xclip, Way::Xsel]);
    }
    // After X, by way of Xwayland: it keeps what it is given in a file until it has handed it on.
    if wayland {
        ways.push(Way::WlCopy);
    }
    if display.tmux {
        ways.push(Way::Tmux);
    }
    // The console of Linux has no clipboard, and a terminal that tells nothing of itself is asked for nothing.
    let silent = ["", "dumb", "linux"];
    if !silent.contains(&display.term.as_str()) {
        ways.push(Way::Terminal);
    }
    ways
}

/// Whether a display's name has a host, as `localhost:10.0` has, which ssh makes.
fn is_carried(name: &str) -> bool {
    let host = name.split(':').next().unwrap_or_default();
    !host.is_empty() && host != "unix" && !host.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: Build = Build {
        speaks: true,
        one_clipboard: false,
    };

    fn ways_of(setting: &str, build: Build) -> String {
        let mut display = DisplayPlace {
            term: "xterm-256color".into(),
            ..DisplayPlace::default()
        };
        for word in setting.split_whitespace() {
            match word.split_once('=') {
                Some(("DISPLAY", name)) => display.x11 = Some(name.into()),
                Some(("TERM", name)) => display.term = name.into(),
                None if word == "wayland" => display.wayland = true,
                None if word == "ssh" => display.remote = true,
                None if word == "tmux" => display.tmux = true,
                other => panic!("{other:?}"),
            }
        }
        let names: Vec<_> = ways(&display, build).into_iter().map(Way::name).collect();
        names.join(" ")
    }

    #[test]
    fn the_ways_by_what_the_environment_says() {
        for (setting, expected) in [
            ("", "terminal"),
            ("TERM=dumb", ""),
            ("TERM=", ""),
            ("TERM=linux", ""),
            ("TERM=linux tmux", "tmux"),
            ("tmux TERM=tmux-256color", "tmux terminal"),
            ("DISPLAY=:0", "x11 xclip xsel terminal"),
            ("DISPLAY=:0 tmux", "x11 xclip xsel tmux terminal"),
            ("DISPLAY=localhost:10.0", "x11 xclip xsel terminal"),
            ("wayland", "wayland wl-copy terminal"),
            (
                "wayland DISPLAY=:0",
                "wayland x11 xclip xsel wl-copy terminal",
            ),
            (
                "wayland DISPLAY=:0 tmux",
                "wayland x11 xclip xsel wl-copy tmux terminal",
            ),
            ("wayland TERM=dumb", "wayland wl-copy"),
            ("ssh", "terminal"),
            ("ssh TERM=dumb", ""),
            ("ssh tmux", "tmux terminal"),
            // The far end's own screen.
            ("ssh DISPLAY=:0", "terminal"),
            ("ssh DISPLAY=unix:0", "terminal"),
            ("ssh DISPLAY=/private/tmp/launch/org.xquartz:0", "terminal"),
            ("ssh wayland DISPLAY=:0 tmux", "tmux terminal"),
            // Carried back by ssh -X.
            ("ssh DISPLAY=localhost:10.0", "x11 xclip xsel terminal"),
            (
                "ssh DISPLAY=localhost:10.0 tmux",
                "x11 xclip xsel tmux terminal",
            ),
        ] {
            assert_eq!(ways_of(setting, LINUX), expected, "{setting:?}");
        }
    }

    #[test]
    fn without_the_library_programs_and_the_terminal_are_left() {
        let build = Build {
            speaks: false,
            one_clipboard: false,
        };
        for (setting, expected) in [
            ("DISPLAY=:0", "xclip xsel terminal"),
            ("wayland DISPLAY=:0", "xclip xsel wl-copy terminal"),
            ("ssh tmux", "tmux terminal"),
        ] {
            assert_eq!(ways_of(setting, build), expected, "{setting:?}");
        }
    }

    #[test]
    fn a_system_with_one_clipboard() {
        let mac = |speaks| Build {
            speaks,
            one_clipboard: true,
        };
        assert_eq!(ways_of("", mac(true)), "system terminal");
        assert_eq!(ways_of("tmux", mac(true)), "system tmux terminal");
        assert_eq!(ways_of("TERM=", mac(true)), "system");
        assert_eq!(ways_of("ssh", mac(true)), "terminal");
        assert_eq!(ways_of("", mac(false)), "terminal");
    }

    #[test]
    fn the_keeper_is_told_a_way_by_the_name_it_knows() {
        for way in Way::ALL {
            assert_eq!(Way::named(way.name()), Some(way));
        }
        assert_eq!(Way::named("x"), None);
    }
}
