//! A text as it is meant: escapes of URLs, XML and JSON, also one in another, are read as what they
//! stand for. Each letter knows how it is written.

/// The letters, and where in the text each begins; the last place is the text's end.
pub(super) struct Meant<'a> {
    text: &'a str,
    pub(super) letters: Vec<char>,
    begins: Vec<usize>,
}

impl<'a> Meant<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (mut begins, mut letters): (Vec<usize>, Vec<char>) = text.char_indices().unzip();
        begins.push(text.len());
        let mut meant = Self { text, letters, begins };
        while meant.letters.iter().any(|letter| matches!(letter, '%' | '&' | '\\')) {
            (letters, begins) = meant.unescaped();
            if letters.len() == meant.letters.len() {
                break;
            }
            meant = Self { text, letters, begins };
        }
        meant
    }

    /// One layer of escapes less.
    fn unescaped(&self) -> (Vec<char>, Vec<usize>) {
        let (mut letters, mut begins) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(first) = self.letters.get(at) {
            let rest = &self.letters[at..];
            let escaped = match first {
                '%' => percent(rest),
                '&' => entity(rest),
                '\\' => backslash(rest),
                _ => None,
            };
            let (length, letter) = escaped.unwrap_or((1, *first));
            letters.push(letter);
            begins.push(self.begins[at]);
            at += length;
        }
        begins.push(self.text.len());
        (letters, begins)
    }

    /// How the letters from one to before another are written.
    pub(super) fn written(&self, from: usize, to: usize) -> &'a str {
        &self.text[self.begins[from]..self.begins[to]]
    }

    /// How deep in escapes a letter stands: what closes a text is written as what opens it.
    pub(super) fn width(&self, at: usize) -> usize {
        self.begins[at + 1] - self.begins[at]
    }

    pub(super) fn begins_with(&self, at: usize, text: &str) -> bool {
        let mut letters = self.letters[at..].iter();
        text.chars().all(|wanted| letters.next() == Some(&wanted))
    }

    /// The first such letter from there on that is written as wide, or the end.
    pub(super) fn next(&self, from: usize, letter: char, width: usize) -> usize {
        let is_it = |at: &usize| self.letters[*at] == letter && self.width(*at) == width;
        (from..self.letters.len()).find(is_it).unwrap_or(self.letters.len())
    }

    /// What stands there, as it is meant.
    pub(super) fn text(&self, from: usize, to: usize) -> String {
        self.letters[from..to].iter().collect()
    }

    /// Does a word end before this place?
    pub(super) fn is_edge(&self, at: usize) -> bool {
        let is_in = |at: Option<usize>| {
            at.and_then(|at| self.letters.get(at)).copied().is_some_and(is_of_a_word)
        };
        !(is_in(at.checked_sub(1)) && is_in(Some(at)))
    }

    /// Where the word that begins there ends.
    pub(super) fn word_end(&self, from: usize) -> usize {
        let length = self.letters[from..].iter().take_while(|letter| is_of_a_word(**letter));
        from + length.count()
    }
}

pub(super) fn is_of_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || !letter.is_ascii()
}

/// `%41`. Bytes that are no ASCII belong to some letter.
fn percent(text: &[char]) -> Option<(usize, char)> {
    let byte = u8::try_from(hex(text.get(1..3)?)?).ok()?;
    Some((3, if byte.is_ascii() { char::from(byte) } else { 'é' }))
}

/// `&amp;`, `&#65;`, `&#x41;`.
fn entity(text: &[char]) -> Option<(usize, char)> {
    const LONGEST: usize = 12;
    let end = text.iter().take(LONGEST).position(|letter| *letter == ';')?;
    let name: String = text[1..end].iter().collect();
    let meant = match name.as_str() {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) =
                number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
            char::from_u32(u32::from_str_radix(digits, radix).ok()?)?
        }
    };
    Some((end + 1, meant))
}

/// JSON's escapes.
fn backslash(text: &[char]) -> Option<(usize, char)> {
    match text.get(1)? {
        // Half of a pair belongs to some letter, or to a picture.
        'u' => Some((6, char::from_u32(hex(text.get(2..6)?)?).unwrap_or('é'))),
        'n' | 'r' | 't' | 'b' | 'f' => Some((2, ' ')),
        kind @ ('"' | '\\' | '/') => Some((2, *kind)),
        _ => None,
    }
}

fn hex(digits: &[char]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| Some(number * 16 + digit.to_digit(16)?))
}
