//! A peer decides how much memory it takes only within the limits.

use proptest::prelude::*;
use websocket::protocol::header::{MAX_CONTROL_PAYLOAD, MAX_HEADER_LEN};
use websocket::protocol::receiver::Receiver;

use super::{generate, pieces, receive};

proptest! {
    #[test]
    fn what_is_kept_is_bounded_by_the_limits_and_by_what_has_arrived(
        config in generate::config(),
        bytes in prop_oneof![generate::frame_soup(), generate::any_stream()],
        sizes in generate::sizes(),
    ) {
        let compressed = config.inflation.is_some();
        let limit = match (config.assemble, compressed) {
            (true, _) => config.max_message_size,
            (false, false) => config.max_frame_size,
            (false, true) => config.max_message_size.max(config.max_frame_size),
        };
        let bound = limit.saturating_add((MAX_CONTROL_PAYLOAD + MAX_HEADER_LEN) as u64);
        let mut receiver = Receiver::new(config);
        let mut arrived = 0;
        for piece in pieces(&bytes, &sizes) {
            arrived += piece.len();
            let _ = receive(&mut receiver, piece);
            prop_assert!(receiver.buffered() as u64 <= bound, "{} of {}", receiver.buffered(), bound);
            prop_assert!(compressed || receiver.buffered() <= arrived);
        }
        if receiver.is_over() {
            prop_assert_eq!(receiver.buffered(), 0);
        }
    }

    #[test]
    fn nothing_is_kept_between_messages((bytes, _) in generate::valid_stream(), sizes in generate::sizes()) {
        let mut receiver = Receiver::new(generate::UNLIMITED);
        for piece in pieces(&bytes, &sizes) {
            let _ = receive(&mut receiver, piece);
        }
        prop_assert_eq!(receiver.buffered(), 0);
    }
}
