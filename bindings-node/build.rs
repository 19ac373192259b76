//! Lets the linker leave the symbols that Node brings open.

fn main() {
    napi_build::setup();
}
