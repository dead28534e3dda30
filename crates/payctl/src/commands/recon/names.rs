//! How people name runs and differences.

use anyhow::bail;
use jiff::civil::Date;
use proto::reconcile::v1::{Discrepancy, ListDiscrepanciesRequest, ListRunsRequest, Run};
use tonic::Status;
use uuid::Uuid;

use super::Connection;

/// Most versions of one day that are looked through.
const MOST_VERSIONS: i32 = 200;

/// Most differences that are told apart when a number names several.
const MOST_NAMESAKES: i32 = 10;

/// A run as somebody named it.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Name(String),
    Day { merchant: String, day: Date, version: Option<i32> },
}

impl Connection {
    /// The resource name of a run: `runs/{uuid}`, its UUID, or `MERCHANT/DATE` with or without `/vN`.
    pub(super) async fn run_name(&mut self, named: &str) -> anyhow::Result<String> {
        match parse(named)? {
            Named::Name(name) => Ok(name),
            Named::Day { merchant, day, version } => Ok(self.run_of_day(merchant, day, version).await?.name),
        }
    }

    async fn run_of_day(&mut self, merchant: String, day: Date, version: Option<i32>) -> anyhow::Result<Run> {
        let request = ListRunsRequest {
            merchant: merchant.clone(),
            bill_date: day.to_string(),
            page_size: MOST_VERSIONS,
            current_only: version.is_none(),
            ..ListRunsRequest::default()
        };
        let runs = self.runs.list_runs(request).await?.into_inner().runs;
        let found = runs.into_iter().find(|run| version.is_none_or(|version| run.version == version));
        // Said as reconcile-svc says it of a name that it does not know, so that it is an answer and no mistake of the command.
        let nobody = || Status::not_found(format!("there is no such run of {merchant} on {day}"));
        Ok(found.ok_or_else(nobody)?)
    }

    /// The resource name of a difference: `discrepancies/{uuid}`, its UUID, or a number of either side that only one has.
    pub(super) async fn discrepancy_name(&mut self, named: &str) -> anyhow::Result<String> {
        if named.starts_with("discrepancies/") {
            return Ok(named.to_owned());
        }
        // Our own numbers are UUIDs without dashes.
        if named.contains('-')
            && let Ok(id) = named.parse::<Uuid>()
        {
            return Ok(format!("discrepancies/{id}"));
        }
        let request = ListDiscrepanciesRequest {
            number: named.to_owned(),
            page_size: MOST_NAMESAKES,
            ..ListDiscrepanciesRequest::default()
        };
        let mut found = self.runs.list_discrepancies(request).await?.into_inner().discrepancies;
        match found.len() {
            0 => Err(Status::not_found(format!("no difference has the number {named:?}")).into()),
            1 => Ok(found.remove(0).name),
            _ => bail!("several differences have that number; name one of them: {}", namesakes(&found)),
        }
    }
}

fn namesakes(found: &[Discrepancy]) -> String {
    let names: Vec<String> = found.iter().map(|found| format!("{} ({})", found.name, found.code)).collect();
    names.join(", ")
}

fn parse(named: &str) -> anyhow::Result<Named> {
    if named.starts_with("runs/") {
        return Ok(Named::Name(named.to_owned()));
    }
    if let Ok(id) = named.parse::<Uuid>() {
        return Ok(Named::Name(format!("runs/{id}")));
    }
    let mut parts = named.split('/');
    let merchant = parts.next().unwrap_or_default().to_owned();
    let day = parts.next().and_then(|day| day.parse().ok());
    let version = parts.next().map(|version| version.strip_prefix('v').and_then(|number| number.parse().ok()));
    match (day, version, parts.next()) {
        (Some(day), None, None) => Ok(Named::Day { merchant, day, version: None }),
        (Some(day), Some(Some(version)), None) => Ok(Named::Day { merchant, day, version: Some(version) }),
        _ => bail!(
            "{named:?} names no run: write runs/{{uuid}}, its UUID, or MERCHANT/DATE such as acme-mini/2026-11-21 or acme-mini/2026-11-21/v2"
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Named, parse};

    #[test]
    fn a_run_has_four_names() {
        let id = "0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80";
        assert_eq!(parse(id).unwrap(), Named::Name(format!("runs/{id}")));
        assert_eq!(parse(&format!("runs/{id}")).unwrap(), Named::Name(format!("runs/{id}")));
        let day = |version| Named::Day { merchant: "acme".to_owned(), day: date(2026, 11, 21), version };
        assert_eq!(parse("acme/2026-11-21").unwrap(), day(None));
        assert_eq!(parse("acme/2026-11-21/v12").unwrap(), day(Some(12)));
    }

    #[test]
    fn what_names_no_run_says_what_would() {
        for wrong in ["", "acme", "acme/today", "acme/2026-11-21/2", "acme/2026-11-21/v", "acme/2026-11-21/v1/x"] {
            assert!(parse(wrong).unwrap_err().to_string().contains("MERCHANT/DATE"), "{wrong:?}");
        }
    }
}
