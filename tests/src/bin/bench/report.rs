//! What a person reads, and what a program reads.

use std::{fs, path::Path};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    cost::{Cost, is_release},
    growth::Step,
    stage::Stage,
    table::{Bound, ROWS, Range, Row, Samples, Verdict},
};

pub(crate) struct Report {
    machine: Machine,
    rounds: u32,
    ms: u64,
    only: Option<String>,
    samples: Samples,
    growth: Option<Vec<Step>>,
    cost: Option<Vec<Cost>>,
}

/// On what it was measured.
struct Machine {
    cores: usize,
    release: bool,
    system: String,
}

impl Report {
    pub(crate) fn new(stage: &Stage, samples: &Samples, growth: Option<Vec<Step>>, cost: Option<Vec<Cost>>) -> Self {
        let system = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            machine: Machine {
                cores: std::thread::available_parallelism().map_or(0, usize::from),
                release: is_release(),
                system: format!("{} {}", std::env::consts::OS, system.trim()),
            },
            rounds: stage.arguments.rounds,
            ms: stage.arguments.ms,
            only: stage.arguments.only.clone(),
            samples: samples.clone(),
            growth,
            cost,
        }
    }

    fn rows(&self) -> impl Iterator<Item = &'static Row> {
        ROWS.iter().filter(|row| self.only.as_ref().is_none_or(|only| row.name.contains(only.as_str())))
    }

    pub(crate) fn failed(&self) -> usize {
        self.rows().filter(|row| matches!(row.verdict(&self.samples), Verdict::Failed | Verdict::Missing)).count()
    }

    fn passed(&self) -> usize {
        self.rows().filter(|row| row.verdict(&self.samples) == Verdict::Passed).count()
    }

    /// The verdict, as the last line has it.
    fn verdict(&self) -> String {
        format!("{} passed, {} failed", self.passed(), self.failed())
    }

    pub(crate) fn tell(&self) {
        println!("\n{}", self.text());
        println!("{}", self.verdict());
    }

    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        for (file, text) in [("report.md", self.markdown()), ("report.json", format!("{:#}\n", self.json()))] {
            let path = folder.join(file);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    fn heading(&self) -> String {
        let Machine { cores, release, system } = &self.machine;
        let build = if *release { "release build" } else { "development build: slower than what ships" };
        format!("{cores} cores, {system}, {build}; {} rounds of {} ms each, in turns", self.rounds, self.ms)
    }

    fn text(&self) -> String {
        let [ours, theirs, median, min, max, floor, aim] = ["ours", "theirs", "median", "min", "max", "floor", "aim"];
        let mut lines = vec![
            self.heading(),
            String::new(),
            format!("{:22} {ours:>12} {theirs:>12} {median:>9} {min:>7} {max:>7} {floor:>8} {aim:>8}", ""),
        ];
        lines.extend(self.rows().map(|row| line(row, &self.samples)));
        lines.push(String::new());
        lines.extend(self.growth.iter().flatten().map(Step::line));
        lines.push(String::new());
        lines.extend(self.cost.iter().flatten().map(Cost::line));
        lines.join("\n")
    }

    fn markdown(&self) -> String {
        let mut lines = vec![
            "# Measured".to_owned(),
            String::new(),
            format!("{}: {}.", self.heading(), self.verdict()),
            String::new(),
            "| what | ours | theirs | median | min | max | floor | aim | |".to_owned(),
            "|---|---:|---:|---:|---:|---:|---:|---:|---|".to_owned(),
        ];
        lines.extend(self.rows().map(|row| {
            let Cells { ours, theirs, median, min, max, floor, aim, verdict } = Cells::of(row, &self.samples);
            let says = row.says;
            format!("| {says} | {ours} | {theirs} | {median} | {min} | {max} | {floor} | {aim} | {verdict} |")
        }));
        lines.push("\nOurs and theirs are medians; each ratio is of numbers of one round.".to_owned());
        if let Some(growth) = &self.growth {
            lines.push("\n## Growth\n\nLatencies count from when an arrival was due.\n".to_owned());
            lines.extend(growth.iter().map(|step| format!("- {}", step.line())));
        }
        if let Some(cost) = &self.cost {
            lines.push("\n## Cost\n".to_owned());
            lines.extend(cost.iter().map(|cost| format!("- {}", cost.line())));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows()
            .map(|row| {
                let ranges = row.ranges(&self.samples);
                json!({
                    "name": row.name,
                    "says": row.says,
                    "ours": ranges.map(|(ours, ..)| ours),
                    "theirs": ranges.and_then(|(_, theirs, _)| theirs),
                    "hundredths": ranges.filter(|_| row.over.is_some()).map(|(.., ratio)| ratio),
                    "verdict": format!("{:?}", row.verdict(&self.samples)),
                })
            })
            .collect();
        let samples: serde_json::Map<String, Value> =
            self.samples.iter().map(|(measure, values)| (format!("{measure:?}"), json!(values))).collect();
        json!({
            "machine": self.heading(),
            "verdict": self.verdict(),
            "rows": rows,
            "samples": samples,
            "growth": self.growth,
            "cost": self.cost,
        })
    }
}

/// A row, in words.
struct Cells {
    ours: String,
    theirs: String,
    median: String,
    min: String,
    max: String,
    floor: String,
    aim: String,
    verdict: &'static str,
}

impl Cells {
    fn of(row: &Row, samples: &Samples) -> Self {
        let nothing = || "–".to_owned();
        let value = |value: u64| if row.over.is_some() { ratio(value) } else { value.to_string() };
        let (floor, aim) = match row.bound {
            Bound::AtLeast(floor, aim) => (format!("≥ {}", value(floor)), value(aim)),
            Bound::AtMost(most, aim) => (format!("≤ {}", value(most)), value(aim)),
            Bound::Told => (nothing(), nothing()),
        };
        let verdict = match row.verdict(samples) {
            Verdict::Passed => "ok",
            Verdict::Failed => "FAILED",
            Verdict::Missing => "MISSING",
            Verdict::Told => "",
        };
        let Some((ours, theirs, Range { median, min, max })) = row.ranges(samples) else {
            let [ours, theirs, median, min, max] = [(); 5].map(|()| nothing());
            return Self { ours, theirs, median, min, max, floor, aim, verdict };
        };
        Self {
            ours: format!("{}{}", ours.median, row.unit),
            theirs: theirs.map_or_else(nothing, |theirs| format!("{}{}", theirs.median, row.unit)),
            median: value(median),
            min: value(min),
            max: value(max),
            floor,
            aim,
            verdict,
        }
    }
}

fn line(row: &Row, samples: &Samples) -> String {
    let Cells { ours, theirs, median, min, max, floor, aim, verdict } = Cells::of(row, samples);
    format!("{:22} {ours:>12} {theirs:>12} {median:>9} {min:>7} {max:>7} {floor:>8} {aim:>8}  {verdict}", row.name)
}

/// Hundredths, as people read them.
fn ratio(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
