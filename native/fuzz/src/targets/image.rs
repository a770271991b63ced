//! The header of a disk image, which an image's maker wrote: what leads to another file is never taken.

use wherry_launcher::fuzzing::classify_image;

pub fn run(bytes: &[u8]) {
    let mut header = [0; 104];
    for (to, from) in header.iter_mut().zip(bytes) {
        *to = *from;
    }
    let Ok(format) = classify_image(&header) else {
        return;
    };
    let is_qcow2 = header.starts_with(b"QFI\xfb");
    assert_eq!(format.name(), if is_qcow2 { "qcow2" } else { "raw" });
    if is_qcow2 {
        assert_eq!(header[8..16], [0; 8], "it names a backing file");
        let version = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
        assert!(
            version == 2 || (version == 3 && header[79] & 4 == 0),
            "its data may lie in another file"
        );
    }
}
