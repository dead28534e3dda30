//! The frame of every page, and the one door through which text gets into it.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::runs::RunState;

/// Text from outside: numbers, names, messages. Its `Display` is safe as text and inside a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Controls and marks that turn the direction of writing make one number look like another.
                c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
                    f.write_str("\u{fffd}")?;
                }
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// A whole page.
pub(super) fn frame(title: &str, body: &str) -> String {
    let title = Text(title);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
}

/// A page that says one thing.
pub(super) fn message(text: &str) -> String {
    frame(text, &format!("<h1>{}</h1>\n<p><a href=\"/\">All runs · 全部对账</a></p>", Text(text)))
}

/// The words and the colour of a state.
pub(super) fn verdict(state: RunState) -> (&'static str, &'static str) {
    match state {
        RunState::Running => ("Running · 对账中", "running"),
        RunState::Balanced => ("Balanced · 已平", "good"),
        RunState::Differences => ("Differences · 有差异", "bad"),
        RunState::Waiting => ("Waiting · 待下期账单", "good"),
        RunState::BillInvalid => ("Bill unreadable · 账单无法读取", "bad"),
        RunState::ControlFailed => ("Bill refused · 账单校验失败", "bad"),
    }
}

/// An instant as people in Beijing read it.
pub(super) fn beijing(at: Timestamp) -> String {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long ago, in the largest unit that tells something.
pub(super) fn age(since: Timestamp, now: Timestamp) -> String {
    let minutes = now.duration_since(since).as_mins().max(0);
    match minutes {
        0..60 => format!("{minutes} min"),
        60..2880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1440),
    }
}

const STYLE: &str = "\
body{font:15px/1.5 system-ui,'PingFang SC','Noto Sans CJK SC',sans-serif;margin:2rem auto;max-width:76rem;padding:0 1rem;color:#1c2733}\
h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}\
.verdict{padding:.9rem 1.1rem;border-radius:.4rem;font-size:1.15rem;font-weight:600;margin:1rem 0;overflow-wrap:anywhere}\
.good{background:#e2f4e6;color:#11562b}.bad{background:#fde5e3;color:#8a1c12}.running{background:#e6eefb;color:#1d3f77}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #dde3ea;vertical-align:top}\
th{font-weight:600;background:#f5f7f9;white-space:nowrap}\
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.id{font-family:ui-monospace,monospace;font-size:.85em;overflow-wrap:anywhere}\
.tag{padding:.1rem .5rem;border-radius:.8rem;font-size:.85em;white-space:nowrap}\
.quiet{color:#5d6b7a}a{color:#1d4f91}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        let hostile = "<script>alert('1')</script>\" onload=\"x & \u{202e}\u{0}";
        assert_eq!(
            Text(hostile).to_string(),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x &amp; \u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn an_age_is_told_in_the_unit_that_people_use() {
        let since: Timestamp = "2026-11-20T00:00:00Z".parse().expect("an instant");
        let told = [59, 60, 47 * 60, 48 * 60, 10 * 1440]
            .map(|minutes| age(since, since + jiff::SignedDuration::from_mins(minutes)));
        assert_eq!(told, ["59 min", "1 h", "47 h", "2 d", "10 d"]);
    }

    #[test]
    fn an_instant_is_shown_in_beijing_time() {
        assert_eq!(beijing("2026-11-20T16:00:00Z".parse().expect("an instant")), "2026-11-21 00:00:00");
    }
}
