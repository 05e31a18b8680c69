//! What a receiver keeps and for how long, and the limits on that (RFC 6455 section 10.4).

use super::tests::{
    BINARY, CLOSE, CONT, FIN, KEY, PING, TEXT, binary, config, events_of, failed, frame, frame_mode, header,
    masked, ping, plain, receive, state,
};
use super::*;

#[test]
fn endless_empty_fragments_hold_no_memory() {
    let mut receiver = Receiver::new(config());
    assert_eq!(receive(&mut receiver, &masked(BINARY, b"")), []);
    for _ in 0..1_000 {
        assert_eq!(receive(&mut receiver, &masked(CONT, b"").repeat(10)), []);
    }
    assert_eq!((receiver.buffered(), receiver.buffer.capacity()), (0, 0));
}

#[test]
fn memory_grows_with_what_has_arrived_not_with_what_was_announced() {
    let limits = Config { max_frame_size: 1 << 30, max_message_size: 1 << 30, ..config() };
    for config in [limits, Config { assemble: false, ..limits }] {
        for first in [FIN | BINARY, BINARY] {
            let mut receiver = Receiver::new(config);
            assert_eq!(receive(&mut receiver, &header(first, 1 << 30, Some(KEY))), []);
            assert_eq!((receiver.buffered(), receiver.buffer.capacity()), (0, 0));
            assert_eq!(receive(&mut receiver, &[0; 10]), []);
            assert_eq!(receiver.buffered(), 10);
            for _ in 0..1_000 {
                assert_eq!(receive(&mut receiver, &[0; 100]), []);
                assert!(receiver.buffer.capacity() <= 2 * receiver.buffered());
            }
        }
    }
}

#[test]
fn a_short_last_fragment_does_not_double_the_memory_of_a_long_message() {
    let mut receiver = Receiver::new(config());
    assert_eq!(receive(&mut receiver, &plain(BINARY, &[7; 1_000])), []);
    let last = plain(FIN | CONT, &[7; 10]);
    assert_eq!(receive(&mut receiver, &last[..11]), []);
    assert_eq!((receiver.buffered(), receiver.buffer.capacity()), (1_009, 1_010));
    assert_eq!(receive(&mut receiver, &last[11..]), [binary(&[7; 1_010])]);
}

#[test]
fn buffered_counts_headers_control_frames_and_messages_in_progress() {
    let mut receiver = Receiver::new(config());
    let mut expect = |bytes: &[u8], buffered: usize| {
        let _ = receive(&mut receiver, bytes);
        assert_eq!(receiver.buffered(), buffered);
    };
    expect(&[TEXT], 1);
    expect(&[0x83, 0], 3);
    expect(&[0, 0, 0], 0);
    expect(b"abc", 3);
    expect(&header(PING, 4, None), 3);
    expect(b"pin", 6);
    expect(b"g", 3);
    expect(&plain(FIN | CONT, b"d"), 0);
}

#[test]
fn nothing_is_kept_when_receiving_is_over() {
    let fragments = [masked(TEXT, &[b'x'; 1_000]), masked(CONT, &[b'x'; 1_000])].concat();
    for end in
        [masked(CLOSE, &[0x03, 0xE8]), vec![FIN | TEXT, 0x81], masked(FIN | CONT, &[0xFF]), vec![0xFF, 0xFF]]
    {
        for pieces in [1, end.len()] {
            let mut receiver = Receiver::new(config());
            assert_eq!(receive(&mut receiver, &fragments), []);
            for piece in end.chunks(end.len().div_ceil(pieces)) {
                let _ = receive(&mut receiver, piece);
            }
            assert!(receiver.is_over(), "{end:x?}");
            assert_eq!(receiver.buffered(), 0, "{end:x?}");
            assert_eq!((receiver.buffer.capacity(), receiver.control.capacity()), (0, 0), "{end:x?}");
        }
    }
}

#[test]
fn a_frame_may_be_as_long_as_the_limit_and_no_longer() {
    for limit in [0, 1, 125, 126, 1_000, 65_535, 65_536] {
        for assemble in [true, false] {
            let config = Config { max_frame_size: limit, assemble, ..config() };
            let longest = plain(FIN | BINARY, &vec![7; limit as usize]);
            let events = receive(&mut Receiver::new(config), &longest);
            assert!(
                matches!(events[..], [Event::Message { .. } | Event::Frame { .. }]),
                "{limit}: {events:?}"
            );
            // one more is refused as soon as the header is there, before any payload
            for mask in [None, Some(KEY)] {
                let head = header(FIN | BINARY, limit + 1, mask);
                assert_eq!(events_of(config, &head[..head.len() - 1]), [], "{limit}");
                assert_eq!(events_of(config, &head), failed(PeerError::FrameTooLarge(limit + 1)), "{limit}");
            }
        }
    }
    let longest = header(FIN | BINARY, u64::MAX >> 1, None);
    assert_eq!(events_of(config(), &longest), failed(PeerError::FrameTooLarge(u64::MAX >> 1)));
}

#[test]
fn a_message_may_be_as_long_as_the_limit_and_no_longer() {
    let config = Config { max_message_size: 100, ..config() };
    let too_large = || failed(PeerError::MessageTooLarge);
    // in one frame
    assert_eq!(events_of(config, &plain(FIN | BINARY, &[7; 100])), [binary(&[7; 100])]);
    assert_eq!(events_of(config, &header(FIN | BINARY, 101, None)), too_large());
    // over several; control frames do not count
    let fragments = [plain(BINARY, &[7; 40]), plain(CONT, &[7; 59]), plain(PING, &[b'x'; 50])].concat();
    let expect = |last: Vec<u8>, events: Vec<Event<'static>>| {
        let events: Vec<_> = [ping(&"x".repeat(50))].into_iter().chain(events).collect();
        assert_eq!(events_of(config, &[&fragments[..], &last[..]].concat()), events);
    };
    expect(plain(FIN | CONT, &[7; 1]), vec![binary(&[7; 100])]);
    expect(header(FIN | CONT, 2, Some(KEY)), too_large());
    expect(header(CONT, 2, None), too_large());
    // the limit is that of each message
    let two = plain(FIN | BINARY, &[7; 100]).repeat(2);
    assert_eq!(events_of(config, &two), [binary(&[7; 100]), binary(&[7; 100])]);
    // where no message is put together there is none to be limited
    let frames = Config { max_message_size: 0, ..frame_mode() };
    assert_eq!(events_of(frames, &masked(FIN | BINARY, &[7; 9])), [frame(true, OpCode::Binary, &[7; 9])]);
}

#[test]
fn changed_limits_hold_from_the_next_header_on() {
    let mut receiver = Receiver::new(config());
    let first = plain(BINARY, &[7; 10]);
    assert_eq!(receive(&mut receiver, &first[..5]), []);
    receiver.configure(5, 12, true);
    assert_eq!(receive(&mut receiver, &first[5..]), [], "its header came under the old limits");
    assert_eq!(receive(&mut receiver, &plain(CONT, &[7; 2])), []);
    assert_eq!(receive(&mut receiver, &plain(FIN | CONT, &[7; 1])), failed(PeerError::MessageTooLarge));

    let mut receiver = Receiver::new(config());
    receiver.configure(5, 12, true);
    assert_eq!(receive(&mut receiver, &plain(FIN | BINARY, &[7; 5])), [binary(&[7; 5])]);
    assert_eq!(receive(&mut receiver, &plain(FIN | BINARY, &[7; 6])), failed(PeerError::FrameTooLarge(6)));
}

#[test]
fn limits_on_numbers_and_rates_fail_the_connection_with_their_code() {
    let limits = Limits { max_fragments: 2, ..Limits::default() };
    let mut receiver = Receiver::new(config());
    receiver.limit(limits);
    let fragments = [masked(TEXT, b"a"), masked(CONT, b"b"), masked(CONT, b"c")].concat();
    assert_eq!(receive(&mut receiver, &fragments), [Event::Failed(PeerError::TooManyFragments(2))]);
    assert!(receiver.is_over());

    let mut receiver = Receiver::new(config());
    receiver.limit(Limits { max_messages_per_second: 1, ..Limits::default() });
    receiver.arrived(100, Instant::now);
    let messages = [masked(FIN | TEXT, b"one"), masked(FIN | TEXT, b"two")].concat();
    let events = receive(&mut receiver, &messages);
    assert_eq!(events.len(), 2);
    assert_eq!(events[1], Event::Failed(PeerError::TooManyMessages(1)));

    let mut receiver = Receiver::new(config());
    receiver.limit(Limits { max_bytes_per_second: 50, ..Limits::default() });
    receiver.arrived(51, Instant::now);
    assert_eq!(state(&receiver), "Exceeded");
    let events = receive(&mut receiver, &masked(FIN | TEXT, b"too much"));
    assert_eq!(events, [Event::Failed(PeerError::TooManyBytes(50))]);
    receiver.arrived(1000, Instant::now);
    assert_eq!(receive(&mut receiver, b"x"), [], "it is over, and stays over");
}

#[test]
fn without_limits_nobody_asks_for_the_time() {
    let mut receiver = Receiver::new(config());
    receiver.arrived(usize::MAX, || unreachable!("there is no rate to be measured"));
    assert_eq!(receive(&mut receiver, &masked(FIN | TEXT, b"fine")).len(), 1);
}
