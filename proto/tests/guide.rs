//! `docs/grpc.md` is copied from by people who trust it.

use std::{collections::BTreeSet, fs, path::Path};

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};

/// One `grpcurl` call of the guide.
struct Call {
    body: String,
    method: String,
}

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/grpc.md");
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn calls(guide: &str) -> Vec<Call> {
    guide.split("```sh\n").skip(1).filter_map(|rest| call(rest.split("```").next()?)).collect()
}

/// `grpcurl … -d '<body>' $SERVER <service>/<method> …`; other commands are not calls.
fn call(block: &str) -> Option<Call> {
    let (_, rest) = block.strip_prefix("grpcurl ")?.split_once("-d '")?;
    let (body, rest) = rest.split_once('\'')?;
    let method = rest.split_whitespace().nth(1)?;
    Some(Call { body: body.to_owned(), method: method.to_owned() })
}

fn methods() -> Vec<MethodDescriptor> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).expect("the descriptors are ours");
    pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

fn path(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

#[test]
fn the_guide_shows_every_call() {
    let shown: BTreeSet<String> = calls(&guide()).into_iter().map(|call| call.method).collect();
    let all: BTreeSet<String> = methods().iter().map(path).collect();
    assert_eq!(shown, all);
}

#[test]
fn every_body_of_the_guide_is_a_message_of_its_call() {
    let (guide, methods) = (guide(), methods());
    for Call { body, method } in calls(&guide) {
        let input = methods.iter().find(|known| path(known) == method).map(MethodDescriptor::input);
        let input = input.unwrap_or_else(|| panic!("no such call: {method}"));
        let mut json = serde_json::Deserializer::from_str(&body);
        // A field that the message does not have is an error, too.
        DynamicMessage::deserialize(input, &mut json).unwrap_or_else(|error| panic!("{method}: {error}\n{body}"));
        json.end().unwrap_or_else(|error| panic!("{method}: {error}\n{body}"));
    }
}
