//! Reads files that people hand us, or that lie where others can write: plain files only, and never
//! more of one than it may have. Writes the few that are ours: whole or not at all.

use serde::de::DeserializeOwned;
use std::fs::{File, FileType};
use std::io::{Error, ErrorKind, Read, Result, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;

/// What a thing in a folder is, behind "is …".
#[must_use]
pub(crate) fn described(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_dir() {
        "a folder"
    } else if kind.is_file() {
        "a file"
    } else {
        "a pipe, a socket or a device"
    }
}

/// Opens a plain file, also through a symbolic link. To open a pipe would be to wait for its other
/// end, and a device may have no end.
///
/// # Errors
/// The system's; [`ErrorKind::InvalidInput`] where it is anything but a file.
pub(crate) fn open(path: &Path) -> Result<File> {
    let kind = std::fs::metadata(path)?.file_type();
    if kind.is_file() {
        File::open(path)
    } else {
        Err(Error::new(ErrorKind::InvalidInput, format!("it is {}", described(kind))))
    }
}

/// Reads a plain file that has at most `limit` bytes.
///
/// # Errors
/// Those of [`open`]; [`ErrorKind::FileTooLarge`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more tells a file that grows from one that fits.
    open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it is larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

/// Bytes of JSON that this program writes itself for machines: saved plans and the sandbox's world.
/// A site of 100,000 files fits.
pub(crate) const LARGEST_RECORD: u64 = 64 * 1024 * 1024;
/// How many values such a record may hold. In memory a value takes some hundred bytes, in the text
/// as few as two; ours take twenty.
const MOST_VALUES: usize = 4 * 1024 * 1024;

/// Reads a record: JSON that this program wrote, if nobody else did.
///
/// # Errors
/// Those of [`read`]; [`ErrorKind::FileTooLarge`] also where the values would need too much memory.
pub(crate) fn read_record(path: &Path) -> Result<Vec<u8>> {
    let text = read(path, LARGEST_RECORD)?;
    // Each value but the first stands behind one of these; those within texts only make the count
    // careful.
    if text.iter().filter(|byte| b",:[{".contains(byte)).count() > MOST_VALUES {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it holds more than {MOST_VALUES} values"),
        ));
    }
    Ok(text)
}

/// Parses a record, or a part of it.
///
/// # Errors
/// What is wrong and where, in a line that is not endless: the parser's own words may hold a text
/// of the record.
pub(crate) fn parse<T: DeserializeOwned>(record: &[u8]) -> std::result::Result<T, String> {
    const LONGEST: usize = 200;
    serde_json::from_slice(record).map_err(|error| {
        let told = error.to_string();
        match told.char_indices().nth(LONGEST) {
            Some((end, _)) => {
                format!("{}… at line {} column {}", &told[..end], error.line(), error.column())
            }
            None => told,
        }
    })
}

/// Who may read a file that is written, where the system knows such a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever may read the writer's other files.
    Usual,
    /// The writer alone.
    Owner,
}

#[cfg(unix)]
impl Readers {
    fn mode(self) -> u32 {
        match self {
            Self::Usual => 0o666,
            Self::Owner => 0o600,
        }
    }
}

/// Puts a file in the place of whatever has this name: written beside it, then renamed over it. A
/// link of this name is replaced, and what it leads to is left alone.
///
/// # Errors
/// The system's; what was there is then still there.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> Result<()> {
    replace_with(path, readers, |file| file.write_all(bytes))
}

/// The same with what `write` writes.
///
/// # Errors
/// The system's and those of `write`; what was there is then still there.
pub(crate) fn replace_with(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<()> {
    let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    // What is there is an earlier run's, or a user's link to a file of ours; neither is written
    // through.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, readers.mode());
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = options.open(&beside)?;
    let written = write(&mut file)
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&beside, path));
    // A disk that is full shall not keep the half of it.
    written.inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// Writes a new file beside its place, of which nothing stays unless it is put there.
///
/// # Errors
/// The system's; [`ErrorKind::AlreadyExists`] where something has this name already.
pub(crate) fn stage(path: &Path, bytes: &[u8], readers: Readers) -> Result<NamedTempFile> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::new(ErrorKind::AlreadyExists, "it is there already"));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(readers.mode()));
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Puts a new file there: whole or not at all, and over nothing.
///
/// # Errors
/// See [`stage`].
pub(crate) fn create(path: &Path, bytes: &[u8], readers: Readers) -> Result<()> {
    stage(path, bytes, readers)?.persist_noclobber(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_of_the_right_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("five");
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read(&path, u64::MAX).unwrap(), b"12345");
        assert_eq!(read(folder.path(), 5).unwrap_err().to_string(), "it is a folder");
        assert_eq!(
            read(Path::new("/dev/null"), 5).unwrap_err().to_string(),
            "it is a pipe, a socket or a device"
        );
        assert_eq!(read(&folder.path().join("none"), 5).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_record_of_nothing_but_values_is_refused() {
        let path = tempfile::NamedTempFile::new().unwrap();
        for (values, kept) in [(MOST_VALUES, true), (MOST_VALUES + 1, false)] {
            std::fs::write(path.path(), ",".repeat(values)).unwrap();
            assert_eq!(read_record(path.path()).is_ok(), kept, "{values}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_record_fits_on_a_line() {
        assert_eq!(
            parse::<u32>(b"\n true").unwrap_err(),
            "invalid type: boolean `true`, expected u32 at line 2 column 5"
        );
        let told = parse::<u32>(format!("\n\"{}\"", "é".repeat(10_000)).as_bytes()).unwrap_err();
        assert!(
            told.ends_with("éé… at line 2 column 20002") && told.chars().count() < 300,
            "{told}"
        );
    }
}
