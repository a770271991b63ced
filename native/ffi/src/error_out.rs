//! How a failure leaves the library, and the border that no panic crosses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wherry_host::{Code, Error, Result};

const MESSAGE: usize = 504;

/// A failure by value; 512 bytes, the caller's memory.
#[repr(C)]
pub struct ErrorOut {
    pub code: u32,
    pub errno: i32,
    /// UTF-8, cut at a character, ends with a NUL.
    pub message: [u8; MESSAGE],
}

const _: () = assert!(size_of::<ErrorOut>() == 512);
const _: () = assert!(std::mem::offset_of!(ErrorOut, message) == 8);

impl ErrorOut {
    fn fill(&mut self, error: &Error) {
        self.code = error.code as u32;
        self.errno = error.errno;
        self.message = [0; MESSAGE];
        let text = error.message.as_bytes();
        let end = error.message.floor_char_boundary(MESSAGE - 1);
        self.message[..end].copy_from_slice(&text[..end]);
    }
}

/// Runs `call`, stores what it returned in `out` and maps failures and panics to the number that the C caller gets.
///
/// # Safety
/// `out` and `error` must each be null or valid for writing one value, and not overlap.
pub unsafe fn border<T>(
    out: *mut T,
    error: *mut ErrorOut,
    call: impl FnOnce() -> Result<T>,
) -> u32 {
    let result = caught(call).and_then(|value| {
        // SAFETY: null or valid by the contract of this function.
        let out = unsafe { out.as_mut() };
        *out.ok_or_else(|| Error::new(Code::InvalidArgument, "no place for the result"))? = value;
        Ok(())
    });
    match result {
        Ok(()) => 0,
        Err(failure) => {
            // SAFETY: null or valid by the contract of this function.
            if let Some(error) = unsafe { error.as_mut() } {
                error.fill(&failure);
            }
            failure.code as u32
        }
    }
}

/// A panic becomes an error with the panic's text.
pub fn caught<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Error::new(
            Code::Panicked,
            format!("a bug in libwherry.so: {text}"),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> ErrorOut {
        ErrorOut {
            code: 0,
            errno: 0,
            message: [0xff; MESSAGE],
        }
    }

    fn text(error: &ErrorOut) -> &str {
        std::ffi::CStr::from_bytes_until_nul(&error.message)
            .unwrap()
            .to_str()
            .unwrap()
    }

    #[test]
    fn a_result_is_stored_and_the_error_left_alone() {
        let (mut out, mut error) = (0, fresh());
        // SAFETY: both point to live values.
        assert_eq!(unsafe { border(&mut out, &mut error, || Ok(7)) }, 0);
        assert_eq!((out, error.code, error.message[0]), (7, 0, 0xff));
    }

    #[test]
    fn a_panic_is_an_error_with_its_text() {
        let (mut out, mut error) = (0, fresh());
        // SAFETY: both point to live values.
        let number = unsafe {
            border(&mut out, &mut error, || {
                panic!("expected by the test {}", 1)
            })
        };
        assert_eq!(number, Code::Panicked as u32);
        assert_eq!(
            text(&error),
            "a bug in libwherry.so: expected by the test 1"
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let (mut out, mut error) = (0, fresh());
        let long = "é".repeat(400);
        // SAFETY: both point to live values.
        unsafe { border(&mut out, &mut error, || Err(Error::new(Code::System, long))) };
        assert_eq!(text(&error), "é".repeat(251));
    }

    #[test]
    fn null_pointers_are_refused_and_not_followed() {
        // SAFETY: null is allowed.
        let number = unsafe { border(std::ptr::null_mut(), std::ptr::null_mut(), || Ok(7)) };
        assert_eq!(number, Code::InvalidArgument as u32);
    }
}
