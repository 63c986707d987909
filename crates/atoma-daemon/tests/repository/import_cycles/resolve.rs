//! From a path to the file that defines what it names, through modules and re-exports.

use super::modules::{Module, ModuleId, Modules, ROOT};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Module(ModuleId),
    /// An item; what comes after it in the path, as a method's name, is not followed.
    Item {
        file: String,
        name: String,
    },
    /// Something of another crate, of the language, or local to a function.
    Elsewhere,
}

impl Modules {
    /// What a path names that stands in that module.
    pub(super) fn resolve(&self, from: ModuleId, path: &[String]) -> Target {
        self.follow(from, path, &mut Vec::new())
    }

    fn follow(&self, from: ModuleId, path: &[String], trail: &mut Vec<Step>) -> Target {
        let mut at = from;
        for (place, name) in path.iter().enumerate() {
            let is_last = place + 1 == path.len();
            let found = match (name.as_str(), place) {
                ("crate", 0) => Some(Target::Module(ROOT)),
                ("self", _) => Some(Target::Module(at)),
                ("super", _) => self.all[at].parent.map(Target::Module),
                _ => self.look_up(at, name, is_last, trail),
            };
            match found {
                Some(Target::Module(module)) => at = module,
                Some(target) => return target,
                None if place == 0 => return Target::Elsewhere,
                // Made by a macro.
                None => return item(&self.all[at], name),
            }
        }
        Target::Module(at)
    }

    /// What a name means in a module; `None` where the module doesn't know it.
    fn look_up(
        &self,
        module: ModuleId,
        name: &str,
        is_last: bool,
        trail: &mut Vec<Step>,
    ) -> Option<Target> {
        let step = (module, name.to_owned(), is_last);
        if trail.contains(&step) {
            return None;
        }
        trail.push(step);
        let found = self.find(module, name, is_last, trail);
        trail.pop();
        found
    }

    fn find(
        &self,
        id: ModuleId,
        name: &str,
        is_last: bool,
        trail: &mut Vec<Step>,
    ) -> Option<Target> {
        let module = &self.all[id];
        let is_defined = module.defined.contains(name);
        if is_defined && is_last {
            return Some(item(module, name));
        }
        // A function may have the name of a module: only a module has something below it.
        if let (Some(child), false) = (module.children.get(name), is_last) {
            return Some(Target::Module(*child));
        }
        if is_defined {
            return Some(item(module, name));
        }
        for import in &module.imports {
            if import.name.as_deref() == Some(name) {
                return Some(self.follow(id, &import.path, trail));
            }
        }
        if let Some(child) = module.children.get(name) {
            return Some(Target::Module(*child));
        }
        let globs = module.imports.iter().filter(|import| import.name.is_none());
        for glob in globs {
            if let Target::Module(within) = self.follow(id, &glob.path, trail)
                && let Some(found) = self.look_up(within, name, is_last, trail)
            {
                return Some(found);
            }
        }
        None
    }
}

/// A name that is being looked up: the module, and whether it is the last of its path.
type Step = (ModuleId, String, bool);

fn item(module: &Module, name: &str) -> Target {
    Target::Item {
        file: module.file.clone(),
        name: name.to_owned(),
    }
}
