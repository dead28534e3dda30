use crate::machine::Machine;

/// How each package manager is told to install Postgres.
const MANAGERS: [(&str, &str); 5] = [
    ("apt-get", "apt-get install -y --no-install-recommends postgresql"),
    ("dnf", "dnf install -y postgresql-server"),
    ("apk", "apk add postgresql postgresql-client"),
    ("brew", "brew install postgresql@17"),
    ("pacman", "pacman -S --noconfirm --needed postgresql"),
];

#[test]
fn every_package_manager_installs_postgres() {
    for (manager, call) in MANAGERS {
        let machine = Machine::bare();
        machine.user(0);
        machine.package_manager(manager);
        machine.postgres("packages", "16.2");
        machine.nats_server("bin", "2.15.1");
        let outcome = machine.provision(&[]);
        outcome.chose(&machine.path("bin"), &machine.path("bin/nats-server"));
        outcome.told(&["installing postgresql", &format!("with {manager}")]);
        assert!(machine.log().iter().any(|line| line == call), "{:?}", machine.log());
    }
}

#[test]
fn every_package_manager_installs_nats_server() {
    for (manager, _) in MANAGERS {
        let machine = Machine::bare();
        machine.user(0);
        machine.package_manager(manager);
        machine.postgres("bin", "16.2");
        machine.nats_server("packages", "2.14.1");
        let outcome = machine.provision(&[]);
        outcome.chose(&machine.path("bin"), &machine.path("bin/nats-server"));
        outcome.told(&[&format!("installing nats-server with {manager}")]);
    }
}

#[test]
fn a_user_with_sudo_installs_through_it_and_brew_needs_none() {
    let machine = Machine::bare();
    machine.allow_sudo();
    machine.package_manager("dnf");
    machine.postgres("packages", "16.2");
    machine.nats_server("bin", "2.15.1");
    machine.provision(&[]).chose(&machine.path("bin"), &machine.path("bin/nats-server"));
    assert!(machine.log().contains(&"sudo -n dnf install -y postgresql-server".to_owned()), "{:?}", machine.log());

    let machine = Machine::bare();
    machine.package_manager("brew");
    machine.postgres("packages", "17.2");
    machine.nats_server("bin", "2.15.1");
    machine.provision(&[]).chose(&machine.path("bin"), &machine.path("bin/nats-server"));
    assert_eq!(machine.log(), ["brew install postgresql@17"]);
}

#[test]
fn without_root_and_sudo_nothing_is_installed_and_the_missing_is_named() {
    let machine = Machine::bare();
    machine.package_manager("apt-get");
    machine.postgres("packages", "16.2");
    machine.nats_server("bin", "2.15.1");
    machine.program("bin/sudo", "exit 1");
    let outcome = machine.provision(&[]);
    outcome.gave_up(&["sudo wants a password", "no Postgres 15 or newer", "sudo apt-get install postgresql"]);
    assert!(machine.log().is_empty(), "{:?}", machine.log());
}

#[test]
fn a_package_known_to_be_too_old_is_not_installed() {
    for (manager, offers) in [("apt-get", "bin/apt-cache"), ("apk", "bin/apk")] {
        let machine = Machine::bare();
        machine.user(0);
        machine.package_manager(manager);
        machine.postgres("bin", "15.7");
        machine.nats_server("packages", "2.9.10");
        let answer = if manager == "apk" {
            "echo 'nats-server policy:'; echo '  2.9.10-r3:'; echo '    lib/apk/db/installed'"
        } else {
            "echo 'nats-server:'; echo '  Installed: (none)'; echo '  Candidate: 2.9.10-1+b3'"
        };
        machine.program(
            offers,
            &format!("case $1 in policy) {answer} ;; *) echo \"{manager} $*\" >>\"$root/log\" ;; esac"),
        );
        let outcome = machine.provision(&[]);
        outcome.gave_up(&[&format!("{manager} offers nats-server 2.9.10"), "no nats-server 2.14 or newer"]);
        assert!(!machine.log().iter().any(|line| line.contains("nats-server")), "{:?}", machine.log());
    }
}

#[test]
fn a_package_that_turns_out_too_old_is_not_chosen() {
    let machine = Machine::bare();
    machine.user(0);
    machine.package_manager("dnf");
    machine.postgres("packages", "13.14");
    machine.provision(&[]).gave_up(&["is version 13.14, 15 or newer is needed", "sudo dnf install postgresql-server"]);
}

#[test]
fn a_package_manager_that_fails_leads_to_clear_instructions() {
    let machine = Machine::bare();
    machine.user(0);
    machine.program("bin/apt-get", "exit 100");
    machine.provision(&[]).gave_up(&[
        "apt-get update failed",
        "apt-get could not install postgresql",
        "no Postgres 15 or newer was found or could be installed",
        "set TONGBAO_POSTGRES_BIN",
    ]);
}

#[test]
fn a_machine_without_anything_is_told_what_to_install() {
    let machine = Machine::bare();
    machine.provision(&[]).gave_up(&["no package manager that this script knows", "sudo apt-get install postgresql"]);

    machine.postgres("bin", "15.7");
    machine.provision(&[]).gave_up(&["no nats-server 2.14 or newer", "nats-io/nats-server", "set TONGBAO_NATS_SERVER"]);
}
