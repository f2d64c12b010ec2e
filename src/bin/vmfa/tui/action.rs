//! What a key can do in the list: one table, from which the help, the hints and the configuration come.

/// Something that a person can do in the list with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    Top,
    Bottom,
    Search,
    Copy,
    CopyNext,
    Reveal,
    Pair,
    Qr,
    Details,
    Add,
    Edit,
    Favorite,
    Delete,
    Undo,
    Trash,
    Group,
    Sort,
    Privacy,
    Lock,
    Help,
    Suspend,
    Redraw,
    Quit,
}

/// An action with what is said of it.
pub(crate) struct Row {
    pub(crate) action: Action,
    /// How the configuration calls it.
    pub(crate) name: &'static str,
    /// The keys that it has unless the configuration says otherwise, as the configuration writes them.
    pub(crate) keys: &'static [&'static str],
    /// One word for the line of hints.
    pub(crate) hint: &'static str,
    /// A line for the help.
    pub(crate) help: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    hint: &'static str,
    help: &'static str,
) -> Row {
    Row {
        action,
        name,
        keys,
        hint,
        help,
    }
}

/// Every action, in the order of the help.
pub(crate) const ACTIONS: &[Row] = &[
    row(
        Action::Copy,
        "copy",
        &["enter"],
        "copy",
        "copy the code; it leaves the clipboard after a while",
    ),
    row(
        Action::CopyNext,
        "copy-next",
        &["n"],
        "next",
        "copy the next code, before its time",
    ),
    row(
        Action::Search,
        "search",
        &["/", "ctrl-f"],
        "search",
        "type to search; Esc leaves the search",
    ),
    row(
        Action::Pair,
        "pair",
        &["p"],
        "pair",
        "two consecutive codes, as enabling an AWS device asks for them",
    ),
    row(
        Action::Reveal,
        "reveal",
        &["space"],
        "show",
        "show or hide this code",
    ),
    row(
        Action::Details,
        "details",
        &["i"],
        "details",
        "all about the account",
    ),
    row(
        Action::Add,
        "add",
        &["a"],
        "add",
        "add accounts: paste a URI or a secret, a picture, the screen, the clipboard",
    ),
    row(
        Action::Edit,
        "edit",
        &["e"],
        "edit",
        "change issuer, account name, tags and note",
    ),
    row(
        Action::Favorite,
        "favorite",
        &["f"],
        "favourite",
        "favourite or not: favourites come first",
    ),
    row(
        Action::Qr,
        "qr",
        &["q"],
        "QR",
        "as a QR code for another device; asks for the passphrase",
    ),
    row(
        Action::Delete,
        "delete",
        &["d", "delete"],
        "delete",
        "into the trash",
    ),
    row(
        Action::Undo,
        "undo",
        &["u"],
        "undo",
        "bring back what was deleted last",
    ),
    row(
        Action::Trash,
        "trash",
        &["t"],
        "trash",
        "look into the trash, and bring accounts back",
    ),
    row(
        Action::Group,
        "group",
        &["g"],
        "group",
        "only the accounts of a tag or of an AWS account",
    ),
    row(
        Action::Sort,
        "sort",
        &["s"],
        "sort",
        "by name, by use, by the last use",
    ),
    row(
        Action::Privacy,
        "privacy",
        &["v"],
        "privacy",
        "hide all codes until they are chosen, or show them",
    ),
    row(
        Action::Lock,
        "lock",
        &["L"],
        "lock",
        "lock, here and at the agent",
    ),
    row(Action::Down, "down", &["down", "j"], "down", "down"),
    row(Action::Up, "up", &["up", "k"], "up", "up"),
    row(
        Action::PageDown,
        "page-down",
        &["pagedown", "ctrl-d"],
        "page down",
        "a page down",
    ),
    row(
        Action::PageUp,
        "page-up",
        &["pageup", "ctrl-u"],
        "page up",
        "a page up",
    ),
    row(Action::Top, "top", &["home"], "top", "to the first"),
    row(
        Action::Bottom,
        "bottom",
        &["end", "G"],
        "bottom",
        "to the last",
    ),
    row(Action::Help, "help", &["?", "f1"], "help", "this help"),
    row(
        Action::Suspend,
        "suspend",
        &["ctrl-z"],
        "suspend",
        "give the terminal back to the shell; `fg` returns",
    ),
    row(
        Action::Redraw,
        "redraw",
        &["ctrl-l"],
        "redraw",
        "draw everything anew",
    ),
    row(
        Action::Quit,
        "quit",
        &["esc", "ctrl-c", "ctrl-q", "Q"],
        "quit",
        "leave",
    ),
];
