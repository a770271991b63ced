//! The native engine's control protocol: every line is answered with its id, by one line.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;
use wherry_vmm::control::{answer, parse, refusal};

/// Numbers are left as they are written: JSON has some that no floating-point number can hold.
type Object = BTreeMap<String, Box<RawValue>>;

pub fn run(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        let request = parse(line);
        let id = request.id.as_deref();
        let sent = match &request.command {
            Ok(_) => answer(id, Value::Null),
            Err(refused) => refusal(id, refused),
        };
        assert!(!sent.contains(&b'\n'));
        let sent: Object = serde_json::from_slice(&sent).expect("an object");
        assert_eq!(sent.contains_key("error"), request.command.is_err());
        assert_eq!(sent.get("id").map(|it| it.get()), id.map(RawValue::get));
        if let Ok(command) = request.command {
            let said: Object = serde_json::from_slice(line).expect("an object");
            let name = said["execute"].get();
            assert!(serde_json::from_str::<String>(name).is_ok(), "{command:?}");
        }
    }
}
