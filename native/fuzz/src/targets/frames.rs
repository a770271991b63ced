//! The stream of a peer, cut anywhere: the frames in it are the same, and what is held is what has come.

use wherry_launcher::fuzzing::{Decoder, MAX_FRAME, frame};

use crate::bytes::{Bytes, pieces};

pub fn run(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let cuts = choices.short();
    let stream = choices.rest();
    let whole = frames_of(&[stream]);
    assert_eq!(frames_of(&pieces(&mut Bytes::new(cuts), stream)), whole);
    let (bodies, _) = whole;
    let again: Vec<u8> = bodies
        .iter()
        .flat_map(|body| frame(body).expect("it fitted"))
        .collect();
    assert!(
        stream.starts_with(&again),
        "frames are what they were made of"
    );
}

/// All bodies, and whether the stream is still of use.
fn frames_of(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let mut decoder = Decoder::default();
    let mut bodies = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.take() {
                Ok(Some(body)) => {
                    assert!(body.len() <= MAX_FRAME);
                    bodies.push(body);
                }
                Ok(None) => break,
                Err(_) => return (bodies, false),
            }
        }
    }
    (bodies, true)
}
