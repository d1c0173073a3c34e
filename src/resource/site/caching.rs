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
    let is_built = folder.split('/').any(|part| BUILT.contains(&part));
    last_words(stem).any(|word| {
        if is_code {
            is_hex(word) || is_base32(stem, word) || is_base64(word)
        } else {
            is_hex(word) && (is_built || word.len() >= 16) || is_built && is_restless(word)
        }
    })
}

/// What may be the hash: behind the last `.`, `-` or `_`, or the last eight characters behind one
/// of these, two of which Base64url has among its letters; or all of the name.
fn last_words(stem: &str) -> impl Iterator<Item = &str> {
    let is_mark = |byte: u8| matches!(byte, b'.' | b'-' | b'_');
    let whole = stem.bytes().rposition(is_mark).map_or(stem, |at| &stem[at + 1..]);
    let eight = stem
        .len()
        .checked_sub(8)
        .filter(|at| *at > 0 && stem.is_char_boundary(*at) && is_mark(stem.as_bytes()[at - 1]));
    let words = [whole].into_iter().chain(eight.map(|at| &stem[at..]));
    words.filter(|word| word.len() >= 8)
}

/// One kind of characters after the other, each with how many there are: `a`, `A`, `0`, or `-`.
fn runs(word: &str) -> Vec<(char, usize)> {
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => 'a',
        b'A'..=b'Z' => 'A',
        b'0'..=b'9' => '0',
        _ => '-',
    };
    let runs = word.as_bytes().chunk_by(|one, next| kind(one) == kind(next));
    runs.map(|run| (kind(&run[0]), run.len())).collect()
}

/// As webpack and most others write a hash. A date has no letter, and `facade12` only ends in
/// digits.
fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) && runs(word).len() >= 3
}

/// As esbuild and Angular do. Letters alone may be a word, unless esbuild says that it is none.
fn is_base32(stem: &str, word: &str) -> bool {
    word.len() == 8
        && word.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
        && (runs(word).len() >= 3
            || word.as_bytes()[0].is_ascii_digit()
            || stem == format!("chunk-{word}"))
}

/// As Rollup and Vite do: small letters and capitals, in an order that no words have, as
/// `JSONView`, `Big-Fish` or `iPhone15` have.
fn is_base64(word: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let runs = runs(word);
    let has = |kind| runs.iter().any(|(found, _)| *found == kind);
    if !word.bytes().all(is_letter) || !has('a') || !has('A') {
        return false;
    }
    let numbers = runs.iter().filter(|(kind, _)| *kind == '0').count();
    let words = words(&runs);
    let last = words.len().saturating_sub(1);
    let is_odd = |at: usize| match words[at] {
        // `iPhone` and `VitaminC` have one at an end.
        1 => at > 0 && at < last || last == 0,
        length => length > 12,
    };
    let short = words.iter().filter(|length| **length <= 2).count();
    let has_shouted = runs.iter().any(|(kind, length)| *kind == 'A' && *length > 5);
    numbers > 1 || short > 1 || has_shouted || (0..words.len()).any(is_odd)
}

/// How long the words are of which such runs consist: a capital begins one, and capitals before it
/// are one, an abbreviation.
fn words(runs: &[(char, usize)]) -> Vec<usize> {
    let mut words = Vec::new();
    for (at, (kind, length)) in runs.iter().enumerate() {
        let next = runs.get(at + 1).filter(|(kind, _)| *kind == 'a').map(|(_, length)| *length);
        match (kind, next) {
            ('A', Some(small)) => {
                words.extend((*length > 1).then(|| length - 1));
                words.push(small + 1);
            }
            ('A', None) => words.push(*length),
            ('a', _) if at.checked_sub(1).is_none_or(|before| runs[before].0 != 'A') => {
                words.push(*length);
            }
            _ => {}
        }
    }
    words
}

/// The same for what people name more often: pictures and the like.
fn is_restless(word: &str) -> bool {
    let runs = runs(word);
    let is_year = |run: &(char, usize)| *run == ('0', 4);
    is_base64(word)
        && runs.len() >= 5
        && runs.iter().any(|(kind, _)| *kind == '0')
        && !runs.iter().any(is_year)
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
            ("assets/react-CHdo91hT.svg", true),
            ("assets/index-D_6Ay_gG.js", true),
            ("assets/index-BAGHhD3g.js", true),
            ("assets/index-Cjk-fO0X.js", true),
            ("assets/index-DlaBPbAJ.js", true),
            ("_nuxt/Bx7kq9Za.js", true),
            ("3f9a1c2b4d5e6f7081a2.js", true),
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
            ("main-CHECKOUT.js", false),
            ("style.facade12.css", false),
            ("swatch-ff00aa11.png", false),
            ("emoji-0001f600.svg", false),
            ("x-2024a123.png", false),
            ("assets/logo-B2BSales.svg", false),
            ("assets/logo-GraphQLs.svg", false),
            ("assets/logo-LaTeXDoc.svg", false),
            ("assets/logo-OAuth2UI.svg", false),
            ("assets/logo-H2OWater.svg", false),
            ("assets/logo-Q1_2024b.svg", false),
            ("assets/my-VitaminC.js", false),
            ("photo-20240315.jpg", false),
            ("photo-20240315123456.jpg", false),
            ("team-AnnaMuster.jpg", false),
            ("hero-sunshine.jpg", false),
            ("é-ABCDEFG.js", false),
        ] {
            assert_eq!(is_immutable(key), kept, "{key}");
        }
    }

    /// As Vite makes them: eight letters of Base64url.
    #[test]
    fn most_of_what_vite_names_is_known() {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut random = fastrand::Rng::with_seed(7);
        let mut name = || -> String {
            let hash = (0..8).map(|_| char::from(LETTERS[random.usize(..LETTERS.len())]));
            format!("assets/index-{}.js", hash.collect::<String>())
        };
        let known = (0..1_000).filter(|_| is_immutable(&name())).count();
        assert!(known >= 850, "{known} of 1000");
    }
}
