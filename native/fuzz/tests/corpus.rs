//! Each target over its kept corpus: what was found once is not found again.

use std::fs;
use std::path::PathBuf;

use wherry_fuzz::TARGETS;

fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn inputs(target: &str) -> Vec<PathBuf> {
    let folder = corpus().join(target);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_kept_input_passes() {
    for target in TARGETS {
        let inputs = inputs(target.name);
        assert!(!inputs.is_empty(), "{} has no corpus", target.name);
        for path in &inputs {
            let bytes = fs::read(path).unwrap();
            // Named before it runs: a failure shows the last one.
            println!("{}", path.display());
            (target.run)(&bytes);
        }
        (target.run)(&[]);
    }
}

#[test]
fn every_corpus_has_its_target() {
    for entry in fs::read_dir(corpus()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(TARGETS.iter().any(|target| target.name == name), "{name}");
    }
}

#[test]
fn a_kept_corpus_is_small() {
    for target in TARGETS {
        let bytes: u64 = inputs(target.name)
            .iter()
            .map(|path| path.metadata().unwrap().len())
            .sum();
        assert!(
            bytes <= 256 * 1024,
            "{} has {bytes} bytes: merge it",
            target.name
        );
    }
}
