//! Offers and answers (RFC 7692 section 7.1), from the examples of the RFC to what nobody should send.

use proptest::prelude::*;

use super::*;

const ANY: Preferences = Preferences {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: 15,
    client_max_window_bits: 15,
};

fn answer(header: &str, wanted: Preferences) -> Option<String> {
    accept(header, &wanted).map(|answer| answer.to_string())
}

#[test]
fn a_server_answers_each_parameter_as_it_was_offered() {
    for (offer, expected) in [
        ("permessage-deflate", "permessage-deflate"),
        ("Permessage-Deflate", "permessage-deflate"),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate"),
        ("permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover"),
        ("permessage-deflate;client_no_context_takeover", "permessage-deflate; client_no_context_takeover"),
        ("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=8", "permessage-deflate; server_max_window_bits=8"),
        ("permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"),
        (
            "permessage-deflate; server_max_window_bits = \"12\"",
            "permessage-deflate; server_max_window_bits=12",
        ),
        ("permessage-deflate; client_max_window_bits=9", "permessage-deflate; client_max_window_bits=9"),
        (
            "permessage-deflate; client_max_window_bits=\"1\\1\"; client_no_context_takeover; \
             server_max_window_bits=9; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=9; client_max_window_bits=11",
        ),
    ] {
        assert_eq!(answer(offer, ANY).as_deref(), Some(expected), "{offer}");
    }
}

#[test]
fn a_server_takes_the_first_offer_it_understands() {
    for (offers, expected) in [
        (
            "permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate",
            "permessage-deflate; server_max_window_bits=10",
        ),
        ("x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"),
        (
            "permessage-deflate; mystery, permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover",
        ),
        ("permessage-deflate; server_max_window_bits=16, permessage-deflate", "permessage-deflate"),
    ] {
        assert_eq!(answer(offers, ANY).as_deref(), Some(expected), "{offers}");
    }
}

#[test]
fn a_server_declines_offers_that_mean_nothing() {
    for offer in [
        "",
        "permessage-bzip2",
        "permessage-deflate;",
        "permessage-deflate;; client_max_window_bits",
        "; client_max_window_bits",
        "permessage-deflate; mystery",
        "permessage-deflate; mystery=1",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover=\"\"",
        "permessage-deflate; client_no_context_takeover=true",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits; client_max_window_bits",
        "permessage-deflate; client_max_window_bits; client_max_window_bits=12",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=+9",
        "permessage-deflate; server_max_window_bits=9.0",
        "permessage-deflate; server_max_window_bits=110",
        "permessage-deflate; client_max_window_bits=7",
        "permessage-deflate; client_max_window_bits=\"16\"",
        "permessage-deflate; client_max_window_bits=x",
    ] {
        assert_eq!(answer(offer, ANY), None, "{offer}");
    }
}

#[test]
fn a_server_asks_for_what_it_wants() {
    let frugal = Preferences {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 10,
        client_max_window_bits: 11,
    };
    for (offer, expected) in [
        // A client that does not name client_max_window_bits does not know it.
        (
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
        ),
        (
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10; client_max_window_bits=11",
        ),
        (
            "permessage-deflate; client_max_window_bits=9; server_max_window_bits=8",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=8; client_max_window_bits=9",
        ),
    ] {
        assert_eq!(answer(offer, frugal).as_deref(), Some(expected), "{offer}");
    }
}

#[test]
fn a_client_offers_what_it_understands_and_asks_for_what_it_wants() {
    assert_eq!(offer(&ANY).to_string(), "permessage-deflate; client_max_window_bits");
    let frugal = Preferences {
        server_no_context_takeover: true,
        client_no_context_takeover: true,
        server_max_window_bits: 10,
        client_max_window_bits: 11,
    };
    assert_eq!(
        offer(&frugal).to_string(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=10; client_max_window_bits=11"
    );
}

#[test]
fn a_client_takes_an_answer_within_its_offer() {
    let offer = offer(&ANY);
    for (header, windows) in [
        ("permessage-deflate", (15, 15)),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", (15, 15)),
        ("permessage-deflate; server_max_window_bits=9", (9, 15)),
        ("permessage-deflate; client_max_window_bits=\"8\"", (15, 8)),
    ] {
        let answer = check_answer(header, &offer).expect("a good answer").expect("an agreement");
        assert_eq!((answer.server_window_bits(), answer.client_window_bits()), windows, "{header}");
    }
    assert_eq!(check_answer("", &offer), Ok(None));
    assert_eq!(check_answer(" , ", &offer), Ok(None));
}

#[test]
fn a_client_refuses_any_other_answer() {
    let asking = Preferences {
        server_no_context_takeover: true,
        server_max_window_bits: 11,
        client_max_window_bits: 12,
        ..ANY
    };
    let name = |text: &str| text.to_owned();
    for (header, error) in [
        ("permessage-bzip2", AnswerError::UnexpectedExtension(name("permessage-bzip2"))),
        ("permessage-deflate, mux", AnswerError::UnexpectedExtension(name("mux"))),
        ("permessage-deflate, permessage-deflate", AnswerError::Twice),
        ("permessage-deflate; mystery", AnswerError::Parameter(ParameterError::Unknown(name("mystery")))),
        (
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            AnswerError::Parameter(ParameterError::Duplicate(name("client_no_context_takeover"))),
        ),
        (
            "permessage-deflate; server_max_window_bits=16",
            AnswerError::Parameter(ParameterError::Value(name("server_max_window_bits"))),
        ),
        ("permessage-deflate", AnswerError::NotAgreed("server_no_context_takeover")),
        ("permessage-deflate; server_no_context_takeover", AnswerError::NotAgreed("server_max_window_bits")),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=12",
            AnswerError::WindowBits("server_max_window_bits"),
        ),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11; client_max_window_bits=13",
            AnswerError::WindowBits("client_max_window_bits"),
        ),
        (
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=11; client_max_window_bits",
            AnswerError::WindowBits("client_max_window_bits"),
        ),
    ] {
        assert_eq!(check_answer(header, &offer(&asking)), Err(error), "{header}");
    }
    let never_offered = Parameters { client_max_window_bits: None, ..offer(&ANY) };
    assert_eq!(
        check_answer("permessage-deflate; client_max_window_bits=10", &never_offered),
        Err(AnswerError::WindowBits("client_max_window_bits"))
    );
}

#[test]
fn errors_name_what_is_wrong_with_an_answer() {
    let name = "server_max_window_bits";
    let texts = [
        AnswerError::UnexpectedExtension(name.to_owned()),
        AnswerError::Parameter(ParameterError::Value(name.to_owned())),
        AnswerError::Parameter(ParameterError::Unknown(name.to_owned())),
        AnswerError::Parameter(ParameterError::Duplicate(name.to_owned())),
        AnswerError::NotAgreed(name),
        AnswerError::WindowBits(name),
    ]
    .map(|error| error.to_string());
    for (at, text) in texts.iter().enumerate() {
        assert!(text.contains(name) && !texts[..at].contains(text), "{text}");
    }
}

fn preferences() -> impl Strategy<Value = Preferences> {
    (any::<bool>(), any::<bool>(), 8..=15_u8, 8..=15_u8).prop_map(
        |(server, client, server_bits, client_bits)| Preferences {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits: server_bits,
            client_max_window_bits: client_bits,
        },
    )
}

proptest! {
    #[test]
    fn any_two_of_us_agree(client in preferences(), server in preferences()) {
        let offered = offer(&client);
        let answer = accept(&offered.to_string(), &server).expect("an offer that can be accepted");
        prop_assert_eq!(check_answer(&answer.to_string(), &offered), Ok(Some(answer)));
        prop_assert_eq!(Parameters::from_header(&answer.to_string()), Some(answer));
        prop_assert!(answer.server_window_bits() <= client.server_max_window_bits.min(server.server_max_window_bits));
        prop_assert!(answer.client_window_bits() <= client.client_max_window_bits.min(server.client_max_window_bits));
    }

    #[test]
    fn no_header_makes_it_panic(
        header in "\\PC{0,60}|(permessage-deflate|[a-z_;,=\" \\\\0-9]{0,30}){0,4}",
        wanted in preferences(),
    ) {
        if let Some(answer) = accept(&header, &wanted) {
            prop_assert!(answer.server_window_bits() <= wanted.server_max_window_bits);
        }
        let _ = check_answer(&header, &offer(&wanted));
    }
}
