//! A guest of 512 bytes: says `boot>` on its serial port, powers off when the ACPI button is pressed or `p` typed, panics on
//! `c`, resets on `r`.

const PM_STATUS: u16 = 0x600; // where SeaBIOS puts the power management registers of q35
const PM_ENABLE: u16 = 0x602;
const PM_CONTROL: u16 = 0x604;
const BUTTON: u16 = 1 << 8;
const SLEEP: u16 = 1 << 13;
const SERIAL: u16 = 0x3f8;
const LINE_STATUS: u16 = 0x3fd;
const PVPANIC: u16 = 0x505;
const RESET: u16 = 0xcf9;

/// A raw disk with this guest on it.
pub fn disk() -> Vec<u8> {
    let mut code = Vec::new();
    for byte in b"boot>" {
        code.extend(out_byte(SERIAL, *byte));
    }
    code.extend(out_word(PM_ENABLE, BUTTON));
    let wait = code.len();
    // in ax, PM_STATUS; test ah, 1; jz over the power-off
    code.extend(at(PM_STATUS));
    code.extend([
        0xed,
        0xf6,
        0xc4,
        0x01,
        0x74,
        out_word(PM_CONTROL, SLEEP).len() as u8,
    ]);
    code.extend(out_word(PM_CONTROL, SLEEP));
    // in al, LINE_STATUS; test al, 1; jz wait
    code.extend(at(LINE_STATUS));
    code.extend([0xec, 0xa8, 0x01]);
    jump(&mut code, 0x74, wait);
    // in al, SERIAL
    code.extend(at(SERIAL));
    code.push(0xec);
    for (key, action) in [
        (b'p', out_word(PM_CONTROL, SLEEP)),
        (b'c', out_byte(PVPANIC, 1)),
        (b'r', out_byte(RESET, 6)),
    ] {
        // cmp al, key; jne over the action
        code.extend([0x3c, key, 0x75, action.len() as u8]);
        code.extend(action);
    }
    jump(&mut code, 0xeb, wait);
    code.resize(510, 0);
    code.extend([0x55, 0xaa]);
    // SeaBIOS reads from whole cylinders only.
    code.resize(1024 * 1024, 0);
    code
}

/// mov dx, port
fn at(port: u16) -> Vec<u8> {
    [&[0xba][..], &port.to_le_bytes()].concat()
}

/// …; mov al, value; out dx, al
fn out_byte(port: u16, value: u8) -> Vec<u8> {
    [at(port), vec![0xb0, value, 0xee]].concat()
}

/// …; mov ax, value; out dx, ax
fn out_word(port: u16, value: u16) -> Vec<u8> {
    [
        at(port),
        vec![0xb8],
        value.to_le_bytes().to_vec(),
        vec![0xef],
    ]
    .concat()
}

/// A short jump of this kind back to there.
fn jump(code: &mut Vec<u8>, kind: u8, to: usize) {
    let distance = to as i64 - (code.len() as i64 + 2);
    code.extend([kind, i8::try_from(distance).unwrap() as u8]);
}
