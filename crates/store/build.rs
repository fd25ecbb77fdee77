//! When must the migrations be embedded anew?

fn main() {
    // `migrate!` sees that a file changed, but not that one was added.
    println!("cargo:rerun-if-changed=../../migrations");
}
