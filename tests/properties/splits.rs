//! How a stream is cut into pieces changes nothing of what it means.

use proptest::prelude::*;
use websocket::protocol::{Config, Inflation};

use super::{events_of, generate};

proptest! {
    #[test]
    fn a_correct_stream_means_what_it_was_made_of_however_it_is_split(
        (bytes, expected) in generate::valid_stream(),
        sizes in generate::sizes(),
    ) {
        let config = generate::UNLIMITED;
        prop_assert_eq!(&events_of(config, &bytes, &[usize::MAX]), &expected);
        prop_assert_eq!(&events_of(config, &bytes, &[1]), &expected);
        prop_assert_eq!(&events_of(config, &bytes, &sizes), &expected);
    }

    #[test]
    fn a_compressed_stream_means_what_it_was_made_of_however_it_is_split(
        (bytes, expected) in generate::compressed_stream(),
        sizes in generate::sizes(),
    ) {
        let config = Config { inflation: Some(Inflation::ContextTakeover), ..generate::UNLIMITED };
        prop_assert_eq!(&events_of(config, &bytes, &[usize::MAX]), &expected);
        prop_assert_eq!(&events_of(config, &bytes, &[1]), &expected);
        prop_assert_eq!(&events_of(config, &bytes, &sizes), &expected);
    }

    #[test]
    fn any_split_of_any_stream_gives_the_same_events(
        config in generate::config(),
        bytes in generate::any_stream(),
        sizes in generate::sizes(),
    ) {
        let whole = events_of(config, &bytes, &[usize::MAX]);
        prop_assert_eq!(&events_of(config, &bytes, &[1]), &whole);
        prop_assert_eq!(&events_of(config, &bytes, &sizes), &whole);
    }
}
