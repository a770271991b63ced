use super::*;

/// Answers with its mark, and remembers.
struct Fake {
    mark: u8,
    bar: u64,
    written: Vec<(u16, Vec<u8>)>,
    resets: u32,
}

impl PciFunction for Fake {
    fn read_config(&mut self, _: u16, data: &mut [u8]) {
        data.fill(self.mark);
    }

    fn write_config(&mut self, offset: u16, data: &[u8]) {
        self.written.push((offset, data.to_vec()));
    }

    fn read_memory(&mut self, address: u64, data: &mut [u8]) -> bool {
        let mine = address == self.bar;
        if mine {
            data.fill(self.mark);
        }
        mine
    }

    fn write_memory(&mut self, address: u64, data: &[u8]) -> bool {
        self.written.push((0, data.to_vec()));
        address == self.bar
    }

    fn reset(&mut self) {
        self.resets += 1;
    }
}

fn fake(mark: u8) -> Arc<Mutex<Fake>> {
    Arc::new(Mutex::new(Fake {
        mark,
        bar: 0x1000 * u64::from(mark),
        written: Vec::new(),
        resets: 0,
    }))
}

fn complex() -> (Arc<Mutex<RootComplex>>, [Arc<Mutex<Fake>>; 2]) {
    let fakes = [fake(0x11), fake(0x22)];
    let functions = fakes.iter().map(|it| it.clone() as Function).collect();
    let complex = RootComplex::new(functions, 2).unwrap();
    (Arc::new(Mutex::new(complex)), fakes)
}

fn at(bus: u64, device: u64, function: u64, register: u64) -> u64 {
    bus << 20 | device << 15 | function << 12 | register
}

fn read(ecam: &mut Ecam, offset: u64) -> u32 {
    let mut data = [0; 4];
    ecam.read(offset, &mut data);
    u32::from_le_bytes(data)
}

#[test]
fn bus_0_has_a_bridge_and_a_port_for_each_slot() {
    let mut ecam = Ecam(complex().0);
    assert_eq!(read(&mut ecam, at(0, 0, 0, 8)) >> 16, 0x0600);
    for device in 1..=4 {
        assert_eq!(read(&mut ecam, at(0, device, 0, 8)) >> 16, 0x0604);
    }
    for device in 5..32 {
        assert_eq!(read(&mut ecam, at(0, device, 0, 0)), u32::MAX);
    }
    assert_eq!(read(&mut ecam, at(0, 0, 1, 0)), u32::MAX);
}

#[test]
fn functions_are_behind_the_ports_wherever_the_guest_numbers_them() {
    let (complex, fakes) = complex();
    let mut ecam = Ecam(complex);
    assert_eq!(read(&mut ecam, at(1, 0, 0, 0)), 0x1111_1111);
    assert_eq!(read(&mut ecam, at(2, 0, 0, 0)), 0x2222_2222);
    assert_eq!(read(&mut ecam, at(3, 0, 0, 0)), u32::MAX);
    assert_eq!(read(&mut ecam, at(1, 1, 0, 0)), u32::MAX);
    ecam.write(at(0, 1, 0, 0x18), &[0, 77, 77]);
    assert_eq!(read(&mut ecam, at(1, 0, 0, 0)), u32::MAX);
    assert_eq!(read(&mut ecam, at(77, 0, 0, 0)), 0x1111_1111);
    ecam.write(at(77, 0, 0, 0x44), &[5, 6]);
    assert_eq!(lock(&fakes[0]).written, [(0x44, vec![5, 6])]);
}

#[test]
fn an_access_over_two_registers_reaches_nobody() {
    let (complex, fakes) = complex();
    let mut ecam = Ecam(complex);
    for (offset, length) in [(3, 2), (1, 4), (0, 8), (2, 3)] {
        let mut data = vec![0; length];
        ecam.read(at(1, 0, 0, offset), &mut data);
        assert!(data.iter().all(|byte| *byte == 0xff));
        ecam.write(at(1, 0, 0, offset), &data);
    }
    assert!(lock(&fakes[0]).written.is_empty());
}

#[test]
fn a_window_asks_each_function() {
    let (complex, _fakes) = complex();
    let mut window = Window {
        complex,
        start: 0x10000,
    };
    let mut data = [0; 2];
    window.read(0x22000 - 0x10000, &mut data);
    assert_eq!(data, [0x22; 2]);
    window.read(0, &mut data);
    assert_eq!(data, [0xff; 2]);
}

#[test]
fn a_reset_reaches_everything() {
    let (complex, fakes) = complex();
    let mut ecam = Ecam(complex.clone());
    ecam.write(at(0, 1, 0, 0x18), &[0, 77, 77]);
    lock(&complex).reset();
    assert_eq!(read(&mut ecam, at(1, 0, 0, 0)), 0x1111_1111);
    assert_eq!(fakes.map(|fake| lock(&fake).resets), [1, 1]);
}

#[test]
fn there_are_no_more_ports_than_devices_on_a_bus() {
    assert!(RootComplex::new(Vec::new(), MAX_PORTS).is_ok());
    assert_eq!(
        RootComplex::new(Vec::new(), MAX_PORTS + 1).err(),
        Some(TooMany)
    );
}
