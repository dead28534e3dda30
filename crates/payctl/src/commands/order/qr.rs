//! A QR code in a terminal.

use anyhow::Context as _;
use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// White on black, whatever the terminal's own colours are.
const COLOURS: &str = "\u{1b}[97;40m";
const NO_COLOURS: &str = "\u{1b}[0m";

/// Draws `text` with half blocks: what is printed is the light part, what is blank the dark one. On a terminal the colours say so,
/// because a code in the wrong ones is one that not every phone reads.
pub(super) fn drawn(text: &str, on_terminal: bool) -> anyhow::Result<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).context("the text does not fit into a QR code")?;
    let image =
        code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).quiet_zone(true).build();
    let (before, after) = if on_terminal { (COLOURS, NO_COLOURS) } else { ("", "") };
    let lines: Vec<_> = image.lines().map(|line| [before, line, after, "\n"].concat()).collect();
    Ok(lines.concat())
}

#[cfg(test)]
mod tests {
    use qrcode::{Color, EcLevel, QrCode};

    use super::{COLOURS, NO_COLOURS, drawn};

    /// Squares of the empty border that a code needs on each side.
    const BORDER: usize = 4;

    const TEXT: &str = "weixin://wxpay/bizpayurl?pr=abcdefgh";

    /// Whether each square of a drawing is light, row by row.
    fn squares(drawn: &str) -> Vec<Vec<bool>> {
        let halves = |line: &str, upper: bool| {
            let light = |half: char| half == '█' || half == if upper { '▀' } else { '▄' };
            line.chars().map(light).collect()
        };
        drawn.lines().flat_map(|line| [halves(line, true), halves(line, false)]).collect()
    }

    #[test]
    fn every_square_of_the_code_is_where_it_belongs() {
        let code = QrCode::with_error_correction_level(TEXT, EcLevel::L).unwrap();
        let squares = squares(&drawn(TEXT, false).unwrap());
        let width = code.width();
        assert_eq!(squares[0].len(), width + 2 * BORDER);
        for (at, color) in code.to_colors().into_iter().enumerate() {
            assert_eq!(squares[at / width + BORDER][at % width + BORDER], color == Color::Light, "square {at}");
        }
        assert!(squares[..BORDER].iter().flatten().all(|light| *light), "the border is light");
    }

    #[test]
    fn a_terminal_is_told_the_colours_of_every_line() {
        let (plain, coloured) = (drawn(TEXT, false).unwrap(), drawn(TEXT, true).unwrap());
        assert!(coloured.lines().all(|line| line.starts_with(COLOURS) && line.ends_with(NO_COLOURS)));
        assert_eq!(coloured.replace(COLOURS, "").replace(NO_COLOURS, ""), plain);
    }

    #[test]
    fn what_is_too_long_for_a_code_is_refused() {
        assert!(drawn(&"a".repeat(3_000), false).is_err());
    }
}
