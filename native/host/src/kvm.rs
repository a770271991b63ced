//! What /dev/kvm says of itself. Whether guests run on it is the self-test's to find out.

use std::os::fd::{AsFd, AsRawFd};

use crate::error::{Code, Error, Result};

const KVM_GET_API_VERSION: libc::Ioctl = 0xae00;
const KVM_CHECK_EXTENSION: libc::Ioctl = 0xae03;

/// KVM_GET_API_VERSION: 12 on every kernel since 2.6.22. `WrongType` for a descriptor that is no /dev/kvm.
pub fn api_version(kvm: impl AsFd) -> Result<i32> {
    ask(kvm, KVM_GET_API_VERSION, 0, "KVM_GET_API_VERSION")
}

/// KVM_CHECK_EXTENSION: 0 means absent, else 1 or an amount.
pub fn check_extension(kvm: impl AsFd, capability: u32) -> Result<i32> {
    ask(kvm, KVM_CHECK_EXTENSION, capability, "KVM_CHECK_EXTENSION")
}

fn ask(kvm: impl AsFd, request: libc::Ioctl, argument: u32, name: &str) -> Result<i32> {
    // SAFETY: both requests take their argument by value.
    let answer = unsafe {
        libc::ioctl(
            kvm.as_fd().as_raw_fd(),
            request,
            libc::c_ulong::from(argument),
        )
    };
    if answer >= 0 {
        return Ok(answer);
    }
    let error = Error::last(name);
    // Other character devices answer an unknown request so.
    Err(if error.errno == libc::EINVAL {
        Error {
            code: Code::WrongType,
            ..error
        }
    } else {
        error
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_is_no_kvm_is_of_the_wrong_type() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(api_version(&null).unwrap_err().code, Code::WrongType);
    }

    #[test]
    fn kvm_answers_where_it_is_present() {
        let Ok(kvm) = crate::device::open("/dev/kvm") else {
            eprintln!("skipped: this machine has no /dev/kvm that may be opened");
            return;
        };
        assert_eq!(api_version(&kvm).unwrap(), 12);
        const KVM_CAP_NR_MEMSLOTS: u32 = 10;
        assert!(check_extension(&kvm, KVM_CAP_NR_MEMSLOTS).unwrap() >= 32);
        assert_eq!(check_extension(&kvm, 100_000).unwrap(), 0);
    }
}
