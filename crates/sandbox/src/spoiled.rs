//! Faults of a bill's text, whatever it is a bill of.

use crate::control::Fault;

/// Stands where a hostile name goes: the writer would take a line break out of the name itself.
pub(crate) const MARK: &str = "HOSTILE-NAME";

/// Commas, a backtick, a line break, and what looks like the end of a value.
const HOSTILE_NAME: &str = "红富士,大`果` ,一箱\n总重 5kg, `特价";

/// Columns that the layout of before 2018 has not: they are the last ones.
const NEW_COLUMNS: usize = 3;

/// Sums that its summary has not: the last ones, too.
const NEW_SUMS: usize = 2;

/// What it calls the columns that have other names now.
const OLD_NAMES: [(&str, &str); 7] = [
    ("特约商户号", "子商户号"),
    ("应结订单总金额", "总交易额"),
    ("应结订单金额", "总金额"),
    ("充值券退款总金额", "总企业红包退款金额"),
    ("充值券退款金额", "企业红包退款金额"),
    ("代金券金额", "企业红包金额"),
    ("退款总金额,总企业", "总退款金额,总企业"),
];

/// The bytes of a bill with its fault; `summary` begins the line above the sums, after a line break.
pub(crate) fn text(text: String, summary: &str, fault: Option<&Fault>) -> Vec<u8> {
    let end_of_rows = text.find(summary).map_or(text.len(), |before| before + 1);
    match fault {
        Some(Fault::Truncate) => {
            let mut bytes = text.into_bytes();
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        Some(Fault::AlterByte) => {
            let first_row = text.find('\n').map_or(0, |end| end + 1);
            let mut bytes = text.into_bytes();
            if let Some(byte) = bytes.get_mut(first_row + 20) {
                *byte = 0xff;
            }
            bytes
        }
        Some(Fault::NoSummary) => text.as_bytes()[..end_of_rows].to_vec(),
        Some(Fault::HostileNames) => text.replace(MARK, HOSTILE_NAME).into_bytes(),
        Some(Fault::ExtraColumn) => {
            let (rows, sums) = text.split_at(end_of_rows);
            let longer = rows.lines().enumerate().map(|(at, line)| match at {
                0 => format!("{line},明日新列\r\n"),
                _ => format!("{line},`?\r\n"),
            });
            (longer.collect::<String>() + sums).into_bytes()
        }
        Some(Fault::OldLayout) => {
            let (rows, sums) = text.split_at(end_of_rows);
            let shorter = rows.lines().map(|line| without_last(line, NEW_COLUMNS)).collect::<String>();
            let sums = sums.lines().map(|line| without_last(line, NEW_SUMS)).collect::<String>();
            let renamed = |text: String| OLD_NAMES.iter().fold(text, |text, (new, old)| text.replace(new, old));
            (renamed(shorter) + &renamed(sums)).into_bytes()
        }
        _ => text.into_bytes(),
    }
}

/// A line without its last values, with a line end.
fn without_last(line: &str, values: usize) -> String {
    let separator = if line.starts_with('`') { ",`" } else { "," };
    let kept = (0..values).fold(line, |line, _| line.rsplit_once(separator).map_or(line, |(kept, _)| kept));
    format!("{kept}\r\n")
}
