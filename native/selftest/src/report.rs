//! The verdict and its evidence, as one line of JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub detail: String,
    pub took: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed: guests may use KVM here.
    Usable,
    /// KVM is there and does not do what guests need.
    Broken,
    /// There is no KVM on this machine.
    Absent,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Usable => "usable",
            Verdict::Broken => "broken",
            Verdict::Absent => "absent",
        }
    }
}

/// Grows check by check, so that a watchdog can print what there is.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub api_version: Option<i32>,
    pub checks: Vec<Check>,
    /// What guests may be given of CPUID: leaf, subleaf, eax, ebx, ecx, edx.
    pub cpuid: Vec<[u32; 6]>,
    /// The check that is at work.
    pub current: Option<&'static str>,
    /// Why there is no KVM at all.
    pub absent: Option<String>,
    /// Nothing is left to be tried.
    pub finished: bool,
}

impl Report {
    /// `kernel` is the running kernel's release.
    pub fn to_json(&self, kernel: &str) -> Value {
        let (verdict, reason) = self.judge();
        let checks: Vec<Value> = self.checks.iter().map(check_json).collect();
        json!({
            "verdict": verdict.word(),
            "reason": reason,
            "checks": checks,
            "kernel": kernel,
            "apiVersion": self.api_version,
            "cpuid": self.cpuid,
        })
    }

    /// The verdict and one sentence for a person.
    pub fn judge(&self) -> (Verdict, String) {
        if let Some(reason) = &self.absent {
            return (Verdict::Absent, reason.clone());
        }
        if !self.finished {
            let name = self.current.unwrap_or("between two checks");
            return (
                Verdict::Broken,
                format!("the self-test did not end in time ({name})"),
            );
        }
        let failed: Vec<&Check> = self.checks.iter().filter(|check| !check.ok).collect();
        let Some(first) = failed.first() else {
            return (
                Verdict::Usable,
                format!("all {} checks passed", self.checks.len()),
            );
        };
        let names: Vec<&str> = failed.iter().map(|check| check.name).collect();
        let count = format!("{} of {} checks failed", failed.len(), self.checks.len());
        (
            Verdict::Broken,
            format!(
                "{count} ({}); first: {}: {}",
                names.join(", "),
                first.name,
                first.detail
            ),
        )
    }
}

fn check_json(check: &Check) -> Value {
    let ms = (check.took.as_secs_f64() * 100_000.0).round() / 100.0;
    json!({"name": check.name, "ok": check.ok, "detail": check.detail, "ms": ms})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &'static str, ok: bool) -> Check {
        Check {
            name,
            ok,
            detail: format!("detail of {name}"),
            took: Duration::from_micros(1234),
        }
    }

    #[test]
    fn all_passed_is_usable() {
        let report = Report {
            checks: vec![check("a", true), check("b", true)],
            finished: true,
            ..Report::default()
        };
        assert_eq!(
            report.judge(),
            (Verdict::Usable, "all 2 checks passed".into())
        );
    }

    #[test]
    fn one_failure_is_broken_and_named() {
        let checks = vec![check("a", true), check("b", false), check("c", false)];
        let report = Report {
            checks,
            finished: true,
            ..Report::default()
        };
        let reason = "2 of 3 checks failed (b, c); first: b: detail of b";
        assert_eq!(report.judge(), (Verdict::Broken, reason.into()));
    }

    #[test]
    fn a_suite_that_never_ended_is_broken_whatever_passed_before() {
        let mut report = Report {
            checks: vec![check("a", true)],
            current: Some("b"),
            ..Report::default()
        };
        let reason = "the self-test did not end in time (b)";
        assert_eq!(report.judge(), (Verdict::Broken, reason.into()));
        report.current = None;
        assert_eq!(report.judge().0, Verdict::Broken);
        assert_eq!(Report::default().judge().0, Verdict::Broken);
    }

    #[test]
    fn no_kvm_is_absent() {
        let report = Report {
            absent: Some("no /dev/kvm".into()),
            finished: true,
            ..Report::default()
        };
        assert_eq!(report.judge(), (Verdict::Absent, "no /dev/kvm".into()));
    }

    #[test]
    fn the_line_has_the_shape_that_the_daemon_reads() {
        let report = Report {
            api_version: Some(12),
            checks: vec![check("a", true)],
            cpuid: vec![[1, 0, 2, 3, 4, u32::MAX]],
            finished: true,
            ..Report::default()
        };
        let expected = json!({
            "verdict": "usable",
            "reason": "all 1 checks passed",
            "checks": [{"name": "a", "ok": true, "detail": "detail of a", "ms": 1.23}],
            "kernel": "6.12.0",
            "apiVersion": 12,
            "cpuid": [[1, 0, 2, 3, 4, 4_294_967_295_u32]],
        });
        assert_eq!(report.to_json("6.12.0"), expected);
    }
}
