//! Random programs of what JavaScript can do, while loop and worker take turns in driving.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::super::test_support::JavaScript;
use crate::protocol::Event;
use crate::protocol::receiver::Receiver;
use crate::transport::reactor::event::ConnectionId;
use crate::transport::reactor::test_support::{Patience, Seen, message, unix_pair};

/// A connection, its peer, and what must arrive on either side.
struct Connection {
    id: ConnectionId,
    ours: UnixStream,
    peer: UnixStream,
    /// What the peer has sent.
    messages: Vec<Vec<u8>>,
    /// What its socket has not taken of that.
    unwritten: Vec<u8>,
    sent: Vec<u8>,
    got: Vec<u8>,
    asked: u32,
    owner: Owner,
}

/// Who reads and writes the socket.
enum Owner {
    Addon,
    /// We write; what the addon has read is on its way.
    Stopping(Vec<u8>),
    /// We, with what waits to be written and the messages that we have read.
    Us(Vec<u8>, Box<Receiver>, Vec<Vec<u8>>),
}

/// Writes as much as a socket takes.
fn write(mut socket: &UnixStream, bytes: &mut Vec<u8>) {
    while !bytes.is_empty() {
        match socket.write(bytes) {
            Ok(count) => drop(bytes.drain(..count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Reads what there is, up to a length.
fn read(mut socket: &UnixStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let count = match socket.read(&mut bytes) {
        Ok(count) => count,
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        Err(error) => panic!("{error}"),
    };
    bytes.truncate(count);
    bytes
}

impl Connection {
    fn new(js: &mut JavaScript) -> Self {
        let (ours, peer) = unix_pair();
        peer.set_nonblocking(true).unwrap();
        Self {
            id: js.add(&ours),
            ours,
            peer,
            messages: Vec::new(),
            unwritten: Vec::new(),
            sent: Vec::new(),
            got: Vec::new(),
            asked: 0,
            owner: Owner::Addon,
        }
    }

    /// The peer goes on.
    fn exchange(&mut self, len: usize) {
        write(&self.peer, &mut self.unwritten);
        self.got.extend(read(&self.peer, len));
    }

    /// What is sent: by the addon, unless somebody else writes.
    fn sends(&mut self, bytes: &[u8]) -> bool {
        self.sent.extend_from_slice(bytes);
        match &mut self.owner {
            Owner::Addon => return true,
            Owner::Stopping(waiting) | Owner::Us(waiting, ..) => waiting.extend_from_slice(bytes),
        }
        false
    }

    /// We go on with what has become ours.
    fn go_on(&mut self, js: &mut JavaScript) {
        match &mut self.owner {
            Owner::Addon => {}
            Owner::Stopping(waiting) => {
                write(&self.ours, waiting);
                if js.seen_of(self.id).any(|seen| *seen == Seen::Stopped) {
                    let released =
                        js.with_reactor(|reactor, _| reactor.release(self.id)).expect("it is there");
                    assert!(released.unread.is_empty());
                    let waiting = std::mem::take(waiting);
                    self.owner = Owner::Us(waiting, Box::new(released.receiver), Vec::new());
                }
            }
            Owner::Us(waiting, receiver, messages) => {
                write(&self.ours, waiting);
                let mut bytes = read(&self.ours, 1 << 20);
                let mut bytes = &mut bytes[..];
                while let Some(event) = receiver.receive(&mut bytes) {
                    let Event::Message { payload, .. } = event else { panic!("{event:?}") };
                    messages.push(payload.into_owned());
                }
            }
        }
    }

    /// The messages that have arrived, whoever has read them.
    fn arrived(&self, js: &JavaScript) -> Vec<Vec<u8>> {
        let mut arrived: Vec<_> = js.messages_of(self.id).into_iter().map(<[u8]>::to_vec).collect();
        if let Owner::Us(_, _, messages) = &self.owner {
            arrived.extend_from_slice(messages);
        }
        arrived
    }

    fn is_complete(&self, js: &JavaScript) -> bool {
        let told = js.drained(self.id);
        let all_told = !matches!(self.owner, Owner::Addon) || told == self.asked;
        self.got.len() >= self.sent.len() && self.arrived(js).len() >= self.messages.len() && all_told
    }
}

#[derive(Debug, Clone)]
enum Step {
    PeerSends(usize),
    PeerGoesOn(usize),
    Send(usize),
    SendLarge(usize),
    Broadcast(usize),
    Notify,
    Flush,
    Pause(bool),
    Worker(bool),
    Wait,
    Stop,
    /// Other threads get some time.
    Yield,
}

fn step() -> impl Strategy<Value = Step> {
    let len = || prop_oneof![4 => 1..500_usize, 1 => 1..200_000_usize];
    prop_oneof![
        6 => len().prop_map(Step::PeerSends),
        4 => (1..300_000_usize).prop_map(Step::PeerGoesOn),
        5 => len().prop_map(Step::Send),
        2 => len().prop_map(Step::SendLarge),
        2 => len().prop_map(Step::Broadcast),
        3 => Just(Step::Notify),
        4 => Just(Step::Flush),
        2 => any::<bool>().prop_map(Step::Pause),
        2 => any::<bool>().prop_map(Step::Worker),
        5 => Just(Step::Wait),
        1 => Just(Step::Stop),
        2 => Just(Step::Yield),
    ]
}

struct Program {
    js: JavaScript,
    all: Vec<Connection>,
    number: u8,
}

impl Program {
    fn payload(&mut self, len: usize) -> Vec<u8> {
        self.number = self.number.wrapping_add(1);
        vec![self.number; len]
    }

    fn run(&mut self, step: &Step, which: usize) {
        match *step {
            Step::PeerSends(len) => {
                let payload = self.payload(len);
                let connection = &mut self.all[which];
                connection.unwritten.extend(message(&payload));
                connection.messages.push(payload);
                connection.exchange(0);
            }
            Step::PeerGoesOn(len) => self.all[which].exchange(len),
            Step::Send(len) => {
                let bytes = self.payload(len);
                if self.all[which].sends(&bytes) {
                    self.js.send(self.all[which].id, &bytes);
                }
            }
            Step::SendLarge(len) => {
                let bytes = self.payload(len);
                if self.all[which].sends(&bytes) {
                    self.js.shared.send_large(self.all[which].id, bytes.chunks(1000), len);
                }
            }
            Step::Broadcast(len) => {
                let bytes = self.payload(len);
                let recipients = self.all.iter_mut().filter_map(|it| it.sends(&bytes).then_some(it.id));
                let ids = recipients.collect();
                self.js.shared.broadcast(ids, Bytes::from(bytes));
            }
            Step::Notify => {
                let connection = &mut self.all[which];
                if matches!(connection.owner, Owner::Addon) {
                    connection.asked += 1;
                    self.js.shared.notify(connection.id);
                }
            }
            Step::Flush => self.js.flush(),
            Step::Pause(paused) => {
                let id = self.all[which].id;
                self.js.with_reactor(|reactor, _| reactor.pause(id, paused));
            }
            Step::Worker(true) if !self.js.shared.is_worker_driven() => self.js.give_to_worker(),
            Step::Worker(false) if self.js.shared.is_worker_driven() => self.js.take_from_worker(),
            Step::Worker(_) => {}
            Step::Wait => self.js.wait(Duration::ZERO),
            Step::Stop => {
                let connection = &mut self.all[which];
                if matches!(connection.owner, Owner::Addon) {
                    let id = connection.id;
                    let unsent = self.js.with_reactor(|reactor, events| reactor.stop(id, false, events));
                    connection.owner = Owner::Stopping(unsent.expect("it is there").to_vec());
                }
            }
            Step::Yield => std::thread::sleep(Duration::from_micros(200)),
        }
        self.all[which].go_on(&mut self.js);
    }

    /// Everybody goes on until everything has arrived.
    fn finish(&mut self) {
        for connection in &self.all {
            let id = connection.id;
            self.js.with_reactor(|reactor, _| reactor.pause(id, false));
        }
        self.js.flush();
        let patience = Patience::new();
        while !self.all.iter().all(|connection| connection.is_complete(&self.js)) {
            for connection in &mut self.all {
                connection.exchange(1 << 20);
                connection.go_on(&mut self.js);
            }
            self.js.wait(Duration::from_millis(1));
            patience.check();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_time: 60_000, ..ProptestConfig::default() })]

    /// Whatever the program does and whoever drives: every byte and every message arrives once and in order, and every wish
    /// to be told is answered once.
    #[test]
    fn everything_arrives_once_and_in_order(
        portion in 1..20_usize,
        steps in proptest::collection::vec((step(), 0..3_usize), 1..120),
    ) {
        let mut js = JavaScript::new();
        js.portion = portion;
        let all = (0..3).map(|_| Connection::new(&mut js)).collect();
        let mut program = Program { js, all, number: 0 };
        for (step, which) in &steps {
            program.run(step, *which);
        }
        program.finish();
        let Program { js, all, .. } = &program;
        for connection in all {
            prop_assert!(connection.got == connection.sent);
            prop_assert!(connection.arrived(js) == connection.messages);
            prop_assert!(js.drained(connection.id) <= connection.asked);
        }
    }
}
