//! Ends our processes when their test can no longer do it: a small shell that reads our pipe. When the test process dies,
//! however it dies, the pipe closes, and the shell ends by their ids the processes that are still listed.

use std::{
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

const SCRIPT: &str = r#"
trap '' INT TERM HUP
listed=' '
mounted=''
while read -r sign rest; do
    case $sign in
        +) listed="$listed${rest% *}:${rest#* } " ;;
        -) listed=$(printf '%s' "$listed" | sed "s/ $rest:[A-Z]* / /") ;;
        m) mounted="$mounted $rest" ;;
        d) set -- "$@" "$rest" ;;
    esac
done
for entry in $listed; do kill -"${entry#*:}" "${entry%:*}" 2>/dev/null; done
for folder in $mounted; do umount -l "$folder" 2>/dev/null; rmdir "$folder" 2>/dev/null; done
[ $# = 0 ] || rm -rf -- "$@"
exit 0
"#;

struct Watchdog {
    shell: Child,
}

static WATCHDOG: OnceLock<Mutex<Watchdog>> = OnceLock::new();

/// From now on the process of this id ends with us, by this signal (`KILL`, `QUIT`).
pub fn watch(pid: u32, signal: &str) {
    tell(&format!("+ {pid} {signal}"));
}

/// The process of this id has ended, and the system may give its id to a stranger.
pub fn forget(pid: u32) {
    tell(&format!("- {pid}"));
}

/// A folder for temporary things that goes with us.
pub fn remove_at_the_end(folder: &Path) {
    tell(&format!("d {}", folder.display()));
}

/// A mount that goes with us, if it is still there then. The path has no spaces.
pub fn unmount_at_the_end(folder: &Path) {
    tell(&format!("m {}", folder.display()));
}

/// Never panics, because it is called while other panics are cleaned up after. The shell ignores the signals of a terminal,
/// so a line is lost only when somebody killed it on purpose.
fn tell(line: &str) {
    let watchdog = WATCHDOG.get_or_init(|| {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its own group, so that Ctrl-C at the terminal reaches us and not it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Mutex::new(Watchdog { shell: command.spawn().expect("every system has sh") })
    });
    let mut watchdog = watchdog.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipe) = watchdog.shell.stdin.as_mut() {
        let _ = writeln!(pipe, "{line}");
    }
}
