//! `--record`: writes what a run said to AWS, after it has shown what that is.

use super::exit::Exit;
use super::failure::{Failure, Reason};
use crate::aws::record::Recording;
use crate::file::{self, Readers};
use crate::spec::{BYPASS_COOKIE, KEY_OFF, KEY_ON, MaintenanceSpec, Spec};
use crate::stack::Names;
use crate::view::View;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

/// The exchanges, one on each line.
const EXCHANGES: &str = "exchanges.jsonl";

/// The spec with the same stand-ins.
const SPEC: &str = "provision.yaml";

/// A spec is never larger. In bytes.
const LARGEST_SPEC: u64 = 1024 * 1024;

/// Can a recording be written there? Nothing of anybody's is replaced or mixed with it.
///
/// # Errors
/// [`Failure::Usage`].
pub(crate) fn check(folder: &Path) -> Result<(), Failure> {
    let why = match fs::read_dir(folder).map(Iterator::count) {
        Ok(0) => return Ok(()),
        Ok(_) => "it is not empty".to_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => error.to_string(),
    };
    let what = format!("no recording can be written to {}: {why}", folder.display());
    Err(Failure::Usage(Reason::new(what).hinted("name a folder that is empty or does not exist")))
}

/// Lets the recording know whose names it has to hide.
pub(crate) fn is_about(recording: &Recording, spec: &Spec) {
    let Names {
        stack,
        region: _,
        bucket,
        namespace: _,
        keys,
        role,
        role_path,
        function,
        logs: _,
        attached,
        also: _,
    } = Names::of(spec);
    // What every stack has says nothing of this one.
    let keys = [keys.off.to_string(), keys.on.to_string()].into_iter();
    let keys = keys.filter(|key| ![KEY_ON, KEY_OFF].contains(&key.as_str()));
    let MaintenanceSpec { bypass_cidrs, bypass_cookie, .. } = &spec.maintenance;
    let cookie = Some(bypass_cookie).filter(|cookie| *cookie != BYPASS_COOKIE);
    let bypass = bypass_cidrs.iter().chain(cookie).cloned();
    let names =
        [stack.to_string(), role.to_string(), role_path.as_str().to_owned(), function.to_string()];
    let others = [bucket.map(|name| name.to_string()), attached.map(|id| id.to_string())];
    let text = file::read(&spec.file, LARGEST_SPEC).unwrap_or_default();
    recording.is_about(
        String::from_utf8_lossy(&text).into_owned(),
        names.into_iter().chain(keys).chain(others.into_iter().flatten()).chain(bypass),
    );
}

/// Writes it. A run is not worse for a recording that cannot be written: then it is only said.
pub(crate) fn write(folder: &Path, recording: &Recording, exit: Exit, view: View) {
    if recording.count() == 0 {
        let hint = if exit == Exit::Failed {
            "the run failed before anything was asked; how somebody signs in is never recorded"
        } else {
            "record a verb that asks AWS: plan, apply, destroy, status, maintenance, sweep"
        };
        return view.warning("nothing was said to AWS, so nothing is recorded", hint);
    }
    let (exchanges, spec, veil) = recording.veiled();
    let written = create(folder).and_then(|()| {
        view.recording(folder, recording.count(), &veil.replaced());
        // For its owner alone.
        let put =
            |name, text: &str| file::create(&folder.join(name), text.as_bytes(), Readers::Owner);
        put(EXCHANGES, &exchanges)?;
        spec.map_or(Ok(()), |spec| put(SPEC, &spec))
    });
    if let Err(error) = written {
        let left = removed(folder);
        let what =
            format!("the recording could not be written to {}: {error}{left}", folder.display());
        view.warning(&what, "name another folder with `--record`, and run the command again");
    }
}

/// Takes away what was begun, as half a recording tells a wrong story, and says so.
fn removed(folder: &Path) -> String {
    let begun = [EXCHANGES, SPEC].map(|name| folder.join(name));
    let removed = begun.iter().filter(|path| path.exists()).map(fs::remove_file);
    match removed.collect::<Result<Vec<()>, Error>>() {
        Ok(removed) if removed.is_empty() => String::new(),
        Ok(_) => "; what was begun is removed".to_owned(),
        Err(error) => format!("; what was begun is still there: {error}"),
    }
}

fn create(folder: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
