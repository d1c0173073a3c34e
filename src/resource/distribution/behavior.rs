//! Which behavior of a distribution is meant: the default one, or one with a path pattern.

use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// A behavior, by what tells it from the others of its distribution.
///
/// CloudFront is the same with and without the slash at a pattern's beginning (CloudFront API
/// Reference, `CacheBehavior`), so both spellings are one behavior. Each is shown as it was
/// written.
#[derive(Clone, Debug)]
pub enum Behavior {
    /// The one that every distribution has.
    Default,
    /// The one with this path pattern.
    Pattern(String),
}

/// What the default behavior is called in specs, plans and messages.
const DEFAULT: &str = "default";

impl Behavior {
    /// The pattern without its slash; `None`: the default behavior.
    fn pattern(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Pattern(pattern) => Some(pattern.strip_prefix('/').unwrap_or(pattern)),
        }
    }
}

/// The word of a spec: `default` is the default behavior, all else a pattern, also `/default`.
impl From<&str> for Behavior {
    fn from(word: &str) -> Self {
        if word == DEFAULT { Self::Default } else { Self::Pattern(word.to_owned()) }
    }
}

/// The word that means the same behavior in a spec.
impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.pad(DEFAULT),
            Self::Pattern(pattern) if pattern == DEFAULT => f.pad("/default"),
            Self::Pattern(pattern) => f.pad(pattern),
        }
    }
}

impl PartialEq for Behavior {
    fn eq(&self, other: &Self) -> bool {
        self.pattern() == other.pattern()
    }
}

impl Eq for Behavior {}

impl PartialOrd for Behavior {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Behavior {
    fn cmp(&self, other: &Self) -> Ordering {
        self.pattern().cmp(&other.pattern())
    }
}

impl Serialize for Behavior {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_never_the_default_behavior() {
        let pattern = |text: &str| Behavior::Pattern(text.into());
        for (behavior, shown) in [
            (Behavior::Default, "default"),
            (pattern("default"), "/default"),
            (pattern("/default"), "/default"),
            (pattern("app/*"), "app/*"),
            (pattern("/app/*"), "/app/*"),
            (pattern("//x"), "//x"),
            (pattern("*"), "*"),
        ] {
            assert_eq!(behavior.to_string(), shown);
            assert_eq!(Behavior::from(shown), behavior);
        }
        assert_ne!(pattern("default"), Behavior::Default);
        assert_eq!(pattern("app/*"), pattern("/app/*"));
        assert_ne!(pattern("app/*"), pattern("//app/*"));
    }
}
