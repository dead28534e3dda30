use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

const INK: Color = Color::RGB(0x1C_27_33);
const HEADER: Color = Color::RGB(0xE8_ED_F3);
const LINE: Color = Color::RGB(0xC9_D3_DD);

/// How cells look.
pub(super) struct Formats {
    pub(super) title: Format,
    pub(super) header: Format,
    pub(super) text: Format,
    pub(super) strong: Format,
    pub(super) amount: Format,
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
        let plain = Format::new().set_font_color(INK).set_align(FormatAlign::Top);
        let number = |form: &str| plain.clone().set_num_format(form);
        let verdict = |back: u32, ink: u32| {
            plain.clone().set_bold().set_font_size(13).set_background_color(back).set_font_color(ink).set_text_wrap()
        };
        Self {
            title: plain.clone().set_bold().set_font_size(16),
            header: plain
                .clone()
                .set_bold()
                .set_background_color(HEADER)
                .set_border_bottom(FormatBorder::Thin)
                .set_border_color(LINE)
                .set_text_wrap(),
            // `@` is text: what is typed over such a cell stays text, too.
            text: number("@"),
            strong: plain.clone().set_bold(),
            amount: number("#,##0.00"),
            fee: number("#,##0.00000"),
            count: number("#,##0"),
            date: number("yyyy-mm-dd").set_align(FormatAlign::Left),
            instant: number("yyyy-mm-dd hh:mm:ss").set_align(FormatAlign::Left),
            good: verdict(0xE2_F4_E6, 0x11_56_2B),
            bad: verdict(0xFD_E5_E3, 0x8A_1C_12),
            neutral: verdict(0xE6_EE_FB, 0x1D_3F_77),
            wrong: number("#,##0.00").set_bold().set_background_color(0xFD_E5_E3).set_font_color(0x8A_1C_12),
        }
    }
}
