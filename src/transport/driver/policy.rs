//! Who is to drive a reactor: few ready connections in a wake-up, Node's loop, where there is no hop to another thread;
//! many, a worker, which costs the process no more then and takes most of the work off the JavaScript thread.

use crate::transport::reactor::event::Load;

/// Who drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Node's event loop.
    Loop,
    /// A worker of the tokio runtime.
    Worker,
}

/// What the program wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Io {
    /// What suits the load.
    Auto,
    /// Always the loop.
    Loop,
    /// Always a worker.
    Threads,
}

/// Connections served in a wake-up, on average, from which on a worker drives.
const MANY: f32 = 24.0;

/// And below which the loop does. Far from the other, so that a load in between does not make it swing.
const FEW: f32 = 6.0;

/// Wake-ups between two changes, at the least.
const DWELL: u32 = 256;

/// Weight of the newest wake-up in the average.
const WEIGHT: f32 = 1.0 / 32.0;

/// Decides from one wake-up to the next.
#[derive(Debug)]
pub(crate) struct Policy {
    io: Io,
    /// Whether a worker has a core of its own.
    parallel: bool,
    average: f32,
    since_change: u32,
}

impl Policy {
    pub(crate) fn new(parallel: bool) -> Self {
        Self { io: Io::Auto, parallel, average: 0.0, since_change: 0 }
    }

    pub(crate) fn set_io(&mut self, io: Io) {
        self.io = io;
    }

    /// Takes note of what wake-ups had to do, and says who is to drive from now on.
    pub(crate) fn decide(&mut self, driver: Driver, Load { served, turns }: Load) -> Driver {
        match self.io {
            Io::Loop => return Driver::Loop,
            Io::Threads => return Driver::Worker,
            Io::Auto if !self.parallel => return Driver::Loop,
            Io::Auto => {}
        }
        if turns == 0 {
            return driver;
        }
        let each = served as f32 / turns as f32;
        let weight = (WEIGHT * turns as f32).min(1.0);
        self.average += (each - self.average) * weight;
        self.since_change = self.since_change.saturating_add(turns as u32);
        let wanted = match driver {
            Driver::Loop if self.average >= MANY => Driver::Worker,
            Driver::Worker if self.average < FEW => Driver::Loop,
            driver => driver,
        };
        if wanted == driver || self.since_change < DWELL {
            return driver;
        }
        self.since_change = 0;
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(policy: &mut Policy, mut driver: Driver, served: usize, turns: usize) -> Driver {
        for _ in 0..turns {
            driver = policy.decide(driver, Load { served, turns: 1 });
        }
        driver
    }

    #[test]
    fn few_connections_stay_with_the_loop_and_many_go_to_a_worker() {
        let mut policy = Policy::new(true);
        assert_eq!(after(&mut policy, Driver::Loop, 1, 10_000), Driver::Loop);
        assert_eq!(after(&mut policy, Driver::Loop, 100, 1_000), Driver::Worker);
        assert_eq!(after(&mut policy, Driver::Worker, 1, 1_000), Driver::Loop);
    }

    #[test]
    fn a_load_in_between_changes_nothing() {
        let mut policy = Policy::new(true);
        assert_eq!(after(&mut policy, Driver::Loop, 15, 10_000), Driver::Loop);
        assert_eq!(after(&mut policy, Driver::Worker, 15, 10_000), Driver::Worker);
    }

    #[test]
    fn a_short_burst_changes_nothing() {
        let mut policy = Policy::new(true);
        assert_eq!(after(&mut policy, Driver::Loop, 1, 1_000), Driver::Loop);
        assert_eq!(after(&mut policy, Driver::Loop, 200, 3), Driver::Loop);
        assert_eq!(after(&mut policy, Driver::Loop, 1, 1_000), Driver::Loop);
    }

    #[test]
    fn a_program_that_has_chosen_is_obeyed() {
        let mut policy = Policy::new(true);
        policy.set_io(Io::Loop);
        assert_eq!(after(&mut policy, Driver::Loop, 500, 1_000), Driver::Loop);
        policy.set_io(Io::Threads);
        assert_eq!(after(&mut policy, Driver::Worker, 1, 1_000), Driver::Worker);
    }

    #[test]
    fn a_machine_with_one_core_has_nothing_to_gain() {
        let mut policy = Policy::new(false);
        assert_eq!(after(&mut policy, Driver::Loop, 500, 1_000), Driver::Loop);
    }
}
