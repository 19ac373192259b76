//! Power loss beneath a live engine: what its callers were told is on the disk.

use std::sync::Arc;

use everstep::ErrorKind;
use everstep::testkit::disk::{Disk, below};

use crate::disk::{Machine, read};
use crate::load;
use crate::orders;
use crate::register::{InMemory, Told};

const STORIES: u64 = 16;
const LOSSES: u32 = 3;

/// Several lives on one disk, each ended by a power loss.
struct Story {
    disk: Arc<Disk>,
    random: u64,
    register: InMemory,
    cuts: u32,
    /// How many callers were told that their call failed.
    refused: usize,
}

impl Story {
    fn new(seed: u64) -> Story {
        Story { disk: Disk::new(seed), random: seed, register: InMemory::default(), cuts: 0, refused: 0 }
    }

    fn told(&self) -> Told {
        self.register.read()
    }

    /// One life until the power is gone, and a look at what the disk holds then.
    fn live(&mut self, life: u32) -> Result<(), String> {
        // Early cuts meet the opening, which moves the log into the file, and the recovery.
        self.disk.cut_after(below(&mut self.random, if life == 1 { 60 } else { 900 }));
        match Machine::start(&self.disk) {
            Ok(machine) => self.load(&machine, life),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
        self.cuts += u32::from(self.disk.is_cut());
        self.disk = self.disk.after_power_loss();
        read(&self.disk)?.hold_against(&self.told())
    }

    fn load(&mut self, machine: &Machine, life: u32) {
        let workers = orders::workers(&machine.client, None);
        let errors = load::run(&machine.client, &self.register, life, 4, 15);
        for error in &errors {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        }
        self.refused += errors.len();
        drop(workers);
    }

    fn finish(&self) -> Result<(), String> {
        let machine = Machine::start(&self.disk).expect("the disk is in order");
        let workers = orders::workers(&machine.client, None);
        load::finish(&machine.client, &workers).expect("everything ends");
        drop((workers, machine));
        let found = read(&self.disk)?;
        found.hold_against(&self.told())?;
        found.hold_end()
    }
}

#[test]
fn what_was_acknowledged_survives_every_power_loss() {
    let (mut cuts, mut acknowledged, mut refused) = (0, 0, 0);
    for seed in 0..STORIES {
        let mut story = Story::new(seed);
        for life in 0..LOSSES {
            story.live(life).unwrap_or_else(|text| panic!("seed {seed}, life {life}: {text}"));
        }
        story.finish().unwrap_or_else(|text| panic!("seed {seed}, at the end: {text}"));
        cuts += story.cuts;
        acknowledged += story.told().acknowledged();
        refused += story.refused;
    }
    println!("{cuts} power losses, {acknowledged} acknowledged, {refused} callers were refused");
    assert!(cuts > 36 && acknowledged > 300 && refused > 36, "{cuts}, {acknowledged}, {refused}: too quiet");
}

/// The check itself: a drive that says that it has flushed, and has not, is found out.
#[test]
fn a_drive_that_lies_is_found_out() {
    let lost = (0..STORIES).any(|seed| {
        let mut story = Story::new(seed);
        story.disk.ignore_syncs();
        story.live(0).is_err()
    });
    assert!(lost, "no acknowledged change was lost, although nothing was flushed");
}
