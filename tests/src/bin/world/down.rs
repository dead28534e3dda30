//! Ends what `up` started, in the direction of the flow: who takes work first, the servers last.

use crate::{folders, recorded};

pub(crate) fn run() -> anyhow::Result<()> {
    let _alone = folders::alone("up")?;
    end()
}

/// Ends every recorded process that is still ours, and removes their database. Logs stay.
pub(crate) fn end() -> anyhow::Result<()> {
    let processes = recorded::read()?;
    if processes.is_empty() {
        println!("nothing is up");
        return Ok(());
    }
    for process in processes.iter().rev() {
        let ended = if process.end()? { "ended" } else { "had ended before" };
        println!("{:<14} {:>7}  {ended}", process.name, process.pid);
    }
    folders::remove(&folders::postgres_data())?;
    recorded::forget()
}
