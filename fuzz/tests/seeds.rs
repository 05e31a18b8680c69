//! Every target takes its seeds, without a fuzzer.

use std::fs;
use std::path::Path;

use websocket_fuzz::TARGETS;

#[test]
fn every_target_has_a_program_and_takes_its_seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, check) in TARGETS {
        assert!(root.join("targets").join(format!("{name}.rs")).is_file(), "{name} has no program");
        let seeds = fs::read_dir(root.join("seeds").join(name)).expect("a directory of seeds");
        let mut count = 0;
        for seed in seeds {
            let seed = seed.expect("an entry").path();
            check(&fs::read(&seed).expect("a seed"));
            count += 1;
        }
        assert!(count > 0, "{name} has no seeds");
    }
}
