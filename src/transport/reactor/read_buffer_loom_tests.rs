//! The two ends of the ring on two threads, in every order that loom finds.

#![expect(
    clippy::arc_with_non_send_sync,
    reason = "loom finds out whether the cells are used by two threads at a time"
)]

use loom::cell::UnsafeCell;
use loom::thread;

use super::*;

/// Reads that the ring has room for.
const READS: usize = 2;

/// Stands for the memory of each read, since loom does not see what happens to bytes of the ring itself.
type Cells = Arc<[UnsafeCell<u64>; READS]>;

#[expect(unsafe_code, reason = "cells that loom watches")]
fn write(cells: &Cells, offset: u64, value: u64) {
    cells[offset as usize / READ_LEN].with_mut(|cell| {
        // SAFETY: loom fails when somebody else uses the cell.
        unsafe { *cell = value };
    });
}

#[expect(unsafe_code, reason = "cells that loom watches")]
fn read(cells: &Cells, offset: u64) -> u64 {
    cells[offset as usize / READ_LEN].with(|cell| {
        // SAFETY: loom fails when somebody writes to the cell.
        unsafe { *cell }
    })
}

#[test]
fn the_writer_never_touches_what_the_reader_has_not_released() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model.check(|| {
        const LEN: u64 = (READS * READ_LEN) as u64;
        let (mut writer, mut reader) = test_ring(READS * READ_LEN);
        let cells: Cells = Arc::new([UnsafeCell::new(0), UnsafeCell::new(0)]);
        let written = Arc::clone(&cells);
        // Spans go from one thread to the other through the queue, which has a lock.
        let (sender, receiver) = loom::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut value = 0;
            while value < 3 {
                // What is not committed is handed out again.
                let Some(Reserved { position, .. }) = writer.reserve() else {
                    thread::yield_now();
                    continue;
                };
                value += 1;
                write(&written, position % LEN, value);
                let end = writer.commit(position, READ_LEN);
                sender.send((position, end, value)).expect("the reader waits");
            }
        });
        for expected in 1..=3 {
            let (position, end, value) = receiver.recv().expect("the writer writes three times");
            assert_eq!(value, expected);
            let span = Span { position, len: READ_LEN as u32 };
            let _ = reader.get(span);
            assert_eq!(read(&cells, reader.offset(span) as u64), expected);
            reader.release(end);
        }
        thread.join().expect("no panic");
    });
}
