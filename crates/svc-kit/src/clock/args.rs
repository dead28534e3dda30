//! Settings of the clock, and why most of them are refused.

use anyhow::{bail, ensure};
use url::Url;

use crate::process::Environment;

/// Which clock a process follows. Flatten it into a service's settings.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ClockArgs {
    /// Where this process runs. `development` allows settings that would be dangerous with real money.
    #[arg(long, env, value_enum, default_value_t = Environment::Production)]
    pub environment: Environment,

    /// Development only: follow the sandbox's clock at this URL, such as `http://127.0.0.1:9900/_sandbox/clock`.
    /// Whoever answers there decides when orders expire, when providers are asked and which day is reconciled,
    /// so it is refused unless ENVIRONMENT=development.
    #[arg(long, env)]
    pub clock_url: Option<Url>,

    /// Development only: tell a time that is this many milliseconds off, to show that a wrong clock corrupts nothing.
    /// Refused unless ENVIRONMENT=development; not together with `CLOCK_URL`.
    #[arg(long, env, allow_negative_numbers = true)]
    pub clock_offset_ms: Option<i64>,
}

impl ClockArgs {
    /// Refuses what must not be.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let used = match (&self.clock_url, self.clock_offset_ms) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => bail!("CLOCK_URL and CLOCK_OFFSET_MS are both set; choose one"),
            (Some(_), None) => "CLOCK_URL",
            (None, Some(_)) => "CLOCK_OFFSET_MS",
        };
        ensure!(
            self.environment == Environment::Development,
            "{used} is set, but ENVIRONMENT is not development: with real money only the system's clock may be followed; \
             unset {used}"
        );
        if let Some(url) = &self.clock_url {
            ensure!(url.scheme() == "http", "CLOCK_URL must begin with http://, not {}://", url.scheme());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const SANDBOX: &str = "http://127.0.0.1:9900/_sandbox/clock";

    fn checked(environment: Environment, url: Option<&str>, clock_offset_ms: Option<i64>) -> Result<(), String> {
        let clock_url = url.map(|url| url.parse().expect("a URL"));
        ClockArgs { environment, clock_url, clock_offset_ms }.check().map_err(|error| error.to_string())
    }

    #[test]
    fn the_systems_clock_is_always_allowed() {
        assert_eq!(checked(Environment::Production, None, None), Ok(()));
        assert_eq!(checked(Environment::Development, None, None), Ok(()));
    }

    #[test]
    fn a_strange_clock_is_refused_outside_development() {
        let refused = checked(Environment::Production, Some(SANDBOX), None).expect_err("production");
        assert!(refused.starts_with("CLOCK_URL is set, but ENVIRONMENT is not development"), "{refused}");
        let refused = checked(Environment::Production, None, Some(-600_000)).expect_err("production");
        assert!(refused.starts_with("CLOCK_OFFSET_MS is set, but ENVIRONMENT is not development"), "{refused}");
    }

    #[test]
    fn development_may_follow_the_sandbox_or_be_wrong_but_not_both() {
        assert_eq!(checked(Environment::Development, Some(SANDBOX), None), Ok(()));
        assert_eq!(checked(Environment::Development, None, Some(-600_000)), Ok(()));
        assert!(checked(Environment::Development, Some(SANDBOX), Some(-600_000)).is_err());
        assert!(checked(Environment::Development, Some("https://127.0.0.1/"), None).is_err());
    }

    #[derive(Debug, Parser)]
    struct Settings {
        #[command(flatten)]
        clock: ClockArgs,
    }

    #[test]
    fn flags_are_read_and_a_clock_may_be_slow() {
        let flags = ["order-svc", "--environment", "development", "--clock-offset-ms", "-600000"];
        let clock = Settings::try_parse_from(flags).expect("fine").clock;
        assert_eq!((clock.environment, clock.clock_offset_ms), (Environment::Development, Some(-600_000)));
        assert!(Settings::try_parse_from(["order-svc", "--environment", "staging"]).is_err());
    }
}
