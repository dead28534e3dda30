//! A disk whose power can be cut.
//!
//! The disk is a file with a filesystem in it, mounted through a loop device. What programs write first lies in the kernel's
//! memory for that filesystem; only what was flushed, by `fsync` or after a while by the kernel itself, has reached the file.
//! So a copy of the file, made while everything goes on, is what an honest disk would hold after a power cut at that moment:
//! what is still in the kernel's memory is not in it. Killing the servers would not do, because the kernel survives them.
//!
//! A copy takes time, and a filesystem is only sound as it was at one moment. So the servers stand still meanwhile, and the
//! copy is compared with the file afterwards: every byte of the copy was read before every byte of the comparison, so when the
//! two are equal the copy is the file as it was between the two. When the kernel has written in the meantime they differ, and
//! the copy is made again. Nothing here ever flushes the filesystem after the set-up; that would save what a power cut takes.
//!
//! The filesystem of the copy then replays its journal when it is mounted, as after a real power cut.
//!
//! Mounting needs root and loop devices. Where a machine has no such thing, [`Disk::try_new`] says why not.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{frozen::Frozen, watchdog};

/// Room for a cluster of Postgres, or for many messages. The file has holes where nothing was written.
const SIZE: &str = "192M";

/// Copies that are made before we believe that the file never rests.
const COPIES: usize = 20;

/// The content of a disk: a file that goes with this.
#[derive(Debug)]
pub struct Image {
    file: PathBuf,
}

/// An image in use. Dropping it unmounts it and removes it.
#[derive(Debug)]
pub struct Disk {
    /// The folder that shows its content.
    at: PathBuf,
    image: Image,
}

impl Disk {
    /// A blank disk in a folder of its own.
    ///
    /// # Errors
    /// Why this machine cannot have one.
    pub fn try_new() -> Result<Self, String> {
        Image::blank()?.mount(&unique("disk"))
    }

    /// The disk that an image is of, in a folder of its own.
    ///
    /// # Errors
    /// Why this machine cannot have one.
    pub fn of(image: Image) -> Result<Self, String> {
        image.mount(&unique("disk"))
    }

    /// A blank disk at this folder.
    ///
    /// # Errors
    /// Why this machine cannot have one.
    pub fn try_at(folder: &Path) -> Result<Self, String> {
        Image::blank()?.mount(folder)
    }

    /// The folder that shows its content.
    pub fn folder(&self) -> &Path {
        &self.at
    }

    /// Puts everything on the disk that was written so far: the end of a set-up, and never part of what is measured.
    ///
    /// # Panics
    /// When that fails.
    pub fn settle(&self) {
        run(Command::new("sync").arg("-f").arg(&self.at)).unwrap_or_else(|error| panic!("{error}"));
    }

    /// What the disk holds at this moment. Whoever writes to it stands still.
    ///
    /// # Panics
    /// When it never rests, or the copy cannot be made.
    pub fn copy(&self, _writers: &Frozen) -> Image {
        let copy = Image { file: unique("image") };
        watchdog::remove_at_the_end(&copy.file);
        for _ in 0..COPIES {
            let mut cp = Command::new("cp");
            run(cp.arg("--sparse=always").arg(&self.image.file).arg(&copy.file))
                .unwrap_or_else(|error| panic!("{error}"));
            let mut cmp = Command::new("cmp");
            if cmp.arg("-s").arg(&self.image.file).arg(&copy.file).status().is_ok_and(|status| status.success()) {
                return copy;
            }
        }
        panic!("{} changes all the time", self.image.file.display());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Somebody who was killed may hold it for another moment; the device goes with the last one.
        if run(Command::new("umount").arg(&self.at)).is_err() {
            let _ = run(Command::new("umount").arg("-l").arg(&self.at));
        }
        // Only ever an empty folder.
        let _ = fs::remove_dir(&self.at);
    }
}

impl Image {
    fn blank() -> Result<Self, String> {
        let image = Self { file: unique("image") };
        watchdog::remove_at_the_end(&image.file);
        run(Command::new("truncate").args(["-s", SIZE]).arg(&image.file))?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image.file))?;
        Ok(image)
    }

    /// Puts it into use, after replaying what the journal of its filesystem holds.
    ///
    /// # Errors
    /// Why this machine cannot.
    pub fn mount(self, at: &Path) -> Result<Disk, String> {
        fs::create_dir_all(at).map_err(|error| format!("{} cannot be made: {error}", at.display()))?;
        watchdog::unmount_at_the_end(at);
        // The device goes when its filesystem does.
        let mounted = run(Command::new("mount").args(["-o", "loop"]).arg(&self.file).arg(at));
        mounted.inspect_err(|_| drop(fs::remove_dir(at)))?;
        Ok(Disk { at: at.to_owned(), image: self })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Tells everybody who looks at the tests' output that one was not made, and why.
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not by the macros, whose output only failing tests show.
    let _ = writeln!(std::io::stderr(), "skipped {test}: no disk whose power can be cut: {why}");
}

fn unique(kind: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, n) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    env::temp_dir().join(format!("tongbao-{kind}-{process}-{n}"))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program} does not start: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    // What follows the first line is advice.
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} fails: {}", said.lines().next().unwrap_or_default()))
}
