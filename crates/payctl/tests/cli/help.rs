use crate::harness::payctl;

#[test]
fn verify_without_a_file_is_what_it_was() {
    for name in ["verify", "promises"] {
        let ended = payctl(&[name]).with(2);
        assert!(
            ended.stderr.contains("--order-database-url is not set (or ORDER_DATABASE_URL in the environment)"),
            "{}",
            ended.stderr
        );
    }
    let nowhere =
        ["--order-database-url", "postgres://nobody@127.0.0.1:1/nowhere?connect_timeout=1", "--settle-s", "x"];
    assert!(payctl(&[&["verify"], &nowhere[..]].concat()).with(2).stderr.contains("--settle-s"));
}

#[test]
fn help_of_verify_tells_both_uses_apart() {
    let help = payctl(&["verify", "--help"]).with(0).stdout;
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text}: {help}"));
    assert!(place("With FILE:") < place("--merchants <DIR>"), "{help}");
    assert!(place("--merchants <DIR>") < place("Without FILE (see `payctl promises --help`):"), "{help}");
    assert!(place("Without FILE (see") < place("--order-database-url"), "{help}");
    assert!(help.contains("Exit code: 0 good, 1 the answer is no, 2 bad use"), "{help}");
}

#[test]
fn promises_explains_its_rules() {
    assert!(payctl(&["promises", "--help"]).with(0).stdout.contains("Rules:"));
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = payctl(&["completions", shell]).with(0).stdout;
        for command in
            ["sign", "verify", "promises", "decrypt", "bill", "order", "recon", "events", "merchants", "trigger"]
        {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}
