use super::*;

/// The relative luminance of WCAG 2.2.
fn luminance(rgb: [u8; 3]) -> f64 {
    let linear = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

/// The contrast ratio of WCAG 2.2.
fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn contrast_is_what_wcag_says() {
    let black = [0, 0, 0];
    assert!((contrast(black, [255, 255, 255]) - 21.0).abs() < 1e-9);
    assert!((contrast(black, black) - 1.0).abs() < 1e-9);
    // The examples that are in everybody's mouth: #767676 is the lightest grey that passes 4.5 on white, #777777 doesn't.
    assert!(contrast([0x76; 3], [255; 3]) >= 4.5);
    assert!(contrast([0x77; 3], [255; 3]) < 4.5);
}

#[test]
fn colors_of_our_own_can_be_read_on_black_and_on_white() {
    let theme = Theme::new(Kind::Truecolor, &[]);
    let mut colored = 0;
    for (part, style) in theme.parts() {
        match style.fg {
            None | Some(Color::Reset) => continue,
            Some(Color::Rgb(r, g, b)) => {
                colored += 1;
                for background in [[0; 3], [255; 3]] {
                    let ratio = contrast([r, g, b], background);
                    assert!(ratio >= 4.5, "{part} on {background:?}: {ratio}");
                }
                // Between the two, on the greys that dark and light themes have.
                for background in [[0x28; 3], [0xee; 3]] {
                    let ratio = contrast([r, g, b], background);
                    assert!(ratio >= 3.0, "{part} on {background:?}: {ratio}");
                }
            }
            other => panic!("{part}: {other:?}"),
        }
    }
    assert!(colored > 8);
}

#[test]
fn of_the_terminals_colors_only_those_are_used_that_are_seen_on_both() {
    let fine = [Color::Reset, Color::Red, Color::Magenta, Color::Green];
    for (part, style) in Theme::new(Kind::Sixteen, &[]).parts() {
        assert!(style.fg.is_none_or(|color| fine.contains(&color)), "{part}");
    }
}

#[test]
fn only_the_selection_touches_the_background() {
    for kind in [Kind::Mono, Kind::Sixteen, Kind::Truecolor] {
        for (part, style) in Theme::new(kind, &[]).parts() {
            let filled = style.bg.is_some_and(|color| color != Color::Reset);
            assert!(!filled, "{part}");
            let reversed = style.add_modifier.contains(Modifier::REVERSED);
            assert!(!reversed || ["selected", "error"].contains(&part), "{part}");
        }
    }
}

#[test]
fn without_colors_there_is_none_and_the_parts_differ_still() {
    let everything: Vec<(&str, Paint)> = PARTS
        .iter()
        .map(|(part, _)| (*part, Paint::read("bright-red").expect("a color")))
        .collect();
    let plain = Theme::new(Kind::Mono, &[]);
    let wanted = Theme::new(Kind::Mono, &everything);
    assert_eq!(plain, wanted);
    for (part, style) in plain.parts() {
        let colors = [style.fg, style.bg];
        let none = |color: &Option<Color>| color.is_none_or(|color| color == Color::Reset);
        assert!(colors.iter().all(none), "{part}");
    }
    assert_ne!(plain.code, plain.code_expiring);
    assert_ne!(plain.code, plain.code_soon);
    assert_ne!(plain.selected, plain.text);
    assert_ne!(plain.error, plain.warning);
    assert_ne!(plain.matched, plain.account);
    // But what is said of bold and the like is done.
    let reversed = [("hint", Paint::read("red reverse").expect("a paint"))];
    let hint = Theme::new(Kind::Mono, &reversed).hint;
    assert_eq!(hint, Style::new().add_modifier(Modifier::REVERSED));
}

#[test]
fn the_look_suits_the_terminal() {
    assert_eq!(Kind::suited(false, false), Kind::Mono);
    assert_eq!(Kind::suited(false, true), Kind::Mono);
    assert_eq!(Kind::suited(true, false), Kind::Sixteen);
    assert_eq!(Kind::suited(true, true), Kind::Truecolor);
}

#[test]
fn paints_are_read() {
    for (text, color, modifiers) in [
        ("red", Some(Color::Red), Modifier::empty()),
        ("white", Some(Color::Gray), Modifier::empty()),
        ("bright-white", Some(Color::White), Modifier::empty()),
        ("default", Some(Color::Reset), Modifier::empty()),
        (
            "#12aBfF bold",
            Some(Color::Rgb(0x12, 0xab, 0xff)),
            Modifier::BOLD,
        ),
        (
            "dim underline",
            None,
            Modifier::DIM.union(Modifier::UNDERLINED),
        ),
        (
            "  Reverse  BRIGHT-blue ",
            Some(Color::LightBlue),
            Modifier::REVERSED,
        ),
    ] {
        let paint = Paint { color, modifiers };
        assert_eq!(Paint::read(text), Ok(paint), "{text}");
        assert_eq!(Paint::read(&paint.written()), Ok(paint), "{text}");
    }
    for (text, word) in [
        ("", ""),
        (" ", " "),
        ("rde", "rde"),
        ("red blue", "blue"),
        ("red #12345", "#12345"),
        ("#1234567", "#1234567"),
        ("#+12345", "#+12345"),
        ("#éé12", "#éé12"),
        ("light-blue", "light-blue"),
        ("bold blink", "blink"),
    ] {
        assert_eq!(Paint::read(text), Err(word), "{text:?}");
    }
}

#[test]
fn what_is_wanted_is_laid_over_the_theme() {
    let paint = |text| Paint::read(text).expect("a paint");
    let wanted = [
        ("code", paint("#ff8700")),
        ("error", paint("underline")),
        ("tag", paint("default dim")),
    ];
    let theme = Theme::new(Kind::Truecolor, &wanted);
    assert_eq!(theme.code, Style::new().fg(Color::Rgb(0xff, 0x87, 0)));
    assert_eq!(theme.error, UNDERLINED.fg(RED));
    assert_eq!(theme.tag, DIM.fg(Color::Reset));
    assert_eq!(theme.warning, Theme::TRUECOLOR.warning);
    // Where all colours aren't to be had, the nearest of 256.
    let theme = Theme::new(Kind::Sixteen, &wanted);
    assert_eq!(theme.code.fg, Some(Color::Indexed(208)));
}

#[test]
fn the_nearest_of_256_is_found() {
    for (rgb, index) in [
        ([0, 0, 0], 16),
        ([255, 255, 255], 231),
        ([255, 0, 0], 196),
        ([95, 135, 175], 67),
        ([0x80, 0x80, 0x80], 244),
        ([8, 8, 8], 232),
        ([238, 238, 238], 255),
    ] {
        let [r, g, b] = rgb;
        assert_eq!(of_256(r, g, b), Color::Indexed(index), "{rgb:?}");
    }
}
