//! Reading and drawing as a whole: every picture of `vectors`, formats made here, and files that are broken on purpose.

use std::io::Cursor;
use std::path::Path;
use std::time::{Duration, Instant};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgba, RgbaImage};
use proptest::prelude::*;

use super::*;
use crate::secret::{Secret, SecretText};

const URI: &str = "otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Amazon%20Web%20Services";

fn texts(bytes: &[u8]) -> Vec<String> {
    match scan(bytes) {
        Ok(scanned) => scanned
            .texts
            .iter()
            .map(|text| text.expose().to_owned())
            .collect(),
        Err(error) => panic!("{error}"),
    }
}

fn error(bytes: &[u8]) -> ScanError {
    match scan(bytes) {
        Ok(_) => panic!("it should have been refused"),
        Err(error) => error,
    }
}

fn drawing(text: &str) -> Drawing {
    Drawing::new(&SecretText::new(text.to_owned())).unwrap()
}

fn png(text: &str, module: u32) -> Vec<u8> {
    drawing(text).png(module).unwrap().expose().to_vec()
}

fn picture(text: &str, module: u32) -> DynamicImage {
    image::load_from_memory(&png(text, module)).unwrap()
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[allow(clippy::disallowed_methods)]
fn vector(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_vector_is_read() {
    let manifest = String::from_utf8(vector("qr/manifest.tsv")).unwrap();
    let (mut pictures, mut wrong) = (0, Vec::new());
    for line in manifest.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let mut expected: Vec<String> = serde_json::from_str(columns[2]).unwrap();
        let mut read = texts(&vector(&format!("qr/{}", columns[0])));
        expected.sort();
        read.sort();
        // Without the second engine more is lost; how much is told in `tests/qr/README.md`.
        if read != expected
            && (cfg!(feature = "rxing") || read.iter().any(|text| !expected.contains(text)))
        {
            wrong.push(columns[0].to_owned());
        }
        pictures += 1;
    }
    assert!(pictures >= 50, "{pictures} pictures");
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_enrolment_pictures_give_their_texts_in_order() {
    let expected: serde_json::Value = serde_json::from_slice(&vector("aws/expected.json")).unwrap();
    for entry in expected.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        let uris: Vec<&str> = entry["uris"]
            .as_array()
            .unwrap()
            .iter()
            .map(|uri| uri.as_str().unwrap())
            .collect();
        assert_eq!(texts(&vector(&format!("aws/{file}"))), uris, "{file}");
    }
}

#[test]
fn every_format_is_read() {
    let colour = DynamicImage::ImageRgb8(picture(URI, 4).to_rgb8());
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        assert_eq!(texts(&written(&colour, format)), [URI], "{format:?}");
    }
    for (depth, picture) in [
        ("8 bits", DynamicImage::ImageLuma8(colour.to_luma8())),
        ("16 bits", DynamicImage::ImageLuma16(colour.to_luma16())),
        (
            "8 bits and opacity",
            DynamicImage::ImageLumaA8(colour.to_luma_alpha8()),
        ),
        (
            "16 bits, coloured, and opacity",
            DynamicImage::ImageRgba16(colour.to_rgba16()),
        ),
    ] {
        assert_eq!(
            texts(&written(&picture, ImageFormat::Png)),
            [URI],
            "{depth}"
        );
    }
}

/// A code whose modules show in one way only: by what lies behind, or by the opacity alone.
#[test]
fn translucent_codes_are_read() {
    let code = picture(URI, 4).to_luma8();
    for (what, dark, light) in [
        ("black on nothing", Rgba([0, 0, 0, 255]), Rgba([0, 0, 0, 0])),
        (
            "white on nothing",
            Rgba([255, 255, 255, 255]),
            Rgba([255, 255, 255, 0]),
        ),
        (
            "nothing on white",
            Rgba([0, 0, 0, 0]),
            Rgba([255, 255, 255, 255]),
        ),
        (
            "grey, by opacity alone",
            Rgba([128, 128, 128, 255]),
            Rgba([128, 128, 128, 0]),
        ),
        (
            "half opaque",
            Rgba([0, 0, 0, 128]),
            Rgba([255, 255, 255, 128]),
        ),
    ] {
        let picture = RgbaImage::from_fn(code.width(), code.height(), |x, y| {
            if code.get_pixel(x, y).0[0] == 0 {
                dark
            } else {
                light
            }
        });
        assert_eq!(
            texts(&written(&picture.into(), ImageFormat::Png)),
            [URI],
            "{what}"
        );
    }
}

/// The picture's size and the order of its codes are those of the picture as shown.
#[test]
fn exif_turns_the_picture() {
    let (left, right) = (
        picture("left", 6).to_luma8(),
        picture("right", 6).to_luma8(),
    );
    let mut both = GrayImage::from_pixel(
        left.width() + right.width() + 40,
        left.height().max(right.height()),
        Luma([255]),
    );
    image::imageops::overlay(&mut both, &left, 0, 0);
    image::imageops::overlay(&mut both, &right, i64::from(left.width()) + 40, 0);
    let stored = DynamicImage::ImageLuma8(both.clone()).rotate270();
    let plain = written(&stored, ImageFormat::Jpeg);
    // "Orientation 6": turn by 90 degrees clockwise to show it.
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut turned = plain[..2].to_vec();
    turned.extend([0xff, 0xe1, 0, exif.len() as u8 + 2]);
    turned.extend(exif);
    turned.extend(&plain[2..]);
    let scanned = scan(&turned).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scanned.width, scanned.height), both.dimensions());
    assert_eq!(texts(&turned), ["left", "right"]);
    assert_eq!(
        texts(&plain),
        ["right", "left"],
        "without it the right one lies above"
    );
}

/// Alone, rqrr takes corners of different small codes for one another when many stand on a page.
#[cfg(feature = "rxing")]
#[test]
fn codes_come_from_top_to_bottom_and_left_to_right() {
    let mut page = GrayImage::from_pixel(900, 900, Luma([255]));
    for (text, x, y) in [
        ("d", 500, 560),
        ("a", 30, 40),
        ("b", 500, 0),
        ("c", 10, 500),
        ("a", 30, 250),
    ] {
        image::imageops::overlay(&mut page, &picture(text, 6).to_luma8(), x, y);
    }
    assert_eq!(
        texts(&written(&page.into(), ImageFormat::Png)),
        ["a", "b", "c", "d"],
        "each once"
    );
}

#[test]
fn a_code_without_quiet_zone_and_an_inverted_one_are_read() {
    let code = picture(URI, 4);
    let bare = code
        .crop_imm(16, 16, code.width() - 32, code.height() - 32)
        .to_luma8();
    let mut on_dark = GrayImage::from_pixel(bare.width() + 60, bare.height() + 60, Luma([30]));
    image::imageops::overlay(&mut on_dark, &bare, 30, 30);
    assert_eq!(texts(&written(&on_dark.into(), ImageFormat::Png)), [URI]);
    let mut inverted = code;
    inverted.invert();
    assert_eq!(texts(&written(&inverted, ImageFormat::Png)), [URI]);
}

#[test]
fn what_is_no_picture_is_told_apart() {
    assert_eq!(error(b""), ScanError::Empty);
    assert_eq!(error(URI.as_bytes()), ScanError::NotAPicture);
    assert_eq!(error(b"%PDF-1.4 ..."), ScanError::Foreign(Foreign::Pdf));
    assert_eq!(error(b"\x89PNG\r\n\x1a\n"), ScanError::Damaged(Format::Png));
    let all_of_it = png(URI, 4);
    assert_eq!(
        error(&all_of_it[..all_of_it.len() / 4]),
        ScanError::Damaged(Format::Png)
    );
    let long = vec![0; MAX_FILE_BYTES as usize + 1];
    assert_eq!(error(&long), ScanError::FileTooLarge(MAX_FILE_BYTES + 1));
    assert!(
        texts(&written(
            &GrayImage::from_pixel(300, 300, Luma([200])).into(),
            ImageFormat::Png
        ))
        .is_empty()
    );
    assert!(
        texts(&written(
            &GrayImage::from_pixel(1, 1, Luma([0])).into(),
            ImageFormat::Png
        ))
        .is_empty()
    );
}

/// What could be decoded of a cut off file is looked at: a bitmap is stored from the bottom to the top.
#[test]
fn a_code_in_the_part_that_is_there_is_read_and_the_damage_told() {
    let code = picture(URI, 4).to_rgb8();
    let mut tall =
        image::RgbImage::from_pixel(code.width(), code.height() * 2, image::Rgb([255; 3]));
    image::imageops::overlay(&mut tall, &code, 0, i64::from(code.height()));
    let whole = written(&tall.into(), ImageFormat::Bmp);
    let scanned = scan(&whole[..whole.len() * 3 / 4]).unwrap_or_else(|error| panic!("{error}"));
    assert!(scanned.damaged);
    assert_eq!(scanned.texts.len(), 1);
    assert!(
        !scan(&whole)
            .unwrap_or_else(|error| panic!("{error}"))
            .damaged
    );
}

/// 60000 by 60000 pixels in a file of a few hundred bytes: refused by the header, before anything is decoded.
#[test]
fn a_decompression_bomb_is_refused_at_once() {
    let start = Instant::now();
    for (width, height) in [
        (60_000, 60_000),
        (u32::MAX, u32::MAX),
        (1, 1 << 31),
        (20_000, 20_000),
    ] {
        let refused = error(&png_header(width, height));
        assert!(
            matches!(
                refused,
                ScanError::TooManyPixels { .. }
                    | ScanError::TooMuchMemory(_)
                    | ScanError::Damaged(_)
            ),
            "{width} x {height}: {refused:?}"
        );
    }
    assert_eq!(
        error(&png_header(60_000, 60_000)),
        ScanError::TooManyPixels {
            width: 60_000,
            height: 60_000
        }
    );
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// The beginning of a PNG of 8 bits of grey, and a pixel stream that is none.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for chunk in [header, b"IDATxxxx".to_vec(), b"IEND".to_vec()] {
        file.extend((chunk.len() as u32 - 4).to_be_bytes());
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}

/// Thousands of files with flipped bytes, cut off, or with parts doubled: each ends in a result, soon, and without a panic getting
/// out; and no text is read that isn't in the picture.
#[test]
fn broken_files_never_panic_and_never_hang() {
    let colour =
        DynamicImage::ImageRgb8(picture("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ", 2).to_rgb8());
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |sides: usize| {
        // xorshift64: the same files on every run.
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice % sides as u64) as usize
    };
    let rounds = 400;
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let whole = written(&colour, format);
        for round in 0..rounds {
            let mut bytes = whole.clone();
            match round % 4 {
                0 => bytes.truncate(roll(whole.len())),
                1 => (0..=roll(8)).for_each(|_| bytes[roll(whole.len())] ^= 1 << roll(8)),
                // Headers are where sizes stand.
                2 => (0..=roll(4))
                    .for_each(|_| bytes[8 + roll(56)] = [0, 1, 0x7f, 0x80, 0xff][roll(5)]),
                _ => {
                    let at = roll(whole.len());
                    let part = bytes[at..].to_vec();
                    bytes.splice(at..at, part);
                }
            }
            let start = Instant::now();
            if let Ok(scanned) = scan(&bytes) {
                for text in &scanned.texts {
                    assert_eq!(
                        text.expose(),
                        "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ",
                        "{format:?}, round {round}"
                    );
                }
            }
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{format:?}, round {round}"
            );
        }
    }
}

/// Ten thousand corner squares and no code: each engine would try every three of them.
#[test]
fn a_page_full_of_corner_squares_comes_to_an_end() {
    let page = GrayImage::from_fn(1800, 1800, |x, y| {
        let ring = (x / 2 % 9).abs_diff(3).max((y / 2 % 9).abs_diff(3));
        Luma([if ring == 2 || ring > 3 { 255 } else { 0 }])
    });
    let start = Instant::now();
    assert!(texts(&written(&page.into(), ImageFormat::Png)).is_empty());
    assert!(
        start.elapsed() < Duration::from_secs(12),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_drawing_stays_small_enough_for_a_terminal() {
    // Version 9 has 53 modules; with the quiet zone 61 columns and 31 lines.
    let (columns, lines) = drawing(URI).terminal_size();
    assert!(columns <= 61 && lines <= 31, "{columns} x {lines}");
    let blocks = drawing(URI).half_blocks();
    let drawn: Vec<&str> = blocks.expose().lines().collect();
    assert_eq!(drawn.len(), lines);
    assert!(blocks.expose().ends_with("\x1b[0m\n"));
    for line in drawn {
        let blocks = line
            .strip_prefix("\x1b[38;5;16;48;5;231m")
            .and_then(|rest| rest.strip_suffix("\x1b[0m"))
            .unwrap();
        assert_eq!(blocks.chars().count(), columns);
        assert!(blocks.chars().all(|c| " ▀▄█".contains(c)));
    }
}

/// What the terminal shows, the SVG's path and the PNG's pixels are the same modules.
#[test]
fn the_three_drawings_agree() {
    let drawing = drawing(URI);
    let side = drawing.modules();
    let png = image::load_from_memory(drawing.png(1).unwrap().expose())
        .unwrap()
        .to_luma8();
    let dark = |x: usize, y: usize| y < side && png.get_pixel(x as u32, y as u32).0[0] == 0;
    let blocks = drawing.half_blocks();
    for (line, drawn) in blocks.expose().lines().enumerate() {
        let drawn = drawn
            .trim_start_matches("\x1b[38;5;16;48;5;231m")
            .trim_end_matches("\x1b[0m");
        for (x, c) in drawn.chars().enumerate() {
            assert_eq!(
                (dark(x, 2 * line), dark(x, 2 * line + 1)),
                (c == '▀' || c == '█', c == '▄' || c == '█')
            );
        }
    }
    let svg = drawing.svg();
    let path = svg
        .expose()
        .split("d=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap();
    let mut filled = vec![false; side * side];
    for run in path.split_terminator('z') {
        let numbers: Vec<usize> = run
            .split(['M', ' ', 'h', 'v', '-'])
            .filter_map(|n| n.parse().ok())
            .collect();
        let [x, y, long, 1, back] = numbers[..] else {
            panic!("{run}")
        };
        assert_eq!(long, back);
        filled[y * side + x..y * side + x + long].fill(true);
    }
    assert!((0..side * side).all(|i| filled[i] == dark(i % side, i / side)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let text = |length: usize| SecretText::new("x".repeat(length));
    assert!(Drawing::new(&text(2953)).is_ok());
    assert_eq!(
        Drawing::new(&text(2954)).err(),
        Some(RenderError::TooLong(2954))
    );
    let drawing = drawing("A");
    assert_eq!(
        drawing.png(0).err(),
        Some(RenderError::ModulePixels {
            asked: 0,
            most: 282
        })
    );
    assert!(drawing.png(283).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any text drawn is read back, by all of ours and by rqrr alone.
    #[test]
    fn what_is_drawn_is_read_back(text in "[ -~]{1,300}|[ -~あ-んア-ン一-龠é☃]{1,80}", module in 2_u32..6) {
        let drawn = png(&text, module);
        prop_assert_eq!(texts(&drawn), [text.clone()]);
        let grey = image::load_from_memory(&drawn).unwrap().to_luma8();
        let read = rqrr::PreparedImage::prepare(grey).detect_grids()[0].decode().unwrap().1;
        prop_assert_eq!(read, text);
    }
}

/// A screen of 3840 x 2160 full of what is no code: bars, windows, lines of "text", a gradient.
fn busy_screen() -> RgbaImage {
    RgbaImage::from_fn(3840, 2160, |x, y| {
        let is_ink = (x / 3 * 7 + y / 14 * 13 + (x / 5) * (y / 14)) % 5 < 2 && y % 14 < 9;
        match (x / 960, y / 540) {
            (_, _) if y < 40 => Rgba([30, 30, 46, 255]),
            (0 | 3, 1) if is_ink => Rgba([20, 20, 20, 255]),
            (0 | 3, 1) => Rgba([250, 250, 250, 255]),
            (1, 0 | 2) if is_ink => Rgba([200, 220, 200, 255]),
            (1, 0 | 2) => Rgba([40, 42, 54, 255]),
            (_, _) => Rgba([(x / 16) as u8, (y / 9) as u8, 120, 255]),
        }
    })
}

fn of_screen(screen: RgbaImage) -> Vec<String> {
    let (width, height) = screen.dimensions();
    let scanned = scan_pixels(width, height, Secret::new(screen.into_raw())).unwrap();
    assert_eq!((scanned.width, scanned.height), (width, height));
    let texts = scanned.texts.iter();
    texts.map(|text| text.expose().to_owned()).collect()
}

#[test]
fn a_small_code_anywhere_on_a_large_screen_is_found() {
    for (module, x, y) in [(2, 10, 50), (2, 3600, 1900), (3, 1111, 777), (2, 2001, 333)] {
        let mut screen = busy_screen();
        let code = picture(URI, module).into_rgba8();
        image::imageops::replace(&mut screen, &code, x, y);
        assert_eq!(
            of_screen(screen),
            [URI],
            "{module} pixels a module at {x}, {y}"
        );
    }
}

#[test]
fn several_codes_of_a_screen_are_found_in_reading_order() {
    let other = "otpauth://totp/b?secret=JBSWY3DPEHPK3PXP";
    let mut screen = busy_screen();
    image::imageops::replace(&mut screen, &picture(URI, 3).into_rgba8(), 2500, 1200);
    image::imageops::replace(&mut screen, &picture(other, 2).into_rgba8(), 300, 700);
    assert_eq!(of_screen(screen), [other, URI]);
    assert_eq!(of_screen(busy_screen()), [""; 0]);
}

#[test]
fn pixels_that_are_no_picture_are_refused() {
    for (width, height, bytes) in [
        (0, 0, 0),
        (0, 7, 0),
        (2, 2, 15),
        (2, 2, 17),
        (u32::MAX, 1, 4),
    ] {
        let refused = scan_pixels(width, height, Secret::new(vec![0; bytes]));
        assert!(refused.is_err(), "{width} x {height}, {bytes} bytes");
    }
    assert!(scan_pixels(1, 1, Secret::new(vec![0; 4])).is_ok());
}
