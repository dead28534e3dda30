//! Errors that end a process, as one line that can be read alone.

/// Says `error: what failed: caused by why: caused by …` in one line.
///
/// A cause whose text the line before it already holds is left out: many libraries paste their cause into their own text.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::from("error");
    let mut said = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let text = flat(&cause.to_string());
        if text.is_empty() || said.contains(&text) {
            continue;
        }
        line.push_str(if depth == 0 { ": " } else { ": caused by " });
        line.push_str(&text);
        said = text;
    }
    line
}

/// Turns line breaks and runs of blanks into single blanks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn an_error_and_its_causes_are_one_line() {
        let error = anyhow!("connection\n   refused").context("cannot reach Postgres at db:5432");
        assert_eq!(one_line(&error), "error: cannot reach Postgres at db:5432: caused by connection refused");
    }

    #[test]
    fn a_cause_that_was_already_said_is_not_said_again() {
        let broken: Result<(), _> = Err(anyhow!("refused"));
        let error = broken.context("cannot connect: refused").context("no database").expect_err("it is an error");
        assert_eq!(one_line(&error), "error: no database: caused by cannot connect: refused");
    }
}
