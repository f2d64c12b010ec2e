//! How each part of the interface looks: with sixteen colours, with all of them, and with none.

#[cfg(test)]
mod tests;

use ratatui::style::{Color, Modifier, Style};

/// Which looks there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The terminal's own sixteen colours, as the person has set them.
    Sixteen,
    /// Colours of our own.
    Truecolor,
    /// No colour at all: bold, faint, underlined, reversed.
    Mono,
}

impl Kind {
    /// What suits the terminal. `colours_allowed` is false under `NO_COLOR` or on a dumb terminal; `truecolor` true where the
    /// terminal says that it can show all colours.
    pub(crate) fn suited(colours_allowed: bool, truecolor: bool) -> Self {
        match (colours_allowed, truecolor) {
            (false, _) => Self::Mono,
            (true, true) => Self::Truecolor,
            (true, false) => Self::Sixteen,
        }
    }
}

/// What a person wants a part to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Paint {
    /// None where only modifiers were said: the colour stays as the theme has it.
    pub(crate) color: Option<Color>,
    pub(crate) modifiers: Modifier,
}

/// Defines the parts once: as fields, and by name.
macro_rules! parts {
    ($($(#[doc = $doc:literal])+ $field:ident $name:literal;)+) => {
        /// How each part looks. Nothing is told by colour alone: the look without colours must do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct Theme {
            $($(#[doc = $doc])+ pub(crate) $field: Style,)+
        }

        /// The parts as the configuration calls them, and what each is.
        pub(crate) const PARTS: &[(&str, &str)] = &[$(($name, concat!($($doc),+)),)+];

        impl Theme {
            const PLAIN: Self = Self { $($field: Style::new(),)+ };

            /// A part by its name.
            pub(crate) fn part(&mut self, name: &str) -> Option<&mut Style> {
                match name {
                    $($name => Some(&mut self.$field),)+
                    _ => None,
                }
            }

            /// Every part with its name.
            #[cfg(test)]
            pub(crate) fn parts(&self) -> impl Iterator<Item = (&'static str, Style)> {
                [$(($name, self.$field),)+].into_iter()
            }
        }
    };
}

parts! {
    /// what has no look of its own
    text "text";
    /// what matters less
    faint "faint";
    /// a code
    code "code";
    /// the next code, before its time
    code_soon "code-soon";
    /// a code whose time is nearly over
    code_expiring "code-expiring";
    /// an account's issuer
    issuer "issuer";
    /// an account's name
    account "account";
    /// a tag
    tag "tag";
    /// the line that is chosen
    selected "selected";
    /// the letters that a search found
    matched "matched";
    /// the title of a dialog or of a group
    heading "heading";
    /// a key in the hints and the help
    key "key";
    /// what a key does
    hint "hint";
    /// a warning
    warning "warning";
    /// an error
    error "error";
    /// that something was done
    good "good";
    /// frames and lines
    border "border";
    /// what is being typed
    input "input";
}

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const UNDERLINED: Style = Style::new().add_modifier(Modifier::UNDERLINED);
/// Put over a line it takes the line's own colours away, so that the whole of it is of one colour.
const REVERSED: Style = Style::new()
    .fg(Color::Reset)
    .bg(Color::Reset)
    .add_modifier(Modifier::REVERSED);

// Their luminance is about 0.18, the one at which text has the same contrast to black as to white, some 4.6 to 1: which of the
// two a terminal has behind it nobody tells us. Held by a test.
const GREY: Color = Color::Rgb(0x75, 0x75, 0x75);
const RED: Color = Color::Rgb(0xe0, 0x2e, 0x27);
const AMBER: Color = Color::Rgb(0xa7, 0x67, 0x0e);
const GREEN: Color = Color::Rgb(0x22, 0x86, 0x43);
const TEAL: Color = Color::Rgb(0x14, 0x82, 0x8c);
const BLUE: Color = Color::Rgb(0x19, 0x74, 0xdd);
const VIOLET: Color = Color::Rgb(0x8e, 0x5a, 0xd6);

impl Theme {
    /// The look of a kind, with what a person wants otherwise, by the names of the parts.
    pub(crate) fn new(kind: Kind, wanted: &[(&str, Paint)]) -> Self {
        let mut theme = match kind {
            Kind::Mono => Self::MONO,
            Kind::Sixteen => Self::SIXTEEN,
            Kind::Truecolor => Self::TRUECOLOR,
        };
        for (name, paint) in wanted {
            if let Some(style) = theme.part(name) {
                *style = painted(*style, *paint, kind);
            }
        }
        theme
    }

    const MONO: Self = Self {
        faint: DIM,
        code: BOLD,
        code_soon: DIM,
        code_expiring: BOLD.add_modifier(Modifier::UNDERLINED),
        issuer: BOLD,
        tag: DIM,
        selected: REVERSED,
        matched: UNDERLINED,
        heading: BOLD,
        key: BOLD,
        warning: BOLD,
        error: BOLD.add_modifier(Modifier::REVERSED),
        border: DIM,
        input: UNDERLINED,
        ..Self::PLAIN
    };

    // Of a terminal's own colours only these can be read on white and on black nearly everywhere: yellow, cyan and white vanish
    // on white, blue and black on black.
    const SIXTEEN: Self = Self {
        code_expiring: BOLD.fg(Color::Red),
        tag: Style::new().fg(Color::Magenta),
        matched: UNDERLINED.fg(Color::Magenta),
        warning: BOLD.fg(Color::Magenta),
        error: BOLD.fg(Color::Red),
        good: BOLD.fg(Color::Green),
        ..Self::MONO
    };

    const TRUECOLOR: Self = Self {
        faint: Style::new().fg(GREY),
        code_soon: Style::new().fg(TEAL),
        code_expiring: BOLD.fg(RED),
        tag: Style::new().fg(VIOLET),
        matched: UNDERLINED.fg(AMBER),
        heading: BOLD.fg(BLUE),
        key: BOLD.fg(BLUE),
        hint: Style::new().fg(GREY),
        warning: BOLD.fg(AMBER),
        error: BOLD.fg(RED),
        good: Style::new().fg(GREEN),
        border: Style::new().fg(GREY),
        ..Self::MONO
    };
}

/// A part as a person wants it. A colour that was said stands with the modifiers that were said and no others; modifiers alone
/// leave the colour as it is.
fn painted(style: Style, paint: Paint, kind: Kind) -> Style {
    let color = match (kind, paint.color) {
        (_, None) => style.fg,
        (Kind::Mono, Some(_)) => None,
        (Kind::Sixteen, Some(Color::Rgb(r, g, b))) => Some(of_256(r, g, b)),
        (Kind::Sixteen | Kind::Truecolor, Some(color)) => Some(color),
    };
    // Without colours, a part that was only coloured keeps the modifiers that set it apart.
    if kind == Kind::Mono && paint.modifiers.is_empty() {
        return style;
    }
    Style {
        fg: color,
        add_modifier: paint.modifiers,
        ..style
    }
}

/// The nearest of the 256 colours that nearly all terminals have: a cube of 6 steps a side, and 24 greys.
fn of_256(r: u8, g: u8, b: u8) -> Color {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |value: u8| {
        let distance = |step: &u8| STEPS[usize::from(*step)].abs_diff(value);
        (0..6).min_by_key(distance).unwrap_or(0)
    };
    let off = |one: [u8; 3]| -> u32 {
        let each = one.iter().zip([r, g, b]);
        each.map(|(one, other)| u32::from(one.abs_diff(other)).pow(2))
            .sum()
    };
    let cube = [nearest(r), nearest(g), nearest(b)];
    let of_cube = off(cube.map(|step| STEPS[usize::from(step)]));
    let grey_of = |index: u8| 8 + 10 * index;
    let of_grey = |index: &u8| off([grey_of(*index); 3]);
    let grey = (0..24).min_by_key(of_grey).unwrap_or(0);
    if of_grey(&grey) < of_cube {
        Color::Indexed(232 + grey)
    } else {
        Color::Indexed(16 + 36 * cube[0] + 6 * cube[1] + cube[2])
    }
}

/// The names of the terminal's own colours.
pub(crate) const COLORS: [(&str, Color); 17] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    // What ratatui calls gray is the terminal's white, and the other way round for the bright one.
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

/// What a part can be besides coloured.
pub(crate) const MODIFIERS: [(&str, Modifier); 4] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
];

impl Paint {
    /// Words such as "bright-blue bold" or "#a7670e".
    ///
    /// # Errors
    /// The word that is none of these, or that says a second colour.
    pub(crate) fn read(text: &str) -> Result<Self, &str> {
        let mut paint = Self::default();
        for word in text.split_whitespace() {
            let lower = word.to_ascii_lowercase();
            if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == lower) {
                paint.modifiers |= *modifier;
                continue;
            }
            let named = COLORS.iter().find(|(name, _)| *name == lower);
            let color = named.map(|(_, color)| *color).or_else(|| of_hex(&lower));
            match (color, paint.color) {
                (Some(color), None) => paint.color = Some(color),
                (_, _) => return Err(word),
            }
        }
        if paint == Self::default() {
            return Err(text);
        }
        Ok(paint)
    }

    /// As the configuration writes it.
    pub(crate) fn written(self) -> String {
        let mut words = Vec::new();
        match self.color {
            Some(Color::Rgb(r, g, b)) => words.push(format!("#{r:02x}{g:02x}{b:02x}")),
            Some(color) => {
                let named = COLORS.iter().find(|(_, other)| *other == color);
                words.extend(named.map(|(name, _)| (*name).to_owned()));
            }
            None => {}
        }
        let modifiers = MODIFIERS.iter();
        let set = modifiers.filter(|(_, modifier)| self.modifiers.contains(*modifier));
        words.extend(set.map(|(name, _)| (*name).to_owned()));
        words.join(" ")
    }
}

/// `#rrggbb`.
fn of_hex(word: &str) -> Option<Color> {
    let digits = word.strip_prefix('#')?;
    let is_hex = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    is_hex.then_some(Color::Rgb(part(0)?, part(2)?, part(4)?))
}
