//! Where does the program begin?

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    groundrun::cli::run(std::env::args_os().collect()).await
}
