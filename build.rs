//! Sets the linker up for a Node addon when the binding is built; the plain library needs nothing.

fn main() {
    if std::env::var_os("CARGO_FEATURE_NODE").is_some() {
        napi_build::setup();
        // Without a name the linker writes the path of the file it makes into the library.
        if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos") {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/websocket.node");
        }
    }
}
