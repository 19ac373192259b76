//! The generator of uniffi's Java, built from `Cargo.lock` like everything else: no tool is installed.
//!
//! `trim FOLDER CLASS` takes out of a folder of generated sources what that class does not reach; all else is the generator's own.

use std::path::Path;
use std::process::ExitCode;

mod trim;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["trim", folder, root] => {
            trim::trim(Path::new(folder), root).map_err(|error| format!("{folder}: {error}"))
        }
        _ => uniffi_bindgen_java::run_main().map_err(|error| format!("{error:?}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
