//! What `make demo` runs.

use std::{fs, process::Command};

use e2e::programs;

#[test]
fn the_demo_ends_well_and_leaves_its_reports() {
    let dev = tempfile::tempdir().expect("a temporary folder");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_world"));
    demo.arg("demo").env("TONGBAO_DEV_DIR", dev.path());
    demo.env("TONGBAO_NATS_SERVER", programs::nats_server());
    demo.env("TONGBAO_POSTGRES_BIN", programs::postgres("postgres").parent().expect("a program lies in a folder"));
    let output = demo.output().expect("it was built");
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    for sentence in [
        "version 1: BALANCED",
        "version 1: DIFFERENCES",
        "version 2: BALANCED",
        "order.v1.order.paid.shop",
        "refunds that agree                     1       3.00",
        "closing balance                                6.86",
        "4 movements took our account at WeChat from 0.00 yuan to 6.86 yuan; fees 0.04 yuan",
        "file:///",
    ] {
        assert!(told.contains(sentence), "{sentence} is not in:\n{told}");
    }
    let reports = fs::read_dir(dev.path().join("demo/reports")).expect("the reports are kept");
    assert_eq!(reports.count(), 3);
}
