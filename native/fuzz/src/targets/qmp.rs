//! What an engine says on its control channel, cut anywhere.

use serde_json::value::RawValue;
use wherry_launcher::fuzzing::{Asker, Channel, Command, Message};

use crate::bytes::{Bytes, pieces};

const ASKED: u64 = 4;

pub fn run(bytes: &[u8]) {
    let mut choices = Bytes::new(bytes);
    let cuts = choices.short();
    let stream = choices.rest();
    let whole = heard(&[stream]);
    assert_eq!(
        heard(&pieces(&mut Bytes::new(cuts), stream)),
        whole,
        "a cut changes nothing"
    );
}

/// What these pieces make a channel say on which some peers have asked.
fn heard(pieces: &[&[u8]]) -> Vec<String> {
    let mut channel = Channel::default();
    for request in 0..ASKED {
        let command = Command {
            execute: "query-status".into(),
            arguments: RawValue::from_string("{\n}".into()).ok(),
        };
        channel
            .ask(Asker::Peer { peer: 7, request }, &command)
            .expect("there is room");
    }
    assert_eq!(
        channel
            .unsent()
            .iter()
            .filter(|byte| **byte == b'\n')
            .count() as u64,
        ASKED,
        "a command is a line"
    );
    let messages: Vec<Message> = pieces
        .iter()
        .flat_map(|piece| channel.receive(piece))
        .collect();
    let answered: Vec<u64> = messages.iter().filter_map(request_of).collect();
    let mut once = answered.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), answered.len(), "a request is answered once");
    assert_eq!(
        answered.len() + channel.abandon().len(),
        ASKED as usize,
        "nobody waits for ever"
    );
    for message in &messages {
        if let Message::Answer(_, Ok(answer)) = message {
            assert!(answer.raw.get().starts_with("{\""));
        }
    }
    messages
        .iter()
        .map(|message| format!("{message:?}"))
        .collect()
}

fn request_of(message: &Message) -> Option<u64> {
    match message {
        Message::Answer(Asker::Peer { request, .. }, _) => Some(*request),
        _ => None,
    }
}
