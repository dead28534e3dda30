//! Pictures of QR codes, when a caller wants them.

use proto::order::v1::QrImage;
use svc_kit::refusal::Violations;

use crate::qr::{Qr, QrError};

/// Which pictures are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Images {
    svg: bool,
    png: bool,
}

/// What was wanted; the others are empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) svg: String,
    pub(super) png: Vec<u8>,
}

impl Images {
    /// Those that a request names under `field`.
    pub(super) fn wanted(named: &[i32], field: &str, violations: &mut Violations) -> Self {
        let mut images = Self::default();
        for (n, image) in named.iter().enumerate() {
            match QrImage::try_from(*image) {
                Ok(QrImage::Svg) => images.svg = true,
                Ok(QrImage::Png) => images.png = true,
                Ok(QrImage::Unspecified) | Err(_) => {
                    violations.push(format!("{field}[{n}]"), "must be QR_IMAGE_SVG or QR_IMAGE_PNG");
                }
            }
        }
        images
    }

    /// Draws the code of `text`. What cannot be drawn is left out: the text itself is what pays.
    pub(super) fn draw(self, text: &str) -> Drawn {
        if self == Self::default() || text.is_empty() {
            return Drawn::default();
        }
        let drawn = Qr::of(text).and_then(|qr| {
            let svg = if self.svg { qr.svg() } else { String::new() };
            let png = if self.png { qr.png()? } else { Vec::new() };
            Ok::<_, QrError>(Drawn { svg, png })
        });
        drawn.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a QR code was not drawn");
            Drawn::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::order::v1::QrImage;
    use svc_kit::refusal::Violations;

    use super::{Drawn, Images};

    fn wanted(named: &[i32]) -> (Images, bool) {
        let mut violations = Violations::new();
        let images = Images::wanted(named, "images", &mut violations);
        (images, violations.is_empty())
    }

    #[test]
    fn only_what_was_wanted_is_drawn() {
        let text = "weixin://wxpay/bizpayurl?pr=1";
        let (svg, _) = wanted(&[QrImage::Svg.into(), QrImage::Svg.into()]);
        assert!(svg.draw(text).svg.starts_with("<svg") && svg.draw(text).png.is_empty());
        let (png, _) = wanted(&[QrImage::Png.into()]);
        assert!(png.draw(text).png.starts_with(b"\x89PNG") && png.draw(text).svg.is_empty());
        assert_eq!(wanted(&[]).0.draw(text), Drawn::default());
        assert_eq!(png.draw(&"x".repeat(3000)), Drawn::default(), "what fits no code is left out");
    }

    #[test]
    fn a_picture_of_a_later_release_is_refused() {
        assert!(wanted(&[1, 2]).1);
        assert!(!wanted(&[0]).1 && !wanted(&[3]).1);
    }
}
