//! Sets the linker up for a Node addon when the binding is built; the plain library needs nothing.

fn main() {
    if std::env::var_os("CARGO_FEATURE_NODE").is_some() {
        napi_build::setup();
    }
}
