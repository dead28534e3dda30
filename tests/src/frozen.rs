//! Processes that stand still together, with everything they have started.

use std::{collections::BTreeSet, fs};

use crate::{
    process::{Process, Signal, send},
    watchdog,
};

/// A process and its descendants, standing still. Dropping this kills them where they stand: none of them does anything more.
#[derive(Debug)]
pub struct Frozen {
    /// Parents come before their children.
    pids: Vec<u32>,
}

impl Frozen {
    /// Stops a process and all that came of it. A call into the system that one of them is in goes on to its end.
    ///
    /// # Panics
    /// When it has ended, or the system has no `/proc`.
    pub fn freeze(process: &Process) -> Self {
        process.signal(Signal::Stop);
        let (mut pids, mut known) = (vec![process.id()], BTreeSet::from([process.id()]));
        // Who stands still starts nobody, so this ends when no child of a stopped parent is new.
        loop {
            let new: Vec<u32> = parents()
                .into_iter()
                .filter(|(pid, parent)| known.contains(parent) && !known.contains(pid))
                .map(|(pid, _)| pid)
                .collect();
            if new.is_empty() {
                return Self { pids };
            }
            for pid in new {
                // It may have ended before the signal.
                send(pid, Signal::Stop);
                watchdog::watch(pid, "KILL");
                known.insert(pid);
                pids.push(pid);
            }
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let Some((process, descendants)) = self.pids.split_first() else { return };
        for pid in descendants {
            send(*pid, Signal::Kill);
            watchdog::forget(*pid);
        }
        // Its own keeper takes notice of its end.
        send(*process, Signal::Kill);
    }
}

/// Every process of the machine and its parent.
fn parents() -> Vec<(u32, u32)> {
    let processes = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| {
        // "id (name) state parent …": the name may hold anything, even brackets.
        let told = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = told.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        Some((pid, parent))
    })
    .collect()
}
