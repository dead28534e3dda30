//! What a process uses, as Linux tells it.

use std::{fs, path::Path};

use crate::{World, programs};
use anyhow::Context as _;

/// Linux counts in hundredths of a second.
const TICK_MS: u64 = 10;

/// Milliseconds of a processor that each process of the world, with its children, has used so far. Empty where there is no `/proc`.
pub fn cpu_ms(world: &World) -> Vec<(String, u64)> {
    if !Path::new("/proc/self/stat").exists() {
        return Vec::new();
    }
    world.processes().into_iter().map(|(name, pid)| (name, of_family(pid) * TICK_MS)).collect()
}

/// The processes that each used more than before, with how much.
pub fn since(before: &[(String, u64)], after: &[(String, u64)]) -> Vec<(String, u64)> {
    let used = |name: &str, now: u64| {
        let then = before.iter().find(|(of, _)| of == name).map_or(0, |(_, ms)| *ms);
        // A process that was started again meanwhile begins at nothing.
        if then <= now { now - then } else { now }
    };
    after.iter().map(|(name, now)| (name.clone(), used(name, *now))).collect()
}

/// Ticks of a process, its children that live, and those that it has waited for.
fn of_family(pid: u32) -> u64 {
    let own = stat(pid).map_or(0, |stat| stat.own + stat.waited);
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    own + ids.filter_map(stat).filter(|stat| stat.parent == pid).map(|stat| stat.own).sum::<u64>()
}

struct Stat {
    parent: u32,
    own: u64,
    waited: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    // "id (name) state parent … utime stime cutime cstime …": the name may hold anything, even brackets.
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        own: number(11)? + number(12)?,
        waited: number(13)? + number(14)?,
    })
}

/// Kilobytes of memory that a process holds now; `None` where there is no `/proc`.
pub fn resident_kb(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Kilobytes of a program of ours on the disk.
///
/// # Errors
/// When it is not there.
pub fn program_kb(name: &str) -> anyhow::Result<u64> {
    let file = programs::ours(name);
    let bytes = fs::metadata(&file).with_context(|| format!("cannot see {}", file.display()))?.len();
    Ok(bytes / 1024)
}
