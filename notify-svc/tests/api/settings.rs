use crate::harness::{KEY, Service, merchants_without_key};

/// Asserts that the settings are refused with one line that holds every one of `words`.
#[track_caller]
fn refused(flags: &[&str], words: &[&str]) {
    let (status, said) = Service::refuse(flags);
    assert_eq!(status.code(), Some(1), "{said}");
    let errors: Vec<_> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{said}");
    for word in words {
        assert!(errors[0].contains(word), "{word} is missing in: {said}");
    }
    assert!(!said.contains(KEY), "{said}");
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    refused(&[], &["--merchants-dir", "MERCHANTS_DIR"]);
}

#[test]
fn a_broken_merchant_is_named_with_file_and_field() {
    let merchants = merchants_without_key();
    let dir = merchants.path().to_str().expect("a plain name");
    refused(&["--merchants-dir", dir, "--nats-url", "nats://127.0.0.1:1"], &["acme-mini.toml", "api_key_file"]);
}

#[test]
fn waiting_for_the_bus_longer_than_a_request_may_take_is_refused() {
    let times = ["--request-time-ms", "1000", "--publish-time-ms", "2000"];
    let needed = ["--merchants-dir", "/nowhere", "--nats-url", "nats://127.0.0.1:1"];
    refused(&[times, needed].concat(), &["PUBLISH_TIME_MS", "REQUEST_TIME_MS"]);
}

#[test]
fn a_time_longer_than_a_stop_leaves_is_refused() {
    for flag in ["--request-time-ms", "--publish-time-ms", "--scan-time-ms", "--header-time-ms"] {
        let needed = ["--merchants-dir", "/nowhere", "--nats-url", "nats://127.0.0.1:1"];
        refused(&[&[flag, "18001"][..], &needed].concat(), &[flag, "18001", "18000"]);
    }
}

#[test]
fn help_documents_every_setting_with_its_variable() {
    let help = Service::help();
    for variable in [
        "LISTEN",
        "ADMIN_LISTEN",
        "MERCHANTS_DIR",
        "NATS_URL",
        "NATS_MONITOR_URL",
        "REQUEST_TIME_MS",
        "PUBLISH_TIME_MS",
        "HEADER_TIME_MS",
        "MAX_CONNECTIONS",
        "QUEUE_LENGTH",
        "SCAN_TIME_MS",
        "MAX_SCANS",
        "RUST_LOG",
    ] {
        assert!(help.contains(&format!("[env: {variable}")), "{variable} is missing in:\n{help}");
    }
}
