//! The page as a program of the browser.

fn main() {
    #[cfg(target_arch = "wasm32")]
    frontend::mount();
}
