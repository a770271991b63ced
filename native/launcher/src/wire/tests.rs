//! Over the frames in test/fixtures/launcher, which the node-daemon's tests read, too.

use super::*;
use serde_json::Value;

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Vec<Value>>(include_str!(concat!(
            "../../../../test/fixtures/launcher/",
            $name
        )))
        .unwrap()
    };
}

/// The sample of this name, as it travels.
fn sample(samples: &[Value], name: &str) -> Value {
    let found = samples.iter().find(|sample| sample["name"] == name);
    found.unwrap_or_else(|| panic!("no sample {name}"))["frame"].clone()
}

fn value(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

const UID: &str = "5f3c1d1e-8a51-4c5e-9b1e-0d6f1f6b8a10";
const AT: u64 = 1_795_485_600_123;

fn lease(hostname: Option<&str>) -> Lease {
    Lease {
        interface: "default".into(),
        mac: "02:3a:4b:5c:6d:7e".into(),
        address: "10.0.2.2".into(),
        hostname: hostname.map(String::from),
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.into()).unwrap()
}

#[test]
fn every_sample_request_is_understood() {
    for sample in fixture!("requests.json") {
        let (id, request) = parse(sample["frame"].to_string().as_bytes()).unwrap();
        assert_eq!(sample["frame"]["id"], id);
        match request {
            Ok(Request::Start(plan)) => assert_eq!(plan.check(plan.descriptors.len()), Ok(())),
            Ok(_) => {}
            Err(refusal) => panic!("{}: {refusal:?}", sample["name"]),
        }
    }
}

#[test]
fn every_sample_of_a_wrong_request_is_refused_with_its_code() {
    for sample in fixture!("refused-requests.json") {
        let (id, request) = parse(sample["frame"].to_string().as_bytes()).unwrap();
        assert_eq!(sample["frame"]["id"], id);
        let code = serde_json::to_value(request.expect_err("refused").code).unwrap();
        assert_eq!(code, sample["code"], "{}", sample["name"]);
    }
}

#[test]
fn arguments_of_a_command_are_kept_as_they_were_written() {
    let (_, request) =
        parse(br#"{"id":1,"op":"engine","command":{"execute":"a","arguments":{"x": 1.50}}}"#)
            .unwrap();
    let Ok(Request::Engine(command)) = request else {
        panic!()
    };
    assert_eq!(
        (command.execute.as_str(), command.arguments.unwrap().get()),
        ("a", r#"{"x": 1.50}"#)
    );
}

#[test]
fn what_has_no_id_or_no_operation_cannot_be_answered() {
    for body in [
        &b""[..],
        b"[]",
        b"{}",
        b"{\"id\":1}",
        b"{\"op\":\"status\"}",
        b"{\"id\":-1,\"op\":\"status\"}",
        b"{\"id\":1,\"op\":\"status\"}x",
        b"\xff",
    ] {
        assert_eq!(parse(body).err(), Some(NoRequest), "{body:?}");
    }
    let deep = [b"{\"id\":1,\"op\":".to_vec(), vec![b'['; 100_000]].concat();
    assert_eq!(parse(&deep).err(), Some(NoRequest));
}

#[test]
fn answers_are_written_as_in_the_samples() {
    let samples = fixture!("answers.json");
    let idle = Hello {
        protocol: 1,
        version: "0.1.0",
        uid: UID,
        state: Phase::Idle,
        plan_id: None,
        last_seq: 0,
    };
    let running = Hello {
        state: Phase::Running,
        plan_id: Some(UID),
        last_seq: 41,
        ..idle
    };
    let hello = sample(&samples, "hello of a running guest");
    assert_eq!(value(&answer(1, Ok(running))), hello);
    let idle = Hello {
        protocol: 1,
        version: "0.1.0",
        uid: UID,
        state: Phase::Idle,
        plan_id: None,
        last_seq: 0,
    };
    assert_eq!(
        value(&answer(1, Ok(idle))),
        sample(&samples, "hello before a plan")
    );

    let (named, nameless) = (lease(Some("my-vm")), lease(None));
    let status = Status {
        state: Phase::Running,
        engine_pid: Some(17),
        started_at: Some(AT),
        last_seq: 41,
        leases: vec![&named, &nameless],
    };
    assert_eq!(
        value(&answer(3, Ok(status))),
        sample(&samples, "status of a running guest")
    );
    let status = Status {
        state: Phase::Idle,
        engine_pid: None,
        started_at: None,
        last_seq: 0,
        leases: vec![],
    };
    assert_eq!(
        value(&answer(3, Ok(status))),
        sample(&samples, "status before a plan")
    );

    assert_eq!(
        value(&answer(
            2,
            Ok(Started {
                state: Phase::Starting
            })
        )),
        sample(&samples, "start accepted")
    );
    assert_eq!(
        value(&answer(6, Ok(Subscribed { first: 12 }))),
        sample(&samples, "subscribed")
    );
    assert_eq!(
        value(&answer(7, Ok(Empty {}))),
        sample(&samples, "shutdown or kill accepted")
    );
    let reply = raw(r#"{"return":{"status":"running","running":true}}"#);
    assert_eq!(
        value(&answer(4, Ok(Relayed { reply: &reply }))),
        sample(&samples, "engine returns")
    );
}

#[test]
fn refusals_are_written_as_in_the_samples() {
    use Code::*;
    for code in [
        BadRequest,
        UnknownOp,
        BadPlan,
        NotStarted,
        AlreadyStarted,
        EngineGone,
        TooLarge,
    ] {
        let refusal = Refusal::new(code, "what is wrong, on which object");
        let expected = sample(&fixture!("answers.json"), &format!("refused with {code:?}"));
        assert_eq!(value(&answer(8, Err::<Empty, _>(&refusal))), expected);
    }
}

#[test]
fn events_are_written_as_in_the_samples() {
    use Outcome::*;
    let samples = fixture!("events.json");
    let written = |name: &str, written: Event<'_>| {
        let expected = sample(&samples, name);
        assert_eq!(
            value(&event(expected["seq"].as_u64().unwrap(), AT, &written)),
            expected,
            "{name}"
        );
    };
    for phase in [
        Phase::Preparing,
        Phase::Starting,
        Phase::Running,
        Phase::Stopping,
    ] {
        written(
            &format!("{phase:?}"),
            Event::State {
                state: phase,
                reason: None,
            },
        );
    }
    written(
        "Running, paused",
        Event::State {
            state: Phase::Running,
            reason: Some("Paused"),
        },
    );
    let qmp = raw(&sample(&samples, "engine with data")["event"]["qmp"].to_string());
    written("engine with data", Event::Engine { qmp: &qmp });
    written("lease", Event::Lease(&lease(Some("my-vm"))));
    written("lease of a nameless guest", Event::Lease(&lease(None)));
    for outcome in [
        PoweredOff,
        ShutDownOnRequest,
        KilledAfterGrace,
        StoppedBeforeStart,
        GuestRebooted,
        GuestPanicked,
        EngineCrashed,
        StartFailed,
        LauncherFailed,
        WatchdogExpired,
    ] {
        written(
            &format!("{outcome:?}"),
            Event::Exited {
                outcome,
                message: "why",
            },
        );
    }
}

#[test]
fn sample_requests_with_any_byte_changed_are_answered_or_refused() {
    for sample in fixture!("requests.json") {
        let whole = sample["frame"].to_string().into_bytes();
        for at in 0..whole.len() {
            for byte in [0, b'"', b'{', b']', b'9', 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = byte;
                if let Ok((_, Ok(Request::Start(plan)))) = parse(&bytes) {
                    let _ = plan.check(plan.descriptors.len());
                }
            }
        }
    }
}
