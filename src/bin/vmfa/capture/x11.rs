//! What an X server shows, monitor by monitor.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use vmfa::secret::Secret;
use x11rb::connection::Connection as _;
use x11rb::protocol::randr::ConnectionExt as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, ImageFormat, ImageOrder, Screen, Setup, VisualClass,
};
use x11rb::rust_connection::RustConnection;
use zeroize::Zeroizing;

use super::{Failed, Picture, Shot};

/// A server that doesn't answer isn't waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// About as much is asked for at once.
const STRIPE_BYTES: usize = 4 << 20;
/// As many as a picture may have that is looked at.
const MAX_PIXELS: usize = 128 << 20;

/// A picture of every monitor of a display.
pub(super) fn screens(display: &str) -> Result<Vec<Shot>, Failed> {
    let display = without_names(display);
    let (done, outcome) = mpsc::channel();
    // The connection knows no deadline: a thread of its own can be given up.
    let working = thread::Builder::new().name("x11".into()).spawn(move || {
        let _ = done.send(all(&display));
    });
    if working.is_err() {
        return Err(Failed::Here("there is no room for another thread".into()));
    }
    match outcome.recv_timeout(PATIENCE) {
        Ok(taken) => taken.map_err(Failed::Here),
        Err(_) => Err(Failed::Here("it doesn't answer".into())),
    }
}

/// The display's address without a name to look up: that might want a library loaded, and a program that is linked statically
/// crashes at that. A local display is a socket and nothing else.
fn without_names(display: &str) -> String {
    if let Some(rest) = display.strip_prefix("localhost:") {
        return format!("127.0.0.1:{rest}");
    }
    match display
        .strip_prefix("unix:")
        .or_else(|| display.strip_prefix(':'))
    {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("unix/:{number}")
        }
        Some(_) | None => display.to_owned(),
    }
}

fn all(display: &str) -> Result<Vec<Shot>, String> {
    let (connection, _) =
        RustConnection::connect(Some(display)).map_err(|error| error.to_string())?;
    let setup = connection.setup();
    let mut shots = Vec::new();
    for (index, screen) in setup.roots.iter().enumerate() {
        let layout = Layout::of(setup, screen)?;
        let mut monitors = monitors(&connection, screen);
        if monitors.is_empty() {
            monitors.push(Monitor {
                name: format!("screen {}", index + 1),
                area: [
                    0,
                    0,
                    screen.width_in_pixels.into(),
                    screen.height_in_pixels.into(),
                ],
            });
        }
        for monitor in monitors {
            shots.push(shot(&connection, screen, &layout, monitor)?);
        }
    }
    Ok(shots)
}

struct Monitor {
    name: String,
    /// Left, top, width and height on the root window.
    area: [i32; 4],
}

/// The monitors by RandR 1.5, cut to what is on the root window; none where the server knows none.
fn monitors(connection: &RustConnection, screen: &Screen) -> Vec<Monitor> {
    let asked = || {
        // A server that isn't told that we know 1.5 may answer as in 1.0.
        connection.randr_query_version(1, 5).ok()?.reply().ok()?;
        connection
            .randr_get_monitors(screen.root, true)
            .ok()?
            .reply()
            .ok()
    };
    let told = asked().map(|reply| reply.monitors).unwrap_or_default();
    let (width, height) = (
        i32::from(screen.width_in_pixels),
        i32::from(screen.height_in_pixels),
    );
    let shown = told.into_iter().filter_map(|monitor| {
        let (left, top) = (i32::from(monitor.x).max(0), i32::from(monitor.y).max(0));
        let right = (i32::from(monitor.x) + i32::from(monitor.width)).min(width);
        let bottom = (i32::from(monitor.y) + i32::from(monitor.height)).min(height);
        let named = || connection.get_atom_name(monitor.name).ok()?.reply().ok();
        let name = named().map(|reply| String::from_utf8_lossy(&reply.name).into_owned());
        (right > left && bottom > top).then(|| Monitor {
            name: format!("screen {}", name.unwrap_or_default())
                .trim_end()
                .to_owned(),
            area: [left, top, right - left, bottom - top],
        })
    });
    shown.collect()
}

/// One monitor, in stripes, so that no answer is large.
fn shot(
    connection: &RustConnection,
    screen: &Screen,
    layout: &Layout,
    monitor: Monitor,
) -> Result<Shot, String> {
    let [left, top, width, height] = monitor.area;
    let (columns, rows) = (width as usize, height as usize);
    if columns * rows > MAX_PIXELS {
        return Err(format!(
            "{}: {width} x {height} pixels are too many",
            monitor.name
        ));
    }
    let mut rgba = Zeroizing::new(Vec::with_capacity(4 * columns * rows));
    let stripe = (STRIPE_BYTES / (4 * columns)).clamp(1, rows);
    for from in (0..rows).step_by(stripe) {
        let count = stripe.min(rows - from);
        let cookie = connection.get_image(
            ImageFormat::Z_PIXMAP,
            screen.root,
            left as i16,
            (top + from as i32) as i16,
            width as u16,
            count as u16,
            u32::MAX,
        );
        let reply = cookie
            .map_err(|error| error.to_string())
            .and_then(|cookie| cookie.reply().map_err(|error| error.to_string()))?;
        let data = Zeroizing::new(reply.data);
        layout
            .read(&data, columns, count, &mut rgba)
            .ok_or_else(|| format!("{}: less was told than asked for", monitor.name))?;
    }
    Ok(Shot {
        name: monitor.name,
        picture: Picture::Pixels {
            width: width as u32,
            height: height as u32,
            rgba: Secret::new(std::mem::take(&mut *rgba)),
        },
        remark: None,
    })
}

/// How a server writes pixels.
#[derive(Debug)]
struct Layout {
    bits_per_pixel: u8,
    /// Rows begin at multiples of so many bits.
    scanline_pad: u8,
    is_most_significant_first: bool,
    /// Where red, green and blue are in a pixel.
    masks: [u32; 3],
}

impl Layout {
    fn of(setup: &Setup, screen: &Screen) -> Result<Self, String> {
        let depth = screen.root_depth;
        let format = setup
            .pixmap_formats
            .iter()
            .find(|format| format.depth == depth);
        let mut visuals = screen
            .allowed_depths
            .iter()
            .flat_map(|depth| &depth.visuals);
        let visual = visuals.find(|visual| visual.visual_id == screen.root_visual);
        let (Some(format), Some(visual)) = (format, visual) else {
            return Err("it doesn't tell how its pixels are written".into());
        };
        let has_masks = matches!(
            visual.class,
            VisualClass::TRUE_COLOR | VisualClass::DIRECT_COLOR
        );
        if !has_masks || !matches!(format.bits_per_pixel, 16 | 24 | 32) {
            return Err(format!("a screen of {depth} bits a pixel isn't read"));
        }
        Ok(Self {
            bits_per_pixel: format.bits_per_pixel,
            scanline_pad: format.scanline_pad,
            is_most_significant_first: setup.image_byte_order == ImageOrder::MSB_FIRST,
            masks: [visual.red_mask, visual.green_mask, visual.blue_mask],
        })
    }

    /// Appends rows of pixels as red, green, blue and opacity; nothing if there are fewer than were asked for.
    fn read(&self, data: &[u8], width: usize, rows: usize, into: &mut Vec<u8>) -> Option<()> {
        let len = usize::from(self.bits_per_pixel / 8);
        let pad = usize::from(self.scanline_pad.max(8) / 8);
        let row_len = (width * len).next_multiple_of(pad);
        for row in 0..rows {
            let line = data.get(row * row_len..)?.get(..width * len)?;
            for pixel in line.chunks_exact(len) {
                let value = if self.is_most_significant_first {
                    pixel
                        .iter()
                        .fold(0, |value, byte| value << 8 | u32::from(*byte))
                } else {
                    pixel
                        .iter()
                        .rev()
                        .fold(0, |value, byte| value << 8 | u32::from(*byte))
                };
                let [red, green, blue] = self.masks.map(|mask| level(value, mask));
                into.extend_from_slice(&[red, green, blue, u8::MAX]);
            }
        }
        Some(())
    }
}

/// The part of a pixel under a mask, as 8 bits.
fn level(pixel: u32, mask: u32) -> u8 {
    let bits = mask.count_ones();
    let value = (pixel & mask)
        .checked_shr(mask.trailing_zeros())
        .unwrap_or(0);
    match bits {
        0 => 0,
        8.. => (value >> (bits - 8)) as u8,
        _ => (value * 255 / ((1 << bits) - 1)) as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(layout: &Layout, data: &[u8], width: usize, rows: usize) -> Option<Vec<u8>> {
        let mut rgba = Vec::new();
        layout.read(data, width, rows, &mut rgba)?;
        Some(rgba)
    }

    #[test]
    fn pixels_of_every_layout_are_read() {
        let usual = [0xff_0000, 0xff00, 0xff];
        let layout = |bits_per_pixel, is_most_significant_first, masks| Layout {
            bits_per_pixel,
            scanline_pad: 32,
            is_most_significant_first,
            masks,
        };
        let orange = [255, 128, 0, 255];
        for (layout, data) in [
            (layout(32, false, usual), vec![0, 128, 255, 0]),
            (layout(32, true, usual), vec![0, 255, 128, 0]),
            (
                layout(32, false, [0xff, 0xff00, 0xff_0000]),
                vec![255, 128, 0, 9],
            ),
            // 30 bits, and padding after a row of one pixel of 24 bits.
            (layout(32, false, [0x3ff << 20, 0x3ff << 10, 0x3ff]), {
                ((1023_u32 << 20) | (514 << 10)).to_le_bytes().to_vec()
            }),
            (layout(24, false, usual), vec![0, 128, 255, 77]),
        ] {
            assert_eq!(
                read(&layout, &data, 1, 1),
                Some(orange.to_vec()),
                "{layout:?}"
            );
            let twice = [data.clone(), data.clone()].concat();
            assert_eq!(
                read(&layout, &twice, 1, 2),
                Some(orange.repeat(2)),
                "{layout:?}"
            );
            assert_eq!(read(&layout, &data, 1, 2), None);
            assert_eq!(read(&layout, &data[..2], 1, 1), None);
        }
        // 5, 6 and 5 bits: the highest value is white, whatever its bits.
        let high = layout(16, false, [0xf800, 0x7e0, 0x1f]);
        assert_eq!(
            read(&high, &[0xff, 0xff, 0x00, 0xf8], 2, 1),
            Some(vec![255, 255, 255, 255, 255, 0, 0, 255])
        );
    }

    #[test]
    fn no_name_is_looked_up_for_a_display_of_this_machine() {
        for (display, address) in [
            (":0", "unix/:0"),
            (":1.1", "unix/:1.1"),
            ("unix:0", "unix/:0"),
            ("localhost:10.0", "127.0.0.1:10.0"),
            ("192.0.2.7:0", "192.0.2.7:0"),
            ("/tmp/launch/org.x:0", "/tmp/launch/org.x:0"),
        ] {
            assert_eq!(without_names(display), address);
        }
    }

    #[test]
    fn a_server_that_is_not_there_is_no_screen() {
        for display in ["", ":", ":65000", "nonsense"] {
            assert!(
                matches!(screens(display), Err(Failed::Here(_))),
                "{display}"
            );
        }
    }
}
