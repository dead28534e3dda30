//! Settings from flags and environment, refused in one line.

use anyhow::anyhow;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Parser};

/// Where a process runs. Everything that is dangerous with real money is refused outside development.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Environment {
    /// Real money, or a rehearsal of it. The default, so that nobody gets development's dangers by forgetting a setting.
    #[default]
    Production,
    /// The sandbox stands in for the providers; its clock may be followed.
    Development,
}

/// Reads the settings of `C` from flags and environment.
///
/// `--help` and `--version` print and exit 0. A missing or wrong setting comes back as an error of one line that names the
/// flag and its environment variable.
pub fn settings<C: Parser>() -> anyhow::Result<C> {
    match C::try_parse() {
        Ok(settings) => Ok(settings),
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => Err(refusal(&error, C::command())),
    }
}

/// Says in one line what is wrong with the settings.
fn refusal(error: &clap::Error, mut command: Command) -> anyhow::Error {
    if error.kind() == ErrorKind::MissingRequiredArgument
        && let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
    {
        // Only a built command can print its flags.
        command.build();
        let missing: Vec<String> = missing.iter().map(|flag| with_variable(flag, &command)).collect();
        return anyhow!("not set: {}; see --help", missing.join(", "));
    }
    let text = error.render().to_string();
    // Clap adds usage and hints in paragraphs of their own; the first paragraph is what is wrong.
    let paragraph = text.split("\n\n").next().unwrap_or(&text);
    let wrong = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    anyhow!("{}; see --help", wrong.trim_start_matches("error: "))
}

/// `--listen <LISTEN>` becomes `--listen <LISTEN> (or LISTEN in the environment)`.
fn with_variable(flag: &str, command: &Command) -> String {
    let variable = command
        .get_arguments()
        .find(|argument| argument.to_string() == flag)
        .and_then(|argument| argument.get_env())
        .and_then(|variable| variable.to_str());
    match variable {
        Some(variable) => format!("{flag} (or {variable} in the environment)"),
        None => flag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, Parser)]
    struct Settings {
        #[arg(long, env = "SVC_KIT_TEST_LISTEN")]
        listen: std::net::SocketAddr,
        #[arg(long, env = "SVC_KIT_TEST_NATS_URL")]
        nats_url: String,
    }

    fn refused(arguments: &[&str]) -> String {
        let error = Settings::try_parse_from(arguments).expect_err("these settings are refused");
        refusal(&error, Settings::command()).to_string()
    }

    #[test]
    fn every_missing_setting_is_named_with_its_variable_in_one_line() {
        assert_eq!(
            refused(&["order-svc"]),
            "not set: --listen <LISTEN> (or SVC_KIT_TEST_LISTEN in the environment), \
             --nats-url <NATS_URL> (or SVC_KIT_TEST_NATS_URL in the environment); see --help"
        );
    }

    #[test]
    fn a_wrong_setting_is_one_line_with_flag_and_value() {
        let text = refused(&["order-svc", "--listen", "nowhere", "--nats-url", "nats://bus"]);
        assert_eq!(text, "invalid value 'nowhere' for '--listen <LISTEN>': invalid socket address syntax; see --help");
    }
}
