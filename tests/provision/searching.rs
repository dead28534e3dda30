use crate::machine::Machine;

#[test]
fn fit_programs_on_path_are_chosen_and_nothing_is_installed() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.nats_server("bin", "2.14.0");
    machine.package_manager("apt-get");
    machine.user(0);
    for _ in 0..2 {
        let outcome = machine.provision(&[]);
        outcome.chose(&machine.path("bin"), &machine.path("bin/nats-server"));
        outcome.told(&["postgres 15.7:", "nats-server 2.14.0:", "(found on PATH)"]);
    }
    assert!(machine.log().is_empty(), "{:?}", machine.log());
}

#[test]
fn what_the_environment_names_goes_before_path() {
    let machine = Machine::bare();
    machine.postgres("bin", "17.0");
    machine.nats_server("bin", "2.15.1");
    machine.postgres("mine", "16.1");
    machine.nats_server("mine", "2.14.3");
    let (folder, program) = (machine.path("mine"), machine.path("mine/nats-server"));
    let outcome = machine.provision(&[("TONGBAO_POSTGRES_BIN", &folder), ("TONGBAO_NATS_SERVER", &program)]);
    outcome.chose(&folder, &program);
    outcome.told(&["TONGBAO_POSTGRES_BIN names it", "TONGBAO_NATS_SERVER names it"]);
}

#[test]
fn an_environment_that_cannot_be_honoured_is_an_error_and_not_ignored() {
    let machine = Machine::bare();
    machine.postgres("bin", "17.0");
    machine.nats_server("bin", "2.15.1");
    machine.postgres("old", "14.11");
    machine.nats_server("old", "2.9.10");
    let outcome = machine.provision(&[("TONGBAO_POSTGRES_BIN", &machine.path("old"))]);
    outcome.gave_up(&["TONGBAO_POSTGRES_BIN=", "is version 14.11, 15 or newer is needed", "or unset it"]);
    let outcome = machine.provision(&[("TONGBAO_POSTGRES_BIN", &machine.path("nowhere"))]);
    outcome.gave_up(&["nowhere has no postgres"]);
    let outcome = machine.provision(&[("TONGBAO_NATS_SERVER", &machine.path("old/nats-server"))]);
    outcome.gave_up(&["TONGBAO_NATS_SERVER=", "is version 2.9.10, 2.14 or newer is needed", "or unset it"]);
}

#[test]
fn old_programs_on_path_are_passed_over_for_fit_ones_in_the_usual_places() {
    let machine = Machine::bare();
    machine.postgres("bin", "13.4");
    machine.nats_server("bin", "2.9.10");
    machine.postgres("usual1/bin", "14.2");
    machine.postgres("usual2/bin", "16.0");
    machine.postgres("usual3/bin", "15.3");
    machine.nats_server("usual2/bin", "2.100.0");
    let outcome = machine.provision(&[]);
    outcome.chose(&machine.path("usual2/bin"), &machine.path("usual2/bin/nats-server"));
    outcome.told(&["is version 13.4, 15 or newer", "is version 2.9.10, 2.14 or newer", "found where systems put it"]);
}

#[test]
fn a_postgres_without_initdb_is_not_usable() {
    let machine = Machine::bare();
    machine.postgres("bin", "16.0");
    machine.remove("bin/initdb");
    machine.nats_server("bin", "2.15.1");
    machine.provision(&[]).gave_up(&["has no initdb"]);
}

#[test]
fn a_link_on_path_is_followed_to_the_folder_of_the_real_programs() {
    let machine = Machine::bare();
    machine.postgres("real", "15.7");
    machine.nats_server("bin", "2.15.1");
    std::os::unix::fs::symlink("../real/postgres", machine.path("bin/postgres")).unwrap();
    machine.provision(&[]).chose(&machine.path("real"), &machine.path("bin/nats-server"));
}

#[test]
fn a_program_that_does_not_run_is_not_chosen() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.program("bin/nats-server", "exit 127");
    machine.provision(&[]).gave_up(&["is version unknown, 2.14 or newer is needed"]);
}

#[test]
fn addresses_that_the_world_will_not_use_are_told() {
    let machine = Machine::bare();
    machine.postgres("bin", "15.7");
    machine.nats_server("bin", "2.15.1");
    let outcome = machine.provision(&[("NATS_URL", "nats://127.0.0.1:4222".as_ref())]);
    outcome.chose(&machine.path("bin"), &machine.path("bin/nats-server"));
    outcome.told(&["note: NATS_URL is set"]);
    assert!(!outcome.said.contains("nats://"), "an address may hold a password");
}
