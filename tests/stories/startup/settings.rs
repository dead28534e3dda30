//! Settings that are missing or wrong.

use std::{fs, net::TcpListener};

use e2e::Part;

use super::{APPS, MERCHANTS, run};

/// A database that nobody reaches, because something else is wrong before.
const NO_DATABASE: &str = "postgres://nobody@127.0.0.1:1/none";

#[test]
fn help_names_every_setting_with_its_environment_variable() {
    let everywhere = ["LISTEN", "ADMIN_LISTEN", "LOG_FORMAT", "RUST_LOG", "OTLP_ENDPOINT"];
    let bus = ["NATS_URL", "NATS_MONITOR_URL", "NATS_REPLICAS"];
    let clock = ["ENVIRONMENT", "CLOCK_URL", "CLOCK_OFFSET_MS"];
    let own: [(Part, &[&str], bool, bool); 4] = [
        (Part::OrderSvc, &["ORDER_DATABASE_URL", "GATEWAY_URL", "APPS_FILE", "ASK_SCHEDULE"], true, true),
        (Part::PayGateway, &["MERCHANTS_DIR", "WECHAT_V2_URL", "PROVIDER_TIMEOUT_MS"], false, true),
        (Part::NotifySvc, &["MERCHANTS_DIR", "REQUEST_TIME_MS", "MAX_CONNECTIONS"], true, false),
        (
            Part::ReconcileSvc,
            &["RECONCILE_DATABASE_URL", "GATEWAY_URL", "REPORT_LISTEN", "SCHEDULE", "PEOPLE_FILE"],
            true,
            true,
        ),
    ];
    for (part, own, has_bus, has_clock) in own {
        let mut expected: Vec<&str> = everywhere.iter().chain(own).copied().collect();
        expected.extend(bus.iter().filter(|_| has_bus));
        expected.extend(clock.iter().filter(|_| has_clock));
        let help = run(part, &["--help"], &[]);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{part}");
        for variable in expected {
            let named = [format!("[env: {variable}]"), format!("[env: {variable}=")];
            assert!(named.iter().any(|named| help.stdout.contains(named)), "{part} {variable}:\n{}", help.stdout);
        }
        let flags = help.stdout.lines().map(str::trim_start).filter(|line| line.starts_with("--")).count();
        assert_eq!(help.stdout.matches("[env: ").count(), flags, "{part}: every flag has a variable:\n{}", help.stdout);
    }
}

#[test]
fn every_missing_setting_is_named_in_one_line() {
    let needed: [(Part, &[&str]); 4] = [
        (Part::OrderSvc, &["ORDER_DATABASE_URL", "APPS_FILE"]),
        (Part::PayGateway, &["MERCHANTS_DIR"]),
        (Part::NotifySvc, &["MERCHANTS_DIR"]),
        (Part::ReconcileSvc, &["RECONCILE_DATABASE_URL"]),
    ];
    for (part, variables) in needed {
        let ended = run(part, &[], &[]);
        let reason = ended.reason();
        assert!(reason.starts_with("error: not set: "), "{part}: {reason}");
        for variable in variables {
            assert!(reason.contains(&format!("(or {variable} in the environment)")), "{part}: {reason}");
        }
        assert_eq!(ended.stderr.lines().count(), 1, "{part}: {}", ended.stderr);
    }
}

#[test]
fn a_wrong_setting_is_named_with_its_value_in_one_line() {
    let wrong = [
        (Part::OrderSvc, "LISTEN", "nowhere"),
        (Part::OrderSvc, "ASK_SCHEDULE", "soon"),
        (Part::OrderSvc, "DATABASE_CONNECTIONS", "0"),
        (Part::OrderSvc, "ENVIRONMENT", "staging"),
        (Part::PayGateway, "PROVIDER_TIMEOUT_MS", "0"),
        (Part::PayGateway, "WECHAT_V2_URL", "nowhere"),
        (Part::NotifySvc, "QUEUE_LENGTH", "many"),
        (Part::NotifySvc, "NATS_REPLICAS", "6"),
        (Part::ReconcileSvc, "SCHEDULE", "sometimes"),
        (Part::ReconcileSvc, "GATEWAY_URL", "nowhere"),
    ];
    for (part, variable, value) in wrong {
        let ended = run(part, &[], &[&needed(part)[..], &[(variable, value)]].concat());
        let reason = ended.reason();
        let flag = format!("--{}", variable.to_lowercase().replace('_', "-"));
        assert!(reason.contains(&format!("invalid value '{value}' for '{flag} ")), "{part}: {reason}");
        assert_eq!(ended.stderr.lines().count(), 1, "{part}: {}", ended.stderr);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let slow = [&needed(Part::NotifySvc)[..], &[("REQUEST_TIME_MS", "100"), ("PUBLISH_TIME_MS", "200")]].concat();
    let ended = run(Part::NotifySvc, &[], &slow);
    assert!(ended.reason().contains("PUBLISH_TIME_MS (200) is more than REQUEST_TIME_MS (100)"), "{ended:?}");
    let login = [&needed(Part::PayGateway)[..], &[("WECHAT_V2_URL", "https://user:word@x.example")]].concat();
    let ended = run(Part::PayGateway, &[], &login);
    assert!(ended.reason().contains("WECHAT_V2_URL must be an http(s) URL without credentials"), "{ended:?}");
    assert!(!ended.stderr.contains("word@"), "{ended:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = taken.local_addr().expect("it listens").to_string();
    for variable in ["LISTEN", "ADMIN_LISTEN"] {
        let settings = [&needed(Part::PayGateway)[..], &[(variable, address.as_str())]].concat();
        let ended = run(Part::PayGateway, &[], &settings);
        assert!(ended.reason().contains(&format!("cannot listen on {address}")), "{variable}: {ended:?}");
    }
}

#[test]
fn another_clock_than_the_systems_is_refused_outside_development() {
    for part in [Part::OrderSvc, Part::PayGateway, Part::ReconcileSvc] {
        for (variable, value) in [("CLOCK_URL", "http://127.0.0.1:1/_sandbox/clock"), ("CLOCK_OFFSET_MS", "-600000")] {
            let ended = run(part, &[], &[&needed(part)[..], &[(variable, value)]].concat());
            let expected = format!("{variable} is set, but ENVIRONMENT is not development");
            assert!(ended.reason().contains(&expected), "{part}: {ended:?}");
        }
    }
}

#[test]
fn a_broken_merchants_directory_is_refused_with_every_mistake_at_once() {
    let folder = tempfile::tempdir().expect("a folder for temporary things");
    let secret = "S3cretThatStandsInTheWrongPlace0";
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("it can be written");
    write(
        "first.toml",
        &format!("provider = \"wechat-v2\"\nmch_id = \"12\"\napi_key_file = \"first.key\"\nkey = \"{secret}\"\n"),
    );
    write("second.toml", "provider = ");
    write("Third.toml", "provider = \"wechat-v2\"\n");
    let merchants = folder.path().display().to_string();
    for part in [Part::PayGateway, Part::NotifySvc] {
        let ended = run(part, &[], &[("MERCHANTS_DIR", merchants.as_str())]);
        let reason = ended.reason();
        let mistakes = [
            "first.toml: api_key_file names no file",
            "first.toml: key is not a field",
            "first.toml: sign_type is missing",
            "second.toml: line 1 is not TOML",
            "Third.toml: the file name is not a merchant's",
        ];
        for mistake in mistakes {
            assert!(reason.contains(mistake), "{part}, {mistake}: {reason}");
        }
        assert!(!ended.stderr.contains(secret), "{part} told a key");
    }
    let nowhere = folder.path().join("nowhere").display().to_string();
    let ended = run(Part::NotifySvc, &[], &[("MERCHANTS_DIR", nowhere.as_str())]);
    assert!(ended.reason().contains("the directory cannot be listed"), "{ended:?}");
}

#[test]
fn a_wrong_apps_file_is_refused_with_every_mistake_at_once() {
    let folder = tempfile::tempdir().expect("a folder for temporary things");
    let file = folder.path().join("apps.toml");
    let refused = |text: &str| {
        fs::write(&file, text).expect("it can be written");
        let apps = file.display().to_string();
        let settings = [("ORDER_DATABASE_URL", NO_DATABASE), ("APPS_FILE", apps.as_str())];
        run(Part::OrderSvc, &[], &settings).reason().to_owned()
    };
    let two = refused(
        "[[apps]]\nname = \"The Shop\"\ntoken_sha256 = \"00\"\n[[apps]]\nname = \"canteen\"\ntoken_sha256 = \"x\"\n",
    );
    for mistake in ["apps[0].name", "apps[0].token_sha256", "apps[1].token_sha256"] {
        assert!(two.contains(mistake), "{mistake}: {two}");
    }
    assert!(refused("apps = []\n").contains("nobody could call"));
    assert!(refused("[[apps]]\nname = \"shop\"\ntoken = \"secret\"\n").contains("not the expected TOML"));
    fs::remove_file(&file).expect("it is there");
    let apps = file.display().to_string();
    let ended = run(Part::OrderSvc, &[], &[("ORDER_DATABASE_URL", NO_DATABASE), ("APPS_FILE", apps.as_str())]);
    assert!(ended.reason().contains("cannot read APPS_FILE"), "{ended:?}");
}

#[test]
fn a_people_file_that_is_named_must_be_right() {
    let folder = tempfile::tempdir().expect("a folder for temporary things");
    let file = folder.path().join("people.toml").display().to_string();
    let settings = [("RECONCILE_DATABASE_URL", NO_DATABASE), ("PEOPLE_FILE", file.as_str())];
    let missing = run(Part::ReconcileSvc, &[], &settings);
    assert!(missing.reason().contains("cannot read PEOPLE_FILE"), "{missing:?}");
    fs::write(&file, "[[apps]]\nname = \"shop\"\ntoken_sha256 = \"00\"\n").expect("it can be written");
    let wrong = run(Part::ReconcileSvc, &[], &settings);
    assert!(wrong.reason().contains("apps is no list of it"), "{wrong:?}");
}

/// What a program cannot do without.
fn needed(part: Part) -> Vec<(&'static str, &'static str)> {
    match part {
        Part::OrderSvc => vec![("ORDER_DATABASE_URL", NO_DATABASE), ("APPS_FILE", APPS)],
        Part::PayGateway | Part::NotifySvc => vec![("MERCHANTS_DIR", MERCHANTS)],
        Part::ReconcileSvc => vec![("RECONCILE_DATABASE_URL", NO_DATABASE)],
        Part::Postgres | Part::Nats | Part::Sandbox => panic!("{part} is not a service"),
    }
}
