//! What the tests of this crate share: folders, namespaces, patience.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "wherry-test-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A folder that goes away with its value.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new() -> TempDir {
        let path = std::env::temp_dir().join(unique());
        std::fs::create_dir(&path).unwrap();
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A block device over a file, both of which go away with the value.
pub struct LoopDevice {
    path: String,
    _folder: TempDir,
}

impl LoopDevice {
    /// None, with the reason printed, where this process may not make one.
    pub fn new(bytes: u64) -> Option<LoopDevice> {
        let folder = TempDir::new();
        let file = folder.path().join("disk.img");
        std::fs::File::create(&file)
            .unwrap()
            .set_len(bytes)
            .unwrap();
        let made = Command::new("losetup")
            .args(["--find", "--show"])
            .arg(&file)
            .output();
        match made {
            Ok(output) if output.status.success() => {
                let path = String::from_utf8(output.stdout).unwrap();
                Some(LoopDevice {
                    path: path.trim().into(),
                    _folder: folder,
                })
            }
            other => {
                eprintln!("skipped: no right to make a loop device ({other:?})");
                None
            }
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = Command::new("losetup")
            .args(["--detach", &self.path])
            .status();
    }
}

/// A network namespace of its own that goes away with its value.
pub struct TestNetns {
    name: String,
    file: std::fs::File,
}

impl TestNetns {
    /// None, with the reason printed, where this process may not make one.
    pub fn new() -> Option<TestNetns> {
        let name = unique();
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        match made {
            Ok(output) if output.status.success() => {
                let file = std::fs::File::open(format!("/run/netns/{name}")).unwrap();
                Some(TestNetns { name, file })
            }
            other => {
                eprintln!("skipped: no right to make a network namespace ({other:?})");
                None
            }
        }
    }

    /// None also, with the reason printed, where no tap can be made.
    pub fn with_tun() -> Option<TestNetns> {
        if let Err(error) = std::fs::File::options()
            .read(true)
            .write(true)
            .open("/dev/net/tun")
        {
            eprintln!("skipped: /dev/net/tun: {error}");
            return None;
        }
        TestNetns::new()
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Runs `ip` inside and returns what it printed.
    pub fn ip(&self, arguments: &[&str]) -> String {
        let output = Command::new("ip")
            .args(["-n", &self.name])
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "ip {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for TestNetns {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

/// Asks until there is an answer, for five seconds.
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "nothing came within 5 s");
        std::thread::sleep(Duration::from_millis(5));
    }
}
