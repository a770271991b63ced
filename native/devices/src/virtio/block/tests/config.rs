//! What a driver finds before it sends anything.

use super::*;

#[test]
fn a_disk_tells_its_size_and_limits() {
    let mut disk = Disk::idle(10 << 20, options());
    let fields = [
        (0, 8, 20480),
        (8, 4, 256 << 10),
        (12, 4, 254),
        (20, 4, 512),
        (24, 1, 0),
        (26, 2, 1),
        (32, 1, 1),
        (34, 2, 1),
        (36, 4, 0x3f_ffff),
        (40, 4, 1),
        (44, 4, 1),
        (48, 4, 262_144),
        (52, 4, 1),
        (56, 1, 1),
    ];
    for (offset, width, value) in fields {
        assert_eq!(disk.driver.config(offset, width), value, "at {offset}");
    }
    assert_eq!(disk.driver.config(60, 8), 0);
    assert_eq!(disk.driver.config(57, 8), 0);
}

#[test]
fn large_blocks_are_told_and_what_is_no_whole_block_is_left_out() {
    let blocks = Options {
        logical_block: 4096,
        physical_block: 16384,
        discard_granularity: 8192,
        ..options()
    };
    let mut disk = Disk::idle((4096 * 3) + 512, blocks);
    assert_eq!(disk.driver.config(0, 8), 24);
    assert_eq!(disk.driver.config(20, 4), 4096);
    assert_eq!(disk.driver.config(24, 1), 2);
    assert_eq!(disk.driver.config(26, 2), 4);
    assert_eq!(disk.driver.config(44, 4), 16);
}

#[test]
fn features_are_those_that_the_disk_can_keep() {
    let always = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY;
    let own = |options| Disk::idle(1 << 20, options).offered() & 0xff_ffff;
    let changes = F_CONFIG_WCE | F_WRITE_ZEROES;
    assert_eq!(own(options()), always | changes | F_DISCARD);
    let kept = Options {
        discard: false,
        ..options()
    };
    assert_eq!(own(kept), always | changes);
    let read_only = Options {
        read_only: true,
        ..options()
    };
    assert_eq!(own(read_only), always | F_RO);
}

#[test]
fn the_cache_is_the_drivers_to_choose_until_it_resets() {
    let mut disk = Disk::new(1 << 20, options());
    let cache = |disk: &mut Disk| disk.driver.config(32, 1);
    assert_eq!(cache(&mut disk), 1);
    disk.driver.write(0x2000 + 32, &[0]);
    assert_eq!(cache(&mut disk), 0);
    for nonsense in [&[2u8][..], &[1, 0], &[]] {
        disk.driver.write(0x2000 + 32, nonsense);
    }
    disk.driver.write(0x2000, &[0xff]);
    assert_eq!(cache(&mut disk), 0);
    assert_eq!(disk.driver.config(0, 8), 2048);
    disk.driver.set_status(0);
    assert_eq!(cache(&mut disk), 1);
}

#[test]
fn a_disk_without_a_cache_says_so() {
    let through = Options {
        cache: Cache::Writethrough,
        ..options()
    };
    assert_eq!(Disk::idle(1 << 20, through).driver.config(32, 1), 0);
}

#[test]
fn its_state_is_the_choice_of_the_driver() {
    let (wake, _events) = power::channel().unwrap();
    let mut block = Block::new(memory_file(4096).into(), options(), wake).unwrap();
    assert_eq!(block.state(), DeviceState::Block { write_cache: true });
    block.write_config(32, &[0]);
    assert_eq!(block.state(), DeviceState::Block { write_cache: false });
}

#[test]
fn what_cannot_be_a_disk_is_refused() {
    let (wake, _events) = power::channel().unwrap();
    let open = |file: File, read_only| {
        let options = Options {
            read_only,
            ..options()
        };
        Block::new(file.into(), options, wake.clone()).err()
    };
    let read_only = || File::open(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(open(read_only(), false), Some(Errno::BADF));
    assert_eq!(open(read_only(), true), None);
    let null = File::options().read(true).write(true).open("/dev/null");
    assert_eq!(open(null.unwrap(), false), Some(Errno::INVAL));
}
