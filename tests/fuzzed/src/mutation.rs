//! How are inputs made of a corpus without a fuzzer: the same ones for the same seed?

/// What parsers stumble over.
const WORDS: &[&[u8]] = &[
    b"..",
    b"---",
    b"%2e",
    b"%%34",
    b"%4%31",
    b"[::1]",
    b":443",
    b":99999",
    b"@",
    b".run.app",
    b".run.localhost",
    b"\r\n",
    b"\0",
    b"\xc2\xa0",
    b"Bearer ",
    b", ",
    b"eyJhbGciOiJSUzI1NiJ9",
    b"\"exp\":",
    b"9223372036854775807",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"0\r\n\r\n",
];

/// A small generator of numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// The input of this `seed`: one of the `corpus` after up to eight changes.
pub fn mutated(corpus: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut bytes = corpus.get(dice.below(corpus.len())).cloned().unwrap_or_default();
    for _ in 0..=dice.below(8) {
        change(&mut bytes, corpus, &mut dice);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let (at, to) = (dice.below(bytes.len() + 1), dice.below(bytes.len() + 1));
    let range = at.min(to)..at.max(to);
    match dice.below(7) {
        0 => bytes.insert(at, dice.next().to_le_bytes()[0]),
        1 => drop(bytes.drain(range.start..range.end.min(range.start + 4))),
        2 => insert(bytes, at, WORDS[dice.below(WORDS.len())]),
        3 => {
            let copy = bytes[range].to_vec();
            insert(bytes, to, &copy);
        }
        4 => {
            let other = corpus.get(dice.below(corpus.len())).map_or(&[][..], Vec::as_slice);
            insert(bytes, at, &other[dice.below(other.len() + 1)..]);
        }
        5 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        _ if at < bytes.len() => bytes[at] = b" \t.,:%-/[]=\"AZaz09"[dice.below(18)],
        _ => bytes.push(b'.'),
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}
