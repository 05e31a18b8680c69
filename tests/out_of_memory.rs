//! A message within the limits for which there is no memory fails its connection, not the process.
//!
//! The test runs itself again in a process of its own whose address space a shell has limited.

#![cfg(target_os = "linux")]

use std::process::Command;

use websocket::protocol::config::Role;
use websocket::protocol::receiver::Receiver;
use websocket::protocol::{Config, Event, PeerError};

const LIMITED: &str = "WEBSOCKET_TEST_MEMORY_IS_LIMITED";

#[test]
fn a_refused_allocation_is_a_failure_of_the_connection() {
    if std::env::var_os(LIMITED).is_some() {
        return fill_memory();
    }
    let name = "a_refused_allocation_is_a_failure_of_the_connection";
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 400000 && exec \"$0\" --exact \"$1\" --test-threads=1"])
        .arg(std::env::current_exe().expect("the path of this test"))
        .arg(name)
        .env(LIMITED, "1")
        .output()
        .expect("a shell");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && stdout.contains("1 passed"), "{output:?}");
}

/// Announces 1 GiB and sends it in pieces of 64 KiB until there is no memory left for it.
fn fill_memory() {
    let limit = 1 << 30;
    let config = Config { max_frame_size: limit, max_message_size: limit, ..Config::new(Role::Client) };
    let mut receiver = Receiver::new(config);
    let mut header = [0x82, 0x7F, 0, 0, 0, 0, 0x40, 0, 0, 0];
    assert_eq!(receiver.receive(&mut &mut header[..]), None);
    let mut piece = vec![0; 1 << 16];
    for _ in 0..limit >> 16 {
        match receiver.receive(&mut &mut piece[..]) {
            None => {}
            Some(event) => {
                assert_eq!(event, Event::Failed(PeerError::OutOfMemory));
                assert_eq!((receiver.is_over(), receiver.buffered()), (true, 0));
                return;
            }
        }
    }
    panic!("there was memory for all of it");
}
