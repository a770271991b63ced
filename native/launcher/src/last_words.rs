//! What the guest's kernel said last, found on its console. The guest writes it, so it is bounded and plain.

/// What Linux says in the line that tells why it panics.
const PANIC: &[u8] = b"Kernel panic - not syncing: ";
const MOST: usize = 200;

/// Why the kernel panicked, and what to do where that is known; `None` where the console does not tell.
pub fn of_panic(console: &[u8]) -> Option<String> {
    let at = console
        .windows(PANIC.len())
        .rposition(|window| window == PANIC)?;
    let line = console.get(at.checked_add(PANIC.len())?..)?;
    let words: String = line
        .iter()
        .take_while(|byte| !matches!(byte, b'\r' | b'\n'))
        .filter(|byte| byte.is_ascii_graphic() || **byte == b' ')
        .take(MOST)
        .map(|byte| char::from(*byte))
        .collect();
    let words = words.trim();
    if words.is_empty() {
        return None;
    }
    Some(format!("{words}{}", remedy(words)))
}

fn remedy(words: &str) -> &'static str {
    let words = words.to_ascii_lowercase();
    if words.contains("out of memory") || words.contains("deadlocked on memory") {
        ": raise spec.domain.memory.guest"
    } else if words.contains("unable to mount root") {
        ": check the root disk, root= in the kernel's arguments, and the initrd"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(console: &str) -> Option<String> {
        of_panic(console.as_bytes())
    }

    #[test]
    fn the_line_of_the_last_panic_tells() {
        let console = "[ 1.0] Kernel panic - not syncing: first\r\nboot\r\n\
                       [ 2.0] Kernel panic - not syncing: sysrq triggered crash\r\n[ 2.1] CPU: 0\r\n";
        assert_eq!(of(console).as_deref(), Some("sysrq triggered crash"));
    }

    #[test]
    fn a_lack_of_memory_says_what_to_raise() {
        for words in [
            "System is deadlocked on memory",
            "Out of memory: compulsory panic_on_oom is enabled",
        ] {
            assert_eq!(
                of(&format!("Kernel panic - not syncing: {words}")),
                Some(format!("{words}: raise spec.domain.memory.guest"))
            );
        }
    }

    #[test]
    fn a_root_that_cannot_be_mounted_says_what_to_check() {
        let words =
            of("Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n");
        assert!(words.unwrap().contains("check the root disk"));
    }

    #[test]
    fn a_console_that_does_not_tell_says_nothing() {
        assert_eq!(of(""), None);
        assert_eq!(of("Kernel panic"), None);
        assert_eq!(of("Kernel panic - not syncing: \r\n"), None);
    }

    #[test]
    fn a_guest_that_writes_it_itself_writes_little_and_plain() {
        let console = format!(
            "Kernel panic - not syncing: \u{1b}[31m{}\u{7f}\n",
            "x".repeat(1000)
        );
        let words = of(&console).unwrap();
        assert_eq!(words.len(), MOST);
        assert!(words.starts_with("[31mxxx"));
    }
}
