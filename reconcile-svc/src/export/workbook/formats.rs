use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

const INK: Color = Color::RGB(0x1C_27_33);
const HEADER: Color = Color::RGB(0xE8_ED_F3);
const LINE: Color = Color::RGB(0xC9_D3_DD);

/// How cells look.
pub(super) struct Formats {
    pub(super) title: Format,
    pub(super) header: Format,
    /// Above numbers.
    pub(super) number_header: Format,
    pub(super) text: Format,
    /// Text whose lines break.
    pub(super) sentence: Format,
    pub(super) strong: Format,
    pub(super) amount: Format,
    /// The last row.
    pub(super) total: Format,
    pub(super) total_amount: Format,
    pub(super) total_count: Format,
    pub(super) fee: Format,
    pub(super) count: Format,
    pub(super) date: Format,
    pub(super) instant: Format,
    pub(super) good: Format,
    pub(super) bad: Format,
    pub(super) neutral: Format,
    /// Of a sum that should be nothing and is not.
    pub(super) wrong: Format,
}

impl Formats {
    pub(super) fn new() -> Self {
        let plain = Format::new().set_font_color(INK).set_align(FormatAlign::VerticalCenter);
        // A little room at both ends (`_)` is a blank as wide as a bracket), so that a number does not touch the word behind it.
        let word = plain.clone().set_align(FormatAlign::Left).set_indent(1);
        let number = |form: &str| plain.clone().set_align(FormatAlign::Right).set_num_format(form);
        let header = |format: &Format| {
            format
                .clone()
                .set_bold()
                .set_background_color(HEADER)
                .set_border_bottom(FormatBorder::Thin)
                .set_border_color(LINE)
                .set_text_wrap()
        };
        let total = |format: Format| format.set_bold().set_border_top(FormatBorder::Thin).set_border_color(INK);
        let verdict = |back: u32, ink: u32| {
            word.clone().set_bold().set_font_size(13).set_background_color(back).set_font_color(ink).set_text_wrap()
        };
        Self {
            title: word.clone().set_bold().set_font_size(16),
            header: header(&word),
            number_header: header(&number("@")),
            // `@` is text: what is typed over such a cell stays text, too.
            text: word.clone().set_num_format("@"),
            sentence: word.clone().set_num_format("@").set_text_wrap(),
            strong: word.clone().set_bold(),
            amount: number("#,##0.00_)"),
            total: total(word.clone()),
            total_amount: total(number("#,##0.00_)")),
            total_count: total(number("#,##0_)")),
            fee: number("#,##0.00000_)"),
            count: number("#,##0_)"),
            date: word.clone().set_num_format("yyyy-mm-dd"),
            instant: word.clone().set_num_format("yyyy-mm-dd hh:mm:ss"),
            good: verdict(0xE2_F4_E6, 0x11_56_2B),
            bad: verdict(0xFD_E5_E3, 0x8A_1C_12),
            neutral: verdict(0xE6_EE_FB, 0x1D_3F_77),
            wrong: number("#,##0.00_)").set_bold().set_background_color(0xFD_E5_E3).set_font_color(0x8A_1C_12),
        }
    }
}
