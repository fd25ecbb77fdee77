//! Does anything but the very token pass?
//!
//! Changes at random, from a fixed seed: nothing may panic, and nothing may pass.

use super::{NOW, caller, claims, keys};

/// A small generator of numbers (xorshift64): the same ones every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        // Half of them such as tokens are made of, so that more than the decoder is reached.
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
        match self.below(2) {
            0 => ALPHABET[self.below(ALPHABET.len())],
            _ => u8::try_from(self.below(256)).unwrap(),
        }
    }
}

/// The token after some bytes were changed, put in or taken out; never the token itself.
fn altered(token: &str, dice: &mut Dice) -> String {
    loop {
        let mut bytes = token.as_bytes().to_vec();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes.insert(at, dice.byte()),
                1 => drop(bytes.remove(at)),
                _ => bytes[at] = dice.byte(),
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text != token {
            return text;
        }
    }
}

#[tokio::test]
async fn no_altered_id_token_passes() {
    let token = keys().id_token(&claims()).await.unwrap();
    let verifier = keys().verifier();
    verifier.verify(&token, NOW).unwrap();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..10_000 {
        let text = altered(&token, &mut dice);
        let error = verifier.verify(&text, NOW).expect_err(&text);
        assert!(!error.to_string().contains(&text), "{error}");
    }
}

#[tokio::test]
async fn no_altered_access_token_passes() {
    let token = keys().access_token(&caller(), &["email".to_owned()], NOW, 60).await.unwrap();
    keys().verify_access_token(&token, NOW).unwrap();
    let keys = keys();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..10_000 {
        let text = altered(&token, &mut dice);
        keys.verify_access_token(&text, NOW).expect_err(&text);
    }
}

/// Each single bit of each part, the unused ones at the end of base64 among them.
#[tokio::test]
async fn no_bit_of_a_token_is_spare() {
    let token = keys().id_token(&claims()).await.unwrap();
    let verifier = keys().verifier();
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let text = String::from_utf8(bytes).unwrap();
            verifier.verify(&text, NOW).expect_err(&text);
        }
    }
}
