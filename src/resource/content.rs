//! Bytes that go to AWS: where they come from, and what proves that they are the ones that were
//! planned.

use crate::change::{Fault, FaultKind};
use crate::edge::ObjectHeaders;
use crate::file;
use md5::{Digest as _, Md5};
use serde::{Serialize, Serializer};
use std::io::{Error, ErrorKind, Read, Write};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::Arc;

mod sight;

pub use sight::Seen;
use sight::Sight;

/// Where the bytes are.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// In a file, read again when they are needed.
    File(PathBuf),
    /// Here.
    #[serde(skip)]
    Memory(Arc<[u8]>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
        }
    }
}

/// An MD5, as bytes.
pub type Digest = [u8; 16];

/// An object's content and how it is served. Copies share it, as a plan of 100,000 files has two of
/// each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content(Arc<Described>);

/// What [`Content`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Where the bytes are. Not part of a saved plan: the digest is.
    #[serde(skip)]
    pub source: Source,
    /// MD5 as lower-case hex, which S3 gives back as the `ETag` of single-part objects without a
    /// customer's key (Amazon S3 API Reference, "Object"). Of what goes in parts, the `ETag` that
    /// S3 makes of their MD5s (`docs/aws.md`, "the ETag of parts").
    pub md5: String,
    /// In bytes.
    pub size: u64,
    /// What is too large for one piece. Not part of a saved plan: it follows from the size.
    #[serde(skip)]
    pub parts: Option<Parts>,
    /// How it is served.
    #[serde(flatten)]
    pub headers: ObjectHeaders,
}

/// The parts in which an object goes to S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Of each but the last. In bytes.
    pub size: u64,
    /// Of each.
    pub digests: Vec<Digest>,
}

/// From which size on an object goes in parts, and in which.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// More than this is no single piece. In bytes.
    pub whole: u64,
    /// The least of a part. In bytes.
    pub part: u64,
}

/// What S3 takes at once, in a `PutObject` or as a part (`docs/aws.md`, "sizes of objects").
const LARGEST_PIECE: u64 = 5 << 30;
const MOST_PARTS: u64 = 10_000;
/// S3 takes no larger object (`docs/aws.md`, "sizes of objects"). In bytes; 48.8 TiB.
pub const LARGEST: u64 = MOST_PARTS * LARGEST_PIECE;

impl Cut {
    /// In parts only what S3 takes no other way: an object in one piece has an `ETag` that everybody
    /// can compute, and leaves nothing behind when a run dies. A part that is lost is sent again
    /// alone.
    pub const S3: Self = Self { whole: LARGEST_PIECE, part: 64 << 20 };

    /// The size of a part, where there are parts.
    fn part_of(self, size: u64) -> Option<u64> {
        (size > self.whole).then(|| self.part.max(size.div_ceil(MOST_PARTS)))
    }
}

impl Content {
    /// Content that is held in memory.
    #[must_use]
    pub fn in_memory(bytes: &[u8], headers: ObjectHeaders) -> Self {
        Self(Arc::new(Described {
            source: Source::Memory(bytes.into()),
            md5: hex::encode(Md5::digest(bytes)),
            size: bytes.len() as u64,
            parts: None,
            headers,
        }))
    }

    /// Content that stays in its file. Reads it once, and asks how it is served.
    ///
    /// # Errors
    /// The system's; [`ErrorKind::FileTooLarge`] before it is read where S3 cannot take it.
    pub fn in_file(
        path: PathBuf,
        cut: Cut,
        served: impl FnOnce(Seen) -> ObjectHeaders,
    ) -> Result<Self, Error> {
        let mut file = file::open(&path)?;
        let size = file.metadata()?.len();
        fits(size)?;
        let part = cut.part_of(size);
        let mut sight = Sight::default();
        let digests = copy(&mut file, size, part, &mut sight)?;
        let headers = served(sight.seen());
        let md5 = etag(&digests, part.is_some());
        let parts = part.map(|size| Parts { size, digests });
        let source = Source::File(path);
        Ok(Self(Arc::new(Described { source, md5, size, parts, headers })))
    }

    /// Copies the bytes, piece by piece, and proves in the end that they were the planned ones.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where the file is gone or has changed since the plan was made, or where
    /// `to` takes no more.
    pub fn copy_to(&self, to: &mut impl Write) -> Result<(), Fault> {
        match &self.source {
            Source::Memory(bytes) => to.write_all(bytes).map_err(|error| self.unread(&error)),
            Source::File(path) => {
                self.is_as_planned()?;
                let part = self.parts.as_ref().map(|parts| parts.size);
                let copied = file::open(path)
                    .and_then(|mut file| copy(&mut file, self.size, part, to))
                    .map_err(|error| self.unread(&error))?;
                if etag(&copied, part.is_some()) == self.md5 {
                    Ok(())
                } else {
                    Err(self.has_changed())
                }
            }
        }
    }

    /// Reads what is small.
    ///
    /// # Errors
    /// Those of [`copy_to`](Self::copy_to).
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        self.copy_to(&mut bytes).map(|()| bytes)
    }

    /// Is the file still there, and as long as it was? Whether it has the same bytes is told by
    /// whoever reads them.
    ///
    /// # Errors
    /// [`FaultKind::Local`].
    pub fn is_as_planned(&self) -> Result<(), Fault> {
        let Source::File(path) = &self.source else { return Ok(()) };
        let found = std::fs::metadata(path).map_err(|error| self.unread(&error))?;
        if found.len() == self.size { Ok(()) } else { Err(self.has_changed()) }
    }

    /// The file cannot be read.
    #[must_use]
    pub fn unread(&self, error: &dyn std::error::Error) -> Fault {
        Fault::new(FaultKind::Local, self.tried(), error.to_string())
    }

    /// Other bytes are there than those that were planned.
    #[must_use]
    pub fn has_changed(&self) -> Fault {
        Fault::new(FaultKind::Local, self.tried(), "the file has changed since the plan was made")
            .hinted("run the same command again")
    }

    fn tried(&self) -> String {
        match &self.source {
            Source::File(path) => format!("read {}", path.display()),
            Source::Memory(_) => "read what is to be uploaded".to_owned(),
        }
    }
}

impl Deref for Content {
    type Target = Described;

    fn deref(&self) -> &Described {
        &self.0
    }
}

impl DerefMut for Content {
    fn deref_mut(&mut self) -> &mut Described {
        Arc::make_mut(&mut self.0)
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

/// Does S3 take so many bytes?
///
/// # Errors
/// [`ErrorKind::FileTooLarge`].
fn fits(size: u64) -> Result<(), Error> {
    if size <= LARGEST {
        return Ok(());
    }
    let why = format!("it has {size} bytes, and S3's largest object has {LARGEST}");
    Err(Error::new(ErrorKind::FileTooLarge, why))
}

/// The `ETag` that S3 gives (`docs/aws.md`, "the ETag is the MD5", "the ETag of parts").
fn etag(digests: &[Digest], in_parts: bool) -> String {
    if in_parts {
        format!("{}-{}", hex::encode(Md5::digest(digests.concat())), digests.len())
    } else {
        digests.iter().map(hex::encode).collect()
    }
}

/// Copies so many bytes, and returns the MD5 of each part, or of all.
fn copy(
    from: &mut impl Read,
    size: u64,
    part: Option<u64>,
    to: &mut impl Write,
) -> Result<Vec<Digest>, Error> {
    const AT_ONCE: usize = 64 * 1024;
    let mut buffer = vec![0; AT_ONCE];
    let mut digests = Vec::new();
    let mut left = size;
    loop {
        let mut digest = Md5::new();
        let mut here = part.map_or(left, |part| left.min(part));
        left -= here;
        while here > 0 {
            let most = usize::try_from(here).map_or(AT_ONCE, |here| here.min(AT_ONCE));
            let read = from.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "it became shorter meanwhile"));
            }
            digest.update(&buffer[..read]);
            to.write_all(&buffer[..read])?;
            here -= read as u64;
        }
        digests.push(digest.finalize().into());
        if left == 0 {
            return Ok(digests);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of_file(path: &Path, cut: Cut) -> Content {
        Content::in_file(path.to_owned(), cut, |_| ObjectHeaders::default()).unwrap()
    }

    #[test]
    fn what_is_too_large_for_one_piece_has_the_etag_of_its_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "aaaabbbbc").unwrap();
        let md5 = |text: &str| -> Digest { Md5::digest(text).into() };
        let whole = of_file(&path, Cut { whole: 9, part: 4 });
        assert_eq!((&whole.md5, &whole.parts), (&hex::encode(md5("aaaabbbbc")), &None));
        let cut = of_file(&path, Cut { whole: 8, part: 4 });
        let digests = vec![md5("aaaa"), md5("bbbb"), md5("c")];
        let etag = format!("{}-3", hex::encode(Md5::digest(digests.concat())));
        assert_eq!((&cut.md5, cut.size), (&etag, 9));
        assert_eq!(cut.parts, Some(Parts { size: 4, digests }));
        std::fs::write(&path, "").unwrap();
        assert_eq!(of_file(&path, Cut::S3).md5, hex::encode(md5("")), "nothing is one piece");
    }

    #[test]
    fn every_object_that_s3_takes_has_parts_that_s3_takes() {
        for (size, part, parts) in [
            (LARGEST_PIECE, None, 0),
            (LARGEST_PIECE + 1, Some(64 << 20), 81),
            (10_000 * (64 << 20), Some(64 << 20), 10_000),
            (10_000 * (64 << 20) + 1, Some((64 << 20) + 1), 10_000),
            (LARGEST, Some(LARGEST_PIECE), 10_000),
        ] {
            assert_eq!(Cut::S3.part_of(size), part, "{size}");
            assert!(part.is_none_or(|part| size.div_ceil(part) <= parts), "{size}");
            assert!(fits(size).is_ok());
        }
        let refused = fits(LARGEST + 1).unwrap_err().to_string();
        assert_eq!(
            refused,
            "it has 53687091200001 bytes, and S3's largest object has 53687091200000"
        );
    }

    #[test]
    fn only_the_planned_bytes_pass() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for cut in [Cut::S3, Cut { whole: 3, part: 2 }] {
            std::fs::write(&path, "12345").unwrap();
            let planned = of_file(&path, cut);
            assert_eq!(planned.read().unwrap(), b"12345");
            for other in ["12346", "1234", "123456"] {
                std::fs::write(&path, other).unwrap();
                let fault = planned.read().unwrap_err();
                assert!(fault.message.ends_with("since the plan was made"), "{other}: {fault}");
            }
            std::fs::remove_file(&path).unwrap();
            assert_eq!(planned.is_as_planned().unwrap_err().kind, FaultKind::Local);
        }
    }
}
