//! How long browsers and edges may keep a file without asking again.

/// Asked for again each time; nothing is sent where it has not changed.
const ASKED: &str = "public, max-age=0, must-revalidate";
/// For a year, the longest that caches care for (RFC 9111 has no bound, RFC 2616, 14.21, had this
/// one), and without a question (RFC 8246).
const KEPT: &str = "public, max-age=31536000, immutable";

/// Folders whose tools promise never to put other bytes under a name: those of `Next.js`,
/// `SvelteKit` and Astro.
const PROMISED: [&str; 3] = ["_next/static/", "_app/immutable/", "_astro/"];

/// Folders into which bundlers put what they name anew.
const BUILT: [&str; 4] = ["_nuxt", "assets", "build", "static"];

/// Code, which people seldom name as machines do.
const CODE: [&str; 4] = ["cjs", "css", "js", "mjs"];

/// What else bundlers give a hash.
const MEDIA: &[&str] = &[
    "avif", "eot", "gif", "ico", "jpeg", "jpg", "mp3", "mp4", "otf", "png", "svg", "ttf", "wasm",
    "webm", "webp", "woff", "woff2",
];

/// Words that stand between hash and ending: `main.3f9a1c2b.chunk.js`.
const BETWEEN: [&str; 4] = ["bundle", "chunk", "min", "module"];

/// What is served for the file under this key as `Cache-Control`.
pub(super) fn of(key: &str) -> &'static str {
    if is_immutable(key) { KEPT } else { ASKED }
}

/// Are the bytes under this name for ever the same? A wrong yes costs visitors a year, a wrong no
/// one answer without a body: only what looks made by a machine is believed.
pub(crate) fn is_immutable(key: &str) -> bool {
    let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
    if PROMISED.iter().any(|promised| format!("/{folder}/").contains(&format!("/{promised}"))) {
        return true;
    }
    let name = [".br", ".gz", ".map", ".zst"]
        .iter()
        .fold(name, |name, ending| name.strip_suffix(ending).unwrap_or(name));
    let Some((mut stem, ending)) = name.rsplit_once('.') else { return false };
    let ending = ending.to_ascii_lowercase();
    let is_code = CODE.contains(&ending.as_str());
    if !is_code && !MEDIA.contains(&ending.as_str()) {
        return false;
    }
    while let Some((rest, word)) = stem.rsplit_once('.')
        && BETWEEN.contains(&word)
    {
        stem = rest;
    }
    let is_built = is_code || folder.split('/').any(|part| BUILT.contains(&part));
    last_words(stem)
        .any(|word| is_hex(word) || is_code && is_base32(word) || is_built && is_base64(word))
}

/// What may be the hash: behind the last `.`, `-` or `_`, or the last eight characters behind one
/// of these, two of which Base64url has among its letters.
fn last_words(stem: &str) -> impl Iterator<Item = &str> {
    let is_mark = |byte: u8| matches!(byte, b'.' | b'-' | b'_');
    let whole = stem.bytes().rposition(is_mark).map(|at| &stem[at + 1..]);
    let eight = stem
        .len()
        .checked_sub(8)
        .filter(|at| *at > 0 && stem.is_char_boundary(*at) && is_mark(stem.as_bytes()[at - 1]));
    let words = whole.into_iter().chain(eight.map(|at| &stem[at..]));
    words.filter(|word| word.len() >= 8)
}

/// As webpack and most others write a hash. A date has no letter, a word no digit.
fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// As esbuild and Angular do.
fn is_base32(word: &str) -> bool {
    word.len() == 8 && word.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

/// As Rollup and Vite do: small letters and capitals, in an order that no words have, as
/// `JSONView`, `Big-Fish` or `iPhone15` have.
fn is_base64(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let has = |kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    if !word.bytes().all(is_letter) || !is_mixed {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 'a',
        b'A'..=b'Z' => 'A',
        b'0'..=b'9' => '0',
        _ => '-',
    };
    let runs: Vec<(char, usize)> = word
        .as_bytes()
        .chunk_by(|one, next| kind(one) == kind(next))
        .map(|run| (kind(&run[0]), run.len()))
        .collect();
    let numbers = runs.iter().filter(|(kind, _)| *kind == '0').count();
    let is_odd = |at: usize| match (runs[at], runs.get(at + 1)) {
        // A capital begins a word, and capitals before it are an abbreviation.
        (('A', length), Some(('a', _))) => !matches!(length, 1 | 3..=6),
        (('A', length), _) => length > 5,
        _ => false,
    };
    numbers > 1 || (0..runs.len()).any(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_machine_has_named_is_kept_for_ever() {
        for (key, kept) in [
            // What bundlers made.
            ("assets/shell-ClXCKCEW.js", true),
            ("assets/main-BEx-Fmlo.js", true),
            ("assets/index-BdX3k9Qz.css", true),
            ("assets/photo-BdX3k9Qz.png", true),
            ("assets/index-BdX3k9Qz.js.map", true),
            ("assets/index-BdX3k9Qz.js.br", true),
            ("chunk-ABCDEFGH.js", true),
            ("main-5NHSVAJZ.js", true),
            ("main.3f9a1c2b.chunk.js", true),
            ("static/js/main.3f9a1c2b.js", true),
            ("static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg", true),
            ("_next/static/chunks/webpack-1f2a3b4c5d6e7f80.js", true),
            ("_next/static/Xb12cdE/_buildManifest.js", true),
            ("_app/immutable/entry/start.js", true),
            ("docs/_astro/hoisted.js", true),
            // What people named.
            ("og-image-1200x630.png", false),
            ("openapi-petstore3.json", false),
            ("hero-1920x1080.jpg", false),
            ("report-fy2024q3.pdf", false),
            ("report-3f9a1c2b.pdf", false),
            ("index.html", false),
            ("style.css", false),
            ("app.js", false),
            ("jquery-3.7.1.min.js", false),
            ("bootstrap.bundle.min.js", false),
            ("my-component-JsonView.js", false),
            ("my-component-TextInput.js", false),
            ("a-JSONView.js", false),
            ("assets/a-Big-Fish.js", false),
            ("assets/hero-iPhone15.png", false),
            ("assets/IMG23456.png", false),
            ("a-BdX3k9Qz.png", false),
            ("photo-20240315.jpg", false),
            ("photo-20240315123456.jpg", false),
            ("team-AnnaMuster.jpg", false),
            ("hero-sunshine.jpg", false),
            ("é-ABCDEFG.js", false),
        ] {
            assert_eq!(is_immutable(key), kept, "{key}");
        }
    }
}
