//! The native engine's control protocol: every line is answered with its id, by one line.

use serde_json::Value;
use serde_json::value::RawValue;
use wherry_vmm::control::{answer, parse, refusal};

pub fn run(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let request = parse(line);
        let id = request.id.as_deref();
        let sent = match &request.command {
            Ok(_) => answer(id, Value::Null),
            Err(refused) => refusal(id, refused),
        };
        assert!(!sent.contains(&b'\n'));
        let sent: Value = serde_json::from_slice(&sent).expect("an object");
        assert_eq!(sent.get("error").is_some(), request.command.is_err());
        let asked = id.map(RawValue::get).map(serde_json::from_str::<Value>);
        assert_eq!(sent.get("id"), asked.transpose().expect("JSON").as_ref());
        if let Ok(command) = request.command {
            let said: Value = serde_json::from_slice(line).expect("JSON");
            assert!(said["execute"].is_string(), "{command:?}");
        }
    }
}
