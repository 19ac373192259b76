//! The generator of uniffi's Java, built from `Cargo.lock` like everything else: no tool is installed.

fn main() {
    if let Err(error) = uniffi_bindgen_java::run_main() {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
