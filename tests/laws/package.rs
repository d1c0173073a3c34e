//! The package's law: it follows from the files' names and bytes, and from nothing else.

use crate::config;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use provision::resource::function::package::{Files, pack, read};
use std::fs;
use std::path::Path;

fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// What differs from machine to machine: the order in which files were made, caches, hidden files,
/// rights, dates.
fn on_a_machine(files: &Files, reversed: bool, noise: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut names: Vec<_> = files.iter().collect();
    if reversed {
        names.reverse();
    }
    for (name, content) in names {
        write(folder.path(), name, content);
        let path = folder.path().join(name);
        if noise {
            let mut rights = fs::metadata(&path).unwrap().permissions();
            rights.set_readonly(true);
            fs::set_permissions(&path, rights).unwrap();
        } else {
            let long_ago =
                std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
            fs::File::options().write(true).open(&path).unwrap().set_modified(long_ago).unwrap();
        }
    }
    if noise {
        write(folder.path(), "__pycache__/index.cpython-313.pyc", b"cache");
        write(folder.path(), "old.pyc", b"cache");
        write(folder.path(), ".git/HEAD", b"hidden");
        write(folder.path(), ".DS_Store", b"hidden");
    }
    folder
}

#[test]
fn the_same_source_makes_the_same_package() {
    let content = || vec(any::<u8>(), 0..200);
    let files = btree_map("([a-z]{1,3}/){0,2}[a-z]{1,8}\\.(py|json)", content(), 1..6);
    let mut runner = TestRunner::new(config(48));
    let tried =
        runner.run(&(files, content(), any::<prop::sample::Index>()), |(files, other, at)| {
            let one = pack(&read(on_a_machine(&files, false, false).path()).unwrap()).unwrap();
            let another = pack(&read(on_a_machine(&files, true, true).path()).unwrap()).unwrap();
            prop_assert_eq!(&one.bytes, &another.bytes);
            prop_assert_eq!(&one.sha256, &another.sha256);
            let mut changed = files.clone();
            let name = at.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
            changed.insert(name.clone(), other.clone());
            prop_assert_eq!(pack(&changed).unwrap().sha256 == one.sha256, files[&name] == other);
            let mut renamed = files.clone();
            let content = renamed.remove(&name).unwrap();
            renamed.insert(format!("{name}x"), content);
            prop_assert!(pack(&renamed).unwrap().sha256 != one.sha256);
            Ok(())
        });
    if let Err(error) = tried {
        panic!("{error}");
    }
}
