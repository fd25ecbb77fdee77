//! How is a file that the program writes kept up to date?

use std::path::Path;

/// Fails if the file `path`, from the top of the repository, is not `found`; with
/// `GROUNDRUN_UPDATE_GOLDEN=1` it is written anew. `story` is the part of the suite that checks it.
pub fn check(path: &str, found: &str, story: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("GROUNDRUN_UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(&file, found).unwrap();
    }
    let golden = read(path);
    let differences: Vec<String> = found
        .lines()
        .zip(golden.lines().chain(std::iter::repeat("")))
        .filter(|(found, golden)| found != golden)
        .map(|(found, golden)| format!("golden: {golden}\nfound:  {found}"))
        .collect();
    assert!(
        found == golden,
        "what was found differs from {path}:\n\n{}\n\nIf the file is wrong, write it with: \
         GROUNDRUN_UPDATE_GOLDEN=1 cargo test -p groundrun --test it {story}",
        differences.join("\n\n")
    );
}

/// The file `path`, from the top of the repository; empty if it is missing.
pub fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(file).unwrap_or_default()
}
