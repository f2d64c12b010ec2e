//! What the corpora reach: every file of each is read once, and the edges of our code that were met are written down.
//!
//! The counters are those that the compiler put in for the fuzzer, and beside each stands the place in the code that it
//! counts; both are found by the names that the linker gives to the ends of their sections. `fuzz/run --coverage` makes a table
//! of it.

use std::fs;

unsafe extern "C" {
    #[link_name = "__start___sancov_cntrs"]
    static mut FIRST_COUNTER: u8;
    #[link_name = "__stop___sancov_cntrs"]
    static mut END_OF_COUNTERS: u8;
    #[link_name = "__start___sancov_pcs"]
    static FIRST_PLACE: [usize; 2];
    fn main();
}

/// The counters of this program.
fn counters() -> &'static mut [u8] {
    let (first, end) = (&raw mut FIRST_COUNTER, &raw mut END_OF_COUNTERS);
    // One thread calls this, and the compiler's own counting is plain stores as well.
    unsafe { std::slice::from_raw_parts_mut(first, end.offset_from(first) as usize) }
}

/// Prints a line for each target with the number of edges that its corpus meets, then one for each edge: its offset in the
/// program, and whether any target met it.
pub fn tell(targets: &[(&str, super::Target)]) {
    let directory = std::env::var("VMFA_FUZZ_CORPUS").unwrap_or_default();
    let mut all = vec![false; counters().len()];
    for (name, target) in targets.iter().filter(|(name, _)| *name != "naive") {
        counters().fill(0);
        let mut files = 0;
        for directory in directory.split(':') {
            for file in fs::read_dir(format!("{directory}/{name}"))
                .into_iter()
                .flatten()
                .flatten()
            {
                if let Ok(bytes) = fs::read(file.path()) {
                    target(&bytes);
                    files += 1;
                }
            }
        }
        let mut met = 0;
        for (count, any) in counters().iter().zip(&mut all) {
            met += usize::from(*count > 0);
            *any |= *count > 0;
        }
        println!("target {name} {files} {met}");
    }
    let places = unsafe { std::slice::from_raw_parts(&raw const FIRST_PLACE, all.len()) };
    let base = main as *const () as usize;
    for ([place, _], met) in places.iter().zip(&all) {
        println!(
            "edge {} {}",
            place.wrapping_sub(base) as isize,
            u8::from(*met)
        );
    }
}
