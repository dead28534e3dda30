/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese as written on the mainland.
    Zh,
}

impl Language {
    /// As `?lang=` spells it; `None` for everything else.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "en" => Some(Language::En),
            "zh" => Some(Language::Zh),
            _ => None,
        }
    }

    /// What a browser prefers among ours by its `Accept-Language`: Chinese when it ranks above English, English otherwise.
    pub fn preferred(accept: &str) -> Self {
        // The rank of equals is the order in which they stand, so the first best stays.
        let mut best: Option<(u32, Self)> = None;
        for item in accept.split(',') {
            let mut parts = item.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            let Some(language) = Self::named(tag.split('-').next().unwrap_or_default()) else { continue };
            if 0 < quality && best.is_none_or(|(most, _)| most < quality) {
                best = Some((quality, language));
            }
        }
        best.map_or(Language::En, |(_, language)| language)
    }

    /// The word of `?lang=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }

    /// As HTML names it.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh-CN",
        }
    }

    /// The other one, which a reader may switch to.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Language::En => Language::Zh,
            Language::Zh => Language::En,
        }
    }
}

/// `0.8` as 800. What is no quality is none.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    if 3 < fraction.len() {
        return 0;
    }
    format!("{whole}{fraction:0<3}").parse().map_or(0, |read: u32| read.min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_is_shown_to_whoever_prefers_it_to_english() {
        for accept in ["zh-CN,zh;q=0.9,en;q=0.8", "zh", "fr, zh-TW;q=0.4", "en;q=0.2, zh;q=0.75", "ZH-hans"] {
            assert_eq!(Language::preferred(accept), Language::Zh, "{accept}");
        }
    }

    #[test]
    fn everybody_else_reads_english() {
        for accept in
            ["", "*", "en-GB,zh;q=0.9", "fr", "zh;q=0", "zh;q=0.7,en;q=0.701", "en,zh", "zh;q=1.0001", ";;,=,q"]
        {
            assert_eq!(Language::preferred(accept), Language::En, "{accept}");
        }
    }
}
