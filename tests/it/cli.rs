//! The help pages and usage errors, as a stranger reads them.

/// A change of any page shows as a difference here; `TRYCMD=overwrite cargo test --test it pages` accepts it.
#[test]
fn pages() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("HOME", "/nowhere")
        .env("COLUMNS", "100")
        .case("tests/cli/pages/*.trycmd");
}
