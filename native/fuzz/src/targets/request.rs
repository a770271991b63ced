//! One frame of a peer: it is a request, is refused by its id, or ends the connection.

use wherry_launcher::fuzzing::{Request, parse_request};

pub fn run(body: &[u8]) {
    let Ok((_, Ok(request))) = parse_request(body) else {
        return;
    };
    match request {
        Request::Start(plan) => {
            let _ = plan.check(plan.descriptors.len());
        }
        Request::Engine(command) => {
            // It goes into a line of QMP as it is.
            let arguments = command.arguments.map_or("{}".into(), |raw| raw.to_string());
            assert!(serde_json::from_str::<&serde_json::value::RawValue>(&arguments).is_ok());
        }
        Request::Hello { .. }
        | Request::Status
        | Request::Subscribe { .. }
        | Request::Shutdown { .. }
        | Request::Kill => {}
    }
}
