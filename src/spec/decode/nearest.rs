//! The known word that a typo probably meant.

/// The nearest of `known`, if it is near enough to be meant.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    // Distances grow with the product of both lengths; no known word is this long.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let distance = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let closest = known.iter().copied().min_by_key(|candidate| distance(candidate))?;
    let allowed = match closest.len() {
        0..=2 => 0,
        3..=5 => 2,
        _ => 3,
    };
    (distance(closest) <= allowed && distance(closest) < word.chars().count()).then_some(closest)
}

/// What to type instead of `word`.
pub(super) fn fix(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(meant) => format!("write `{meant}`"),
        None => format!("write one of {}", listed(known)),
    }
}

/// `a`, `b` and `c`, each as code.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_its_word_and_another_word_does_not() {
        let known = ["bucket", "region", "id", "spa", "keep_versions"];
        for (word, meant) in [
            ("bukcet", Some("bucket")),
            ("Region", Some("region")),
            ("keep-versions", Some("keep_versions")),
            ("ip", None),
            ("database", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, &known), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
    }
}
