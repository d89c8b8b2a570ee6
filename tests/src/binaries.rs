//! The programs under test, built from this checkout.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand in the checkout")
}

/// The folder in which cargo builds.
pub fn target() -> PathBuf {
    let profile = profile_folder();
    profile.parent().expect("a profile stands in the target folder").to_owned()
}

/// The program `name`, built. Cargo builds the binaries of a package only for its own tests, so the
/// harness asks for them, once.
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        // With the tests, so that features unify as they did for this test, and nothing is built anew.
        cargo.args(["build", "--quiet", "--workspace", "--bins", "--tests"]);
        // Cargo describes this package to its tests; build scripts that look at such a variable
        // would run again, and all that depends on them would be built again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        let built = cargo.current_dir(checkout()).status().expect("cargo runs");
        assert!(built.success(), "the programs do not build");
    });
    profile_folder().join(name)
}

/// `target/debug`: the test itself stands in its folder `deps`.
fn profile_folder() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows where it stands");
    let deps = own.parent().expect("the test stands in a folder");
    deps.parent().expect("deps stands in the profile's folder").to_owned()
}
