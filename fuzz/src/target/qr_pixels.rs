//! A small grey picture: the first byte is its width, the rest its pixels. A bright and a dark value a bit, or a byte a pixel.

use vmfa::qr::{ScanError, scan_pixels};
use vmfa::secret::Secret;

pub fn run(bytes: &[u8]) {
    let [how, width, pixels @ ..] = bytes else {
        return;
    };
    let width = usize::from(*width);
    let grey: Vec<u8> = match how & 1 {
        0 => pixels.to_vec(),
        _ => pixels
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| (byte >> bit & 1) * 255))
            .collect(),
    };
    // Each module of so many pixels: an engine wants some.
    let zoom = usize::from(how >> 1 & 3) + 1;
    let height = grey.len().checked_div(width).unwrap_or(0).min(255);
    let mut rgba = Vec::with_capacity(4 * zoom * zoom * width * height);
    for y in 0..height * zoom {
        for x in 0..width * zoom {
            let value = grey[y / zoom * width + x / zoom];
            rgba.extend_from_slice(&[value, value, value, 255]);
        }
    }
    let (width, height) = ((width * zoom) as u32, (height * zoom) as u32);
    match scan_pixels(width, height, Secret::new(rgba)) {
        Ok(scanned) => {
            assert_eq!((scanned.width, scanned.height), (width, height));
            assert!(!scanned.damaged);
            for text in &scanned.texts {
                assert!(text.expose().len() <= 3 * 7089);
            }
        }
        // A busy machine may not come to an end in time.
        Err(ScanError::TookTooLong | ScanError::NoThread) => {}
        Err(error) => assert!(width == 0 || height == 0, "{error}"),
    }
}
