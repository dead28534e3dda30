//! What a part tells the SRE.

use super::{Part, World, client};
use crate::eventually;

impl World {
    /// The sum of a metric over all its series that have these labels; 0 when there is none, as for a counter that has not
    /// counted yet. Names are as they are scraped: a counter ends in `_total`.
    ///
    /// # Panics
    /// When the part does not answer, or the metric is not of whole numbers.
    pub async fn metric(&self, part: Part, name: &str, labels: &[(&str, &str)]) -> i64 {
        let found = self.try_metric(part, name, labels).await;
        found.unwrap_or_else(|error| panic!("{part} does not tell {name}: {error}")).unwrap_or(0)
    }

    /// Waits until a metric has exactly this value.
    ///
    /// # Panics
    /// When that does not happen.
    pub async fn counts(&self, part: Part, name: &str, labels: &[(&str, &str)], value: i64) {
        eventually(&format!("{name}{labels:?} of {part} is {value}"), async || {
            let found = self.try_metric(part, name, labels).await?.unwrap_or(0);
            if found == value { Ok(()) } else { Err(format!("it is {found}")) }
        })
        .await;
    }

    /// As [`World::metric`]; `None` when there is no such series.
    ///
    /// # Errors
    /// When the part does not answer, or the metric is not of whole numbers.
    pub async fn try_metric(&self, part: Part, name: &str, labels: &[(&str, &str)]) -> Result<Option<i64>, String> {
        let admin = self.plan.admin_url(part).ok_or_else(|| format!("{part} has no metrics"))?;
        read(&client(), &admin, name, labels).await
    }
}

/// The sum of a metric over all its series that have these labels, from the admin pages of any process.
pub(super) async fn read(
    client: &reqwest::Client,
    admin: &str,
    name: &str,
    labels: &[(&str, &str)],
) -> Result<Option<i64>, String> {
    let answer = client.get(format!("{admin}/metrics")).send().await.map_err(|error| error.to_string())?;
    let text = answer.text().await.map_err(|error| error.to_string())?;
    let mut sum = None;
    for line in text.lines() {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let (found, own) = series.split_once('{').unwrap_or((series, ""));
        if found == name && labels.iter().all(|(label, value)| own.contains(&format!("{label}=\"{value}\""))) {
            let value: i64 = value.parse().map_err(|_| format!("{value} is not a whole number"))?;
            sum = Some(sum.unwrap_or(0) + value);
        }
    }
    Ok(sum)
}
