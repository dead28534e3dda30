//! Crash points, as a process meets them. Each test runs its own file again as that process.

use std::process::{Command, Output};

use svc_kit::crash::{self, VARIABLE};
use svc_kit::process::{self, Tasks};

/// Set for the process under test.
const IN_CHILD: &str = "SVC_KIT_TEST_IN_CHILD";

/// Passes two points, one of them three times, and ends well.
fn live() -> ! {
    let start = |tasks: Tasks| async move {
        for lap in 1..=3 {
            crash::point("lap.begun");
            eprintln!("lap {lap}");
        }
        crash::point("race.ended");
        tasks.stop().cancel();
        Ok(())
    };
    let code = process::main(start);
    std::process::exit(i32::from(code != std::process::ExitCode::SUCCESS))
}

/// Runs the test called `test` again as the process, told to end at `place`.
fn run(test: &str, place: Option<&str>) -> (Output, Vec<String>) {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", test, "--nocapture"]).env(IN_CHILD, "1").env_remove(VARIABLE);
    let output = command.envs(place.map(|place| (VARIABLE, place))).output().expect("this test can be started");
    let said = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    (output, said)
}

fn is_child() -> bool {
    std::env::var_os(IN_CHILD).is_some()
}

#[cfg(debug_assertions)]
mod with_points {
    use std::os::unix::process::ExitStatusExt as _;

    use super::{is_child, live, run};

    const SIGABRT: i32 = 6;

    #[test]
    fn a_process_ends_at_its_point_when_it_passes_it_for_the_nth_time() {
        if is_child() {
            live();
        }
        let test = "with_points::a_process_ends_at_its_point_when_it_passes_it_for_the_nth_time";
        for (place, expected) in [
            ("lap.begun#1", vec!["crash point lap.begun hit 1"]),
            ("lap.begun#3", vec!["lap 1", "lap 2", "crash point lap.begun hit 3"]),
            ("race.ended#1", vec!["lap 1", "lap 2", "lap 3", "crash point race.ended hit 1"]),
        ] {
            let (output, said) = run(test, Some(place));
            assert_eq!(
                (output.status.signal(), said),
                (Some(SIGABRT), expected.iter().map(ToString::to_string).collect())
            );
        }
    }

    #[test]
    fn a_process_that_does_not_pass_its_point_so_often_lives() {
        if is_child() {
            live();
        }
        let test = "with_points::a_process_that_does_not_pass_its_point_so_often_lives";
        for place in [None, Some("lap.begun#4"), Some("lap.begun_not#1")] {
            let (output, said) = run(test, place);
            assert!(output.status.success(), "{place:?}: {said:?}");
            assert_eq!(said, ["lap 1", "lap 2", "lap 3"], "{place:?}");
        }
    }

    #[test]
    fn a_variable_of_another_shape_ends_the_start_with_one_line() {
        if is_child() {
            live();
        }
        let (output, said) =
            run("with_points::a_variable_of_another_shape_ends_the_start_with_one_line", Some("lap.begun"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(said, ["error: CRASH_AT is \"lap.begun\"; it must be <name>#<hit>, such as relay.published#1"]);
    }
}

#[cfg(not(debug_assertions))]
#[test]
fn without_debug_assertions_the_variable_means_nothing() {
    if is_child() {
        live();
    }
    for place in ["lap.begun#1", "of no shape"] {
        let (output, said) = run("without_debug_assertions_the_variable_means_nothing", Some(place));
        assert!(output.status.success(), "{said:?}");
        assert_eq!(said, ["lap 1", "lap 2", "lap 3"]);
    }
}

#[test]
fn a_program_holds_the_names_of_its_points_only_with_debug_assertions() {
    if std::hint::black_box(false) {
        crash::point("this.name_stands_nowhere_else");
    }
    // Put together here, so that looking for it does not put it into the file.
    let name = ["this.name", "stands", "nowhere", "else"].join("_");
    let program = std::fs::read(std::env::current_exe().expect("the path of this test")).expect("it can be read");
    let holds = program.windows(name.len()).any(|window| window == name.as_bytes());
    assert_eq!(holds, cfg!(debug_assertions));
}
