//! Where worlds for people live: below `.dev`, beside what `scripts/provision` found.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use e2e::programs;

/// Below `.dev`, or where `TONGBAO_DEV_DIR` says.
pub(crate) fn folder(name: &str) -> PathBuf {
    env::var_os("TONGBAO_DEV_DIR").map_or_else(|| programs::workspace().join(".dev"), PathBuf::from).join(name)
}

/// Where the data of `up`'s Postgres lies: a stable place that the user `postgres` may see into, one per checkout.
pub(crate) fn postgres_data() -> PathBuf {
    if !programs::are_root() {
        return folder("up").join("postgres");
    }
    let checkout: String = folder("up").display().to_string();
    let checkout: String = checkout.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    env::temp_dir().join(format!("tongbao-up{checkout}"))
}

/// Removes a folder and everything in it, if it is there.
pub(crate) fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Holds a name below `.dev` for this process; the lock goes with the returned file.
pub(crate) fn alone(name: &str) -> anyhow::Result<File> {
    let path = folder(&format!("{name}.lock"));
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
    }
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        bail!("another `world {name}` is at work in this checkout; wait for it, or end it");
    }
    Ok(file)
}
