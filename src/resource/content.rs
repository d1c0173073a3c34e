//! Bytes that go to AWS: where they come from, and what proves that they are the ones that were
//! planned.

use crate::change::{Fault, FaultKind};
use md5::{Digest, Md5};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

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

/// An object's content and how it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Where the bytes are. Not part of a saved plan: the digest is.
    #[serde(skip)]
    pub source: Source,
    /// MD5 as lower-case hex, which S3 gives back as the `ETag` of single-part objects without a
    /// customer's key (Amazon S3 API Reference, "Object").
    pub md5: String,
    /// In bytes.
    pub size: u64,
    /// MIME type.
    pub content_type: String,
    pub cache_control: String,
}

impl Content {
    /// Content that is held in memory.
    #[must_use]
    pub fn in_memory(bytes: &[u8], content_type: &str, cache_control: &str) -> Self {
        Self {
            source: Source::Memory(bytes.into()),
            md5: hex::encode(Md5::digest(bytes)),
            size: bytes.len() as u64,
            content_type: content_type.into(),
            cache_control: cache_control.into(),
        }
    }

    /// Reads the bytes and proves that they are the planned ones.
    ///
    /// # Errors
    /// [`FaultKind::Local`] where the file is gone or has changed since the plan was made.
    pub fn read(&self) -> Result<Vec<u8>, Fault> {
        match &self.source {
            Source::Memory(bytes) => Ok(bytes.to_vec()),
            Source::File(path) => {
                let tried = format!("read {}", path.display());
                let bytes = std::fs::read(path)
                    .map_err(|error| Fault::new(FaultKind::Local, &tried, error.to_string()))?;
                if hex::encode(Md5::digest(&bytes)) != self.md5 {
                    return Err(Fault::new(
                        FaultKind::Local,
                        tried,
                        "the file has changed since the plan was made",
                    )
                    .hinted("run the same command again"));
                }
                Ok(bytes)
            }
        }
    }
}
