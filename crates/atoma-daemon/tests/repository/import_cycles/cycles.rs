//! Files that import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::modules::{Modules, Sources};
use super::reader::read;
use super::resolve::Target;

/// By importing file: the files that it imports from, and which names.
type Imports = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// Files each of which imports from every other, directly or through others of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    imports: Imports,
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} files import each other:", self.imports.len())?;
        for (file, imported) in &self.imports {
            for (from, names) in imported {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                writeln!(f, "  {file} from {from}: {}", names.join(", "))?;
            }
        }
        Ok(())
    }
}

/// The cycles among the files below a root file.
pub(super) fn cycles(sources: &Sources, root: &str) -> Vec<Cycle> {
    let imports = imports(&read(sources, root));
    let reached: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|file| (file.as_str(), reachable(&imports, file)))
        .collect();
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for (file, within) in &reached {
        if !within.contains(file) || known.contains(file) {
            continue;
        }
        let is_back = |other: &str| reached.get(other).is_some_and(|files| files.contains(file));
        let files: BTreeSet<&str> = within
            .iter()
            .copied()
            .filter(|file| is_back(file))
            .collect();
        found.push(Cycle {
            imports: among(&imports, &files),
        });
        known.extend(files);
    }
    found
}

/// Which file imports what from which other. Files that only declare modules and re-export are left
/// out: what is imported through them is imported from the file that defines it.
fn imports(modules: &Modules) -> Imports {
    let mut imports = Imports::new();
    for (id, module) in modules.all.iter().enumerate() {
        let imported = module.imports.iter().map(|import| &import.path);
        for path in imported.chain(&module.mentioned) {
            let Target::Item { file, name } = modules.resolve(id, path) else {
                continue;
            };
            let both = [&file, &module.file];
            if file != module.file && both.iter().all(|file| modules.defining.contains(*file)) {
                let imported = imports.entry(module.file.clone()).or_default();
                imported.entry(file).or_default().insert(name);
            }
        }
    }
    imports
}

/// The files that a file imports from, directly or through others; itself only if by a cycle.
fn reachable<'i>(imports: &'i Imports, file: &str) -> BTreeSet<&'i str> {
    let mut found = BTreeSet::new();
    let mut next = vec![file];
    while let Some(file) = next.pop() {
        for from in imports.get(file).into_iter().flatten() {
            let from = from.0.as_str();
            if found.insert(from) {
                next.push(from);
            }
        }
    }
    found
}

/// The imports among some files.
fn among(imports: &Imports, files: &BTreeSet<&str>) -> Imports {
    let mut among = imports.clone();
    among.retain(|file, _| files.contains(file.as_str()));
    for imported in among.values_mut() {
        imported.retain(|file, _| files.contains(file.as_str()));
    }
    among
}
