//! As much HTML as one page needs. Whatever is not markup goes through [`text`].

use std::fmt::Write as _;

use jiff::Timestamp;
use wechat_pay::time;

/// How the page looks.
pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --soft: #767676; --good: #07a35a; --bad: #c8372d; --wait: #b7791f }
* { box-sizing: border-box }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 78rem; padding: 1.5rem }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; justify-content: space-between }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
small, .soft { color: var(--soft) } .said { border-left: 4px solid var(--good); padding: .4rem .8rem; margin: 1rem 0 }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--soft); font-size: .85rem } .amount { text-align: right } td.amount { font-variant-numeric: tabular-nums; white-space: nowrap }
code { font: 13px ui-monospace, monospace; overflow-wrap: anywhere } .scroll { overflow-x: auto }
form { display: inline } button { font: inherit; padding: .2rem .8rem; border: 1px solid var(--line); border-radius: .4rem; background: none; color: inherit; cursor: pointer; white-space: nowrap }
button.pay { background: var(--good); border-color: var(--good); color: #fff }
.good { color: var(--good) } .bad { color: var(--bad) } .wait { color: var(--wait) } ol { margin: 0; padding-left: 1.4rem } .scroll + form { display: block; margin-top: .8rem } time { white-space: nowrap }
";

/// Text as HTML shows it.
pub(super) fn text(raw: &str) -> String {
    raw.chars().fold(String::with_capacity(raw.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

/// An instant in Beijing time, kept on one line.
pub(super) fn instant(at: Timestamp) -> String {
    format!("<time>{}</time>", time::print_spaced(at))
}

/// A number or name as it stands on the wire.
pub(super) fn code(raw: &str) -> String {
    format!("<code>{}</code>", text(raw))
}

/// A word with the colour of how good that is: `good`, `bad`, `wait` or `soft`.
pub(super) fn word(class: &str, raw: &str) -> String {
    format!("<span class=\"{class}\">{}</span>", text(raw))
}

/// A button that posts hidden fields.
pub(super) fn button(action: &str, fields: &[(&str, &str)], class: &str, label: &str) -> String {
    let mut form = format!("<form method=\"post\" action=\"{action}\">");
    for (name, value) in fields {
        let _ = write!(form, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", text(value));
    }
    let _ = write!(form, "<button class=\"{class}\">{}</button></form>", text(label));
    form
}

/// A table of finished cells, or a sentence when it would be empty.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>], when_empty: &str) -> String {
    if rows.is_empty() {
        return format!("<p class=\"soft\">{}</p>", text(when_empty));
    }
    let mut table = String::from("<div class=\"scroll\"><table><tr>");
    for head in heads {
        let class = if head.starts_with('¥') { " class=\"amount\"" } else { "" };
        let _ = write!(table, "<th{class}>{}</th>", text(head));
    }
    table.push_str("</tr>");
    for row in rows {
        let _ = write!(table, "<tr>{}</tr>", row.concat());
    }
    table.push_str("</table></div>");
    table
}

/// A finished cell.
pub(super) fn cell(content: &str) -> String {
    format!("<td>{content}</td>")
}

/// A cell with an amount of money.
pub(super) fn amount(content: &str) -> String {
    format!("<td class=\"amount\">{content}</td>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_never_markup() {
        assert_eq!(text("<b>\"'&"), "&lt;b&gt;&quot;&#39;&amp;");
        let form = button("/pay", &[("out_trade_no", "\"><script>")], "pay", "<Pay>");
        assert!(!form.contains("<script>") && !form.contains("<Pay>"), "{form}");
    }
}
