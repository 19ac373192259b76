//! Compiles the wire messages. `protox` stands in for `protoc`, so that a build needs nothing but cargo.

use std::error::Error;

const PROTOS: [&str; 6] = [
    "proto/attestation.proto",
    "proto/everstep.proto",
    "proto/history_events.proto",
    "proto/orchestration.proto",
    "proto/orchestrator_actions.proto",
    "proto/orchestrator_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(PROTOS, ["proto"])?;
    let mut config = prost_build::Config::new();
    // What few events carry is boxed, so that moving the many costs less. Ordered maps, so that a message has one encoding and a simulation repeats byte for byte.
    config
        .boxed(".HistoryEvent.own")
        .boxed(".WorkflowAction.own")
        .boxed(".HistoryEvent.eventType.executionStarted")
        .bytes(["."])
        .btree_map(["."])
        .default_package_filename("dapr")
        .compile_fds(descriptors)?;
    Ok(())
}
