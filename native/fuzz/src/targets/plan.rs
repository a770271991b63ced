//! A plan: whatever it says, it is refused or can be followed.

use wherry_launcher::fuzzing::{NATIVE, Offer, Plan, ResolvConf, decode_base64, fill};

pub fn run(bytes: &[u8]) {
    let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else {
        // No plan; but perhaps one of the texts that stand in plans.
        return texts(&String::from_utf8_lossy(bytes));
    };
    if plan.check(plan.descriptors.len()).is_err() {
        return;
    }
    for argument in &plan.engine.args {
        // Not looked up: that opens files.
        fill(argument, plan.engine.blanks(), |_| Ok(String::new()))
            .expect("a checked plan has no broken blanks");
    }
    for answer in &plan.dhcp {
        Offer::new(
            answer,
            ResolvConf::default().with_subdomain(answer.subdomain.as_deref()),
        )
        .expect("a checked plan has addresses");
    }
    for step in &plan.files {
        assert!(step.path().starts_with('/') && !step.path().contains('\0'));
    }
}

fn texts(text: &str) {
    let _ = fill(text, NATIVE, |blank| Ok(format!("{blank:?}")));
    let _ = decode_base64(text);
    let found = ResolvConf::parse(text).with_subdomain(Some("web"));
    let labels = found.search_bytes();
    assert!(found.search.iter().all(|domain| domain.len() <= 253) && labels.len() <= 33 * 255);
    assert!(found.server_bytes().len() <= 16);
}
