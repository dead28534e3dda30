//! What can be seen without a reconcile-svc; its answers have stories of their own.

use crate::harness::{kept, payctl};

/// An address of our own that nobody listens at any more.
fn nowhere() -> String {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", taken.local_addr().unwrap())
}

const RUN: &str = "runs/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80";
const DIFFERENCE: &str = "discrepancies/0198c5f2-7d1e-7b6a-9a3e-2f4c5d6e7f80";

#[test]
fn when_nobody_answers_every_command_could_not_and_says_what_to_look_at() {
    let url = nowhere();
    for command in [
        &["run", "2026-11-21", "--merchant", "acme-mini"][..],
        &["list"],
        &["list", "--differences", "--state", "open", "--code", "P5"],
        &["show", RUN],
        &["show", "acme-mini/2026-11-21/v1"],
        &["explain", DIFFERENCE],
        &["explain", "4200000001"],
        &["resolve", DIFFERENCE, "--note", "n", "--person-token", "t"],
        &["export", RUN],
        &["diff", RUN],
        &["audit", "verify"],
    ] {
        let ended = payctl(&[&["recon", "--reconcile-url", &url], command].concat()).with(2);
        assert!(ended.stderr.contains("look whether reconcile-svc runs there"), "{command:?}: {}", ended.stderr);
        assert!(ended.stdout.is_empty(), "{command:?}: {}", ended.stdout);
        let ended = payctl(&[&["recon", "--json", "--reconcile-url", &url], command].concat()).with(2);
        let json = ended.json();
        let error = if command[0] == "run" { &json["days"][0]["error"] } else { &json["error"] };
        assert_eq!(error["code"], "Unavailable", "{command:?}: {json}");
    }
}

#[test]
fn every_day_of_a_range_is_tried_the_newest_first() {
    let url = nowhere();
    let days = ["recon", "--json", "--reconcile-url", &url, "run", "2026-11-20", "--to", "2026-11-21"];
    let merchants = ["--merchant", "acme-mini", "--merchant", "acme-h5"];
    let json = payctl(&[&days[..], &merchants].concat()).with(2).json();
    let tried: Vec<String> = json["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| format!("{} {}", day["merchant"].as_str().unwrap(), day["bill_date"].as_str().unwrap()))
        .collect();
    assert_eq!(tried, ["acme-mini 2026-11-21", "acme-mini 2026-11-20", "acme-h5 2026-11-21", "acme-h5 2026-11-20"]);
}

#[test]
fn what_cannot_be_meant_is_refused_before_anybody_is_asked() {
    for (arguments, told) in [
        (&["run"][..], "--merchant"),
        (&["run", "yesterday", "--merchant", "acme"], "invalid value"),
        (&["run", "--merchant", "acme", "--all"], "cannot be used with"),
        (&["run", "2026-11-21", "--to", "2026-11-20", "--merchant", "acme"], "--to is before the first day"),
        (&["run", "2026-01-01", "--to", "2026-11-20", "--merchant", "acme"], "more than 93 days"),
        (&["list", "--code", "P5"], "--differences"),
        (&["list", "--differences", "--current"], "cannot be used with"),
        (&["show", "acme"], "MERCHANT/DATE"),
        (&["resolve", DIFFERENCE, "--person-token", "t"], "nothing to do: give a step"),
        (&["resolve", DIFFERENCE, "--approve", "7", "--reject"], "cannot be used with"),
        (&["resolve", DIFFERENCE, "--approve", "7"], "no token: set --person-token-file"),
        (&["export", RUN, "--format", "pdf"], "invalid value"),
    ] {
        let ended = payctl(&[&["recon"], arguments].concat()).with(2);
        assert!(ended.stderr.contains(told), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_person_s_token_is_never_told() {
    let token = kept("li.token", "tok\u{e9}n-of-li\n".as_bytes());
    let ended = payctl(&["recon", "resolve", DIFFERENCE, "--reject", "--person-token-file", token.path()]).with(2);
    assert!(ended.stderr.contains("the token has characters that no token has"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("n-of-li"), "{}", ended.stderr);
    let url = nowhere();
    let call = ["recon", "--reconcile-url", &url, "resolve", DIFFERENCE, "--reject", "--person-token", "secret-of-li"];
    let ended = payctl(&call).with(2);
    assert!(ended.stderr.starts_with("request id "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("secret-of-li"), "{}", ended.stderr);
}

#[test]
fn an_export_that_does_not_come_leaves_no_file() {
    let file = kept("run.xlsx", b"of yesterday");
    let url = nowhere();
    payctl(&["recon", "--reconcile-url", &url, "export", RUN, "-o", file.path()]).with(2);
    assert_eq!(std::fs::read(file.path()).unwrap(), b"of yesterday");
    assert_eq!(std::fs::read_dir(file.folder()).unwrap().count(), 1);
}
