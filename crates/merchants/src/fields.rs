use crate::{
    Mistake,
    directory::{Content, Snapshot},
};

/// Reads the fields of one table of one merchant file and notes every mistake instead of stopping at the first.
pub(crate) struct Fields<'a> {
    file: &'a str,
    /// Put before field names, such as `apps[0].`.
    prefix: String,
    table: toml::Table,
    snapshot: &'a Snapshot,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(file: &'a str, prefix: String, table: toml::Table, snapshot: &'a Snapshot) -> Fields<'a> {
        Fields { file, prefix, table, snapshot }
    }

    /// Reads a table inside this one.
    pub(crate) fn inside(&self, prefix: String, table: toml::Table) -> Fields<'a> {
        Fields { file: self.file, prefix, table, snapshot: self.snapshot }
    }

    /// The merchant file's name.
    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    /// Whether a field is there and was not taken yet.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    /// Takes a field that may be absent; anything but a text that is not blank is a mistake.
    pub(crate) fn optional(&mut self, field: &str, mistakes: &mut Vec<Mistake>) -> Option<String> {
        match self.table.remove(field)? {
            toml::Value::String(text) if !text.trim().is_empty() => Some(text),
            toml::Value::String(_) => {
                mistakes.push(self.mistake(field, "is empty", "give it a value or remove the line"));
                None
            }
            other => {
                let problem = format!("is of type {}", other.type_str());
                mistakes.push(self.mistake(field, &problem, "write a text in double quotes"));
                None
            }
        }
    }

    /// Takes a field that must be there; `fix` says what to write when it is not.
    pub(crate) fn required(&mut self, field: &str, fix: &str, mistakes: &mut Vec<Mistake>) -> Option<String> {
        if !self.has(field) {
            mistakes.push(self.mistake(field, "is missing", fix));
        }
        self.optional(field, mistakes)
    }

    /// Takes a field whose value is one of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        field: &str,
        words: &[(T, &str)],
        mistakes: &mut Vec<Mistake>,
    ) -> Option<T> {
        let list = words.iter().map(|(_, word)| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let text = self.required(field, &format!("write {list}"), mistakes)?;
        let chosen = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
        if chosen.is_none() {
            mistakes.push(self.mistake(field, "has an unknown value", &format!("write {list}")));
        }
        chosen
    }

    /// Takes a required field and reads it; `parse` gives `None` when the value does not fit, and `fix` says what does.
    pub(crate) fn parsed<T>(
        &mut self,
        field: &str,
        fix: &str,
        parse: impl FnOnce(String) -> Option<T>,
        mistakes: &mut Vec<Mistake>,
    ) -> Option<T> {
        let value = parse(self.required(field, fix, mistakes)?);
        if value.is_none() {
            mistakes.push(self.mistake(field, "has a value that does not fit", fix));
        }
        value
    }

    /// Takes a field that names a file beside the merchant file, and gives that file's text without its line end.
    pub(crate) fn file_text(&mut self, field: &str, mistakes: &mut Vec<Mistake>) -> Option<String> {
        let name = self.optional(field, mistakes)?;
        // The name is not repeated in the mistake: a key written in its place must not reach a log.
        let bytes = match self.snapshot.get(&name) {
            Some(Content::Bytes(bytes)) => bytes,
            Some(Content::TooLarge) => {
                mistakes.push(self.mistake(field, "names a file that is too large", "name a file of at most 64 KiB"));
                return None;
            }
            Some(Content::Unreadable(kind)) => {
                let problem = format!("names a file that cannot be read ({kind})");
                mistakes.push(self.mistake(field, &problem, "let this process read it"));
                return None;
            }
            None => {
                let fix = "write the name of a file in the same directory: no path, not hidden, not the key itself";
                mistakes.push(self.mistake(field, "names no file beside this one", fix));
                return None;
            }
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            mistakes.push(self.mistake(field, "names a file that is not text", "store the key as plain text"));
            return None;
        };
        Some(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Takes a list of tables.
    pub(crate) fn tables(&mut self, field: &str, fix: &str, mistakes: &mut Vec<Mistake>) -> Vec<toml::Table> {
        let tables: Option<Vec<toml::Table>> = match self.table.remove(field) {
            Some(toml::Value::Array(values)) => values
                .into_iter()
                .map(|value| if let toml::Value::Table(table) = value { Some(table) } else { None })
                .collect(),
            Some(_) | None => None,
        };
        let tables = tables.unwrap_or_default();
        if tables.is_empty() {
            mistakes.push(self.mistake(field, "names none", fix));
        }
        tables
    }

    /// Refuses a field that has no place here.
    pub(crate) fn refuse(&mut self, field: &str, problem: &str, fix: &str, mistakes: &mut Vec<Mistake>) {
        if self.table.remove(field).is_some() {
            mistakes.push(self.mistake(field, problem, fix));
        }
    }

    /// Refuses whatever nobody took.
    pub(crate) fn finish(self, mistakes: &mut Vec<Mistake>) {
        for field in self.table.keys() {
            let fix = if matches!(field.as_str(), "api_key" | "app_secret" | "previous_api_key") {
                format!("put the secret into a file beside this one and name it in {field}_file")
            } else {
                "correct its spelling or remove it".to_owned()
            };
            mistakes.push(self.mistake(field, "is not a field we know", &fix));
        }
    }

    pub(crate) fn mistake(&self, field: &str, problem: &str, fix: &str) -> Mistake {
        Mistake {
            file: self.file.to_owned(),
            field: format!("{}{field}", self.prefix),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        }
    }
}
