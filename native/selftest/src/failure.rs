//! Why a check did not pass, in words for the report.

use std::fmt;

#[derive(Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One request to KVM. An interrupted one is made again: the clock of the watchdog ticks all the time.
pub fn attempt<T>(
    name: &str,
    mut request: impl FnMut() -> Result<T, vmm_sys_util::errno::Error>,
) -> Result<T, Failure> {
    for _ in 0..100 {
        match request() {
            Err(error) if error.errno() == libc::EINTR => {}
            result => return result.map_err(|error| Failure(format!("{name}: {error}"))),
        }
    }
    Err(Failure(format!("{name}: interrupted a hundred times")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmm_sys_util::errno::Error;

    #[test]
    fn an_interrupted_request_is_made_again() {
        let mut left = 3;
        let result = attempt("KVM_CREATE_VM", || {
            left -= 1;
            if left > 0 {
                Err(Error::new(libc::EINTR))
            } else {
                Ok(left)
            }
        });
        assert_eq!(result, Ok(0));
    }

    #[test]
    fn a_failed_request_is_named() {
        let result: Result<(), Failure> =
            attempt("KVM_CREATE_VM", || Err(Error::new(libc::ENOMEM)));
        assert!(
            result
                .unwrap_err()
                .0
                .starts_with("KVM_CREATE_VM: Cannot allocate memory")
        );
    }

    #[test]
    fn a_request_that_is_always_interrupted_is_given_up() {
        let result: Result<(), Failure> = attempt("X", || Err(Error::new(libc::EINTR)));
        assert_eq!(
            result,
            Err(Failure("X: interrupted a hundred times".into()))
        );
    }
}
