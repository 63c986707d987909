//! The modules of a crate: what each defines, imports and mentions.

use std::collections::{BTreeMap, BTreeSet};

/// The text of each source file, by its path below `src/`.
pub(super) type Sources = BTreeMap<String, String>;

/// A module's place in [`Modules::all`].
pub(super) type ModuleId = usize;

/// The crate's root, `lib.rs` or `main.rs`.
pub(super) const ROOT: ModuleId = 0;

#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) parent: Option<ModuleId>,
    /// The file that it is written in; an inline module shares its parent's.
    pub(super) file: String,
    /// The folder of its children's files.
    pub(super) folder: String,
    pub(super) children: BTreeMap<String, ModuleId>,
    /// The names of its items. Those that a macro makes are missing.
    pub(super) defined: BTreeSet<String>,
    pub(super) imports: Vec<Import>,
    /// Every path outside `use` trees, in code and in the arguments of macros.
    pub(super) mentioned: BTreeSet<Vec<String>>,
}

/// One leaf of a `use` tree.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    /// The name that it has here; `None` for a glob.
    pub(super) name: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Modules {
    pub(super) all: Vec<Module>,
    /// The files that hold more than declarations of modules and `use`.
    pub(super) defining: BTreeSet<String>,
}

/// Whether a file holds tests or helpers of tests alone.
pub(super) fn is_of_tests(path: &str) -> bool {
    path.split(['/', '.'])
        .any(|part| ["tests", "testing"].contains(&part))
}
