//! The points, as they stand in the sources.

use std::{collections::BTreeSet, fs, path::Path};

use e2e::{Part, programs};

/// How a point is passed, up to its name.
const CALL: &str = "crash::point(";

/// The name of every point of the workspace, in alphabetical order.
pub(super) fn points() -> Vec<String> {
    let mut names = Vec::new();
    for folder in [programs::workspace().to_owned(), programs::workspace().join("crates")] {
        for member in fs::read_dir(folder).expect("the workspace can be read") {
            scan(&member.expect("the workspace can be read").path().join("src"), &mut names);
        }
    }
    names.sort();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "a name stands once, so that a crash tells where it was: {names:?}");
    names
}

/// The processes that pass a point. The first word of its name says what it belongs to; what stands in the library is passed
/// by everybody who has an outbox or reads a stream.
pub(super) fn sweepers(point: &str) -> &'static [Part] {
    match point.split('.').next() {
        // reconcile-svc writes nothing that it holds.
        Some("relay") if point.starts_with("relay.express.") => &[Part::OrderSvc],
        Some("relay" | "consume") => &[Part::OrderSvc, Part::ReconcileSvc],
        Some("order") => &[Part::OrderSvc],
        Some("reconcile") => &[Part::ReconcileSvc],
        Some("notify") => &[Part::NotifySvc],
        Some("gateway") => &[Part::PayGateway],
        _ => &[],
    }
}

fn scan(folder: &Path, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the sources can be read").path();
        if path.is_dir() {
            scan(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("the sources can be read");
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for call in code.flat_map(|line| line.split(CALL).skip(1)) {
                let name = call.strip_prefix('"').and_then(|rest| Some(rest.split_once('"')?.0));
                let name = name.unwrap_or_else(|| panic!("{}: a point is passed by a literal name", path.display()));
                names.push(name.to_owned());
            }
        }
    }
}
