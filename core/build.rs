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
    prost_build::Config::new().bytes(["."]).default_package_filename("dapr").compile_fds(descriptors)?;
    Ok(())
}
