//! Writes the list of the files in `dist/` for `src/lib.rs`. Nothing is built: the files are in the repository.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from).ok_or(name);
    let folder = variable("CARGO_MANIFEST_DIR")?.join("dist");
    // A file that comes or goes changes the folder.
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| format!("{} is no text", name.display()))?;
        if entry.file_type()?.is_file() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    let mut list = String::from("&[\n");
    for name in names {
        let path = folder.join(&name);
        let path = path.to_str().ok_or("the path is no text")?;
        writeln!(list, "    ({name:?}, include_bytes!({path:?})),")?;
    }
    list.push(']');
    std::fs::write(variable("OUT_DIR")?.join("files.rs"), list)?;
    Ok(())
}
