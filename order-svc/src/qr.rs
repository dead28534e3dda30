//! QR codes as pictures: an SVG and a PNG of the same modules, as small as they can be.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around a code, which readers need. Source: ISO/IEC 18004.
const QUIET_ZONE: usize = 4;
/// Pixels of one module in a PNG: a code of 45 modules is then 424 pixels wide.
const MODULE_PIXELS: usize = 8;

/// Why a text has no picture.
#[derive(Debug, thiserror::Error)]
pub enum QrError {
    /// It has more than the 2,331 bytes that a code of this level holds.
    #[error("the text is too long for a QR code")]
    TooLong(#[from] qrcode::types::QrError),
    /// The picture could not be written.
    #[error("the QR code cannot be written as PNG")]
    Png(#[from] png::EncodingError),
}

/// The modules of one code.
#[derive(Clone, Debug)]
pub struct Qr {
    /// Row by row; true is dark.
    modules: Vec<bool>,
    /// In one row.
    width: usize,
}

impl Qr {
    /// The code of `text`, of which a reader can miss 15 %.
    ///
    /// # Errors
    /// [`QrError::TooLong`].
    pub fn of(text: &str) -> Result<Self, QrError> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
        let width = code.width();
        Ok(Self { modules: code.into_colors().into_iter().map(|color| color == Color::Dark).collect(), width })
    }

    /// A drawing without a size of its own: one unit is one module.
    pub fn svg(&self) -> String {
        let side = self.width + 2 * QUIET_ZONE;
        let mut dark = String::new();
        for (y, row) in self.modules.chunks(self.width).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|left, right| left == right) {
                if run[0] {
                    let (x, y, length) = (x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                    write!(dark, "M{x} {y}h{length}v1h-{length}z").expect("a String takes everything");
                }
                x += run.len();
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\"{dark}\"/></svg>"
        )
    }

    /// A bitmap of one bit per pixel, 8 pixels per module.
    ///
    /// # Errors
    /// [`QrError::Png`].
    pub fn png(&self) -> Result<Vec<u8>, QrError> {
        let modules = self.width + 2 * QUIET_ZONE;
        let side = u32::try_from(modules * MODULE_PIXELS).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header()?;
        let mut pixels = Vec::with_capacity(modules * modules * MODULE_PIXELS);
        for y in 0..modules {
            // A module is 8 pixels wide, so it is one byte of a row: all ones are white.
            let row: Vec<u8> = (0..modules).map(|x| if self.is_dark(x, y) { 0 } else { u8::MAX }).collect();
            for _ in 0..MODULE_PIXELS {
                pixels.extend_from_slice(&row);
            }
        }
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(bytes)
    }

    /// Of the picture with its quiet zone, which is light.
    fn is_dark(&self, x: usize, y: usize) -> bool {
        let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < self.width);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| self.modules[y * self.width + x])
    }
}

#[cfg(test)]
mod tests {
    use super::{MODULE_PIXELS, QUIET_ZONE, Qr, QrError};

    const TEXT: &str = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz";

    /// What a reader sees in a picture of `side` pixels.
    fn read(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| if is_dark(x, y) { 0 } else { u8::MAX });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is seen");
        grids[0].decode().expect("it can be read").1
    }

    /// The pixels of a PNG, and how many are in a row.
    fn decoded(png: &[u8]) -> (Vec<u8>, usize) {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("it is a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("it is small")];
        let frame = reader.next_frame(&mut pixels).expect("it is whole");
        assert_eq!(frame.width, frame.height);
        (pixels, usize::try_from(frame.width).expect("it is small"))
    }

    #[test]
    fn a_reader_reads_the_text_of_a_png() {
        for text in [TEXT, &format!("{TEXT}&sign={}", "0123456789ABCDEF".repeat(12))] {
            let (pixels, side) = decoded(&Qr::of(text).expect("it fits").png().expect("it is drawn"));
            assert_eq!(side % MODULE_PIXELS, 0);
            assert_eq!(read(side, |x, y| pixels[y * side + x] == 0), text);
        }
    }

    #[test]
    fn a_drawing_has_the_same_dark_modules_and_a_quiet_zone() {
        let qr = Qr::of(TEXT).expect("it fits");
        let svg = qr.svg();
        let side = qr.width + 2 * QUIET_ZONE;
        assert!(svg.contains(&format!("viewBox=\"0 0 {side} {side}\"")), "{svg}");
        let path = svg.rsplit_once(" d=\"").expect("a path").1.split('"').next().expect("its end");
        let mut drawn = vec![false; side * side];
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').expect("a place");
            let (y, rest) = rest.split_once('h').expect("a length");
            let [x, y, length] = [x, y, rest.split('v').next().expect("a height")]
                .map(|number| number.parse::<usize>().expect("a number"));
            drawn[y * side + x..][..length].fill(true);
        }
        for y in 0..side {
            for x in 0..side {
                assert_eq!(drawn[y * side + x], qr.is_dark(x, y), "{x} {y}");
            }
        }
        assert!((0..side).all(|x| (0..QUIET_ZONE).all(|y| !drawn[y * side + x] && !drawn[x * side + y])));
    }

    #[test]
    fn a_text_that_fits_no_code_is_refused() {
        assert!(matches!(Qr::of(&"x".repeat(2400)), Err(QrError::TooLong(_))));
    }
}
