//! Negotiation of permessage-deflate (RFC 7692 section 7.1).
//!
//! | parameter                    | in an offer                       | in an answer                                    |
//! |------------------------------|-----------------------------------|-------------------------------------------------|
//! | `server_no_context_takeover` | the server must agree             | whether asked for or not                        |
//! | `client_no_context_takeover` | a hint                            | whether offered or not                          |
//! | `server_max_window_bits`     | the server must not exceed it     | at most what was asked for, or on its own accord |
//! | `client_max_window_bits`     | it is understood, a value: a hint | only if offered, at most the value              |

use std::fmt;

use super::extensions::{self, Extension, Param};

/// The name of the extension.
pub const NAME: &str = "permessage-deflate";

/// The largest window, and the one that goes without saying: 32 KiB.
pub const MAX_WINDOW_BITS: u8 = 15;

/// What a side wants. For the peer's direction it can only ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    /// The server is not to refer to earlier messages.
    pub server_no_context_takeover: bool,
    /// The client is not to refer to earlier messages.
    pub client_no_context_takeover: bool,
    /// The logarithm of the server's largest window, from 8 to 15.
    pub server_max_window_bits: u8,
    /// The logarithm of the client's largest window, from 8 to 15.
    pub client_max_window_bits: u8,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: MAX_WINDOW_BITS,
            client_max_window_bits: MAX_WINDOW_BITS,
        }
    }
}

/// The parameters of an offer or an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `server_no_context_takeover`
    pub server_no_context_takeover: bool,
    /// `client_no_context_takeover`
    pub client_no_context_takeover: bool,
    /// `server_max_window_bits`
    pub server_max_window_bits: Option<u8>,
    /// `client_max_window_bits`, which need not have a value in an offer.
    pub client_max_window_bits: Option<Option<u8>>,
}

/// Why parameters mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterError {
    /// There is no such parameter.
    Unknown(String),
    /// It occurs twice.
    Duplicate(String),
    /// Its value is not one it can have, or it has none and needs one.
    Value(String),
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown parameter {name}"),
            Self::Duplicate(name) => write!(f, "parameter {name} occurs twice"),
            Self::Value(name) => write!(f, "parameter {name} has a wrong value"),
        }
    }
}

impl Parameters {
    /// Reads the parameters of one extension.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn parse(params: &[Param<'_>]) -> Result<Self, ParameterError> {
        let mut parsed = Self::default();
        for param in params {
            let name = || param.name.to_owned();
            let bits = window_bits(param);
            let seen = match param.name.to_ascii_lowercase().as_str() {
                "server_no_context_takeover" => {
                    flag(param)?;
                    std::mem::replace(&mut parsed.server_no_context_takeover, true)
                }
                "client_no_context_takeover" => {
                    flag(param)?;
                    std::mem::replace(&mut parsed.client_no_context_takeover, true)
                }
                "server_max_window_bits" => {
                    let bits = bits?.ok_or_else(|| ParameterError::Value(name()))?;
                    parsed.server_max_window_bits.replace(bits).is_some()
                }
                "client_max_window_bits" => parsed.client_max_window_bits.replace(bits?).is_some(),
                _ => return Err(ParameterError::Unknown(name())),
            };
            if seen {
                return Err(ParameterError::Duplicate(name()));
            }
        }
        Ok(parsed)
    }

    /// Reads a header with this extension alone: our own offer, or an answer that was checked.
    #[must_use]
    pub fn from_header(header: &str) -> Option<Self> {
        let [extension] = &extensions::parse(header)[..] else { return None };
        Self::parse(&extension.params).ok().filter(|_| is_deflate(extension))
    }

    /// The window of the server's messages.
    #[must_use]
    pub fn server_window_bits(&self) -> u8 {
        self.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS)
    }

    /// The window of the client's messages.
    #[must_use]
    pub fn client_window_bits(&self) -> u8 {
        self.client_max_window_bits.flatten().unwrap_or(MAX_WINDOW_BITS)
    }

    /// Names and values, in the order in which they are written.
    pub fn list(&self) -> impl Iterator<Item = (&'static str, Option<u8>)> {
        [
            self.server_no_context_takeover.then_some(("server_no_context_takeover", None)),
            self.client_no_context_takeover.then_some(("client_no_context_takeover", None)),
            self.server_max_window_bits.map(|bits| ("server_max_window_bits", Some(bits))),
            self.client_max_window_bits.map(|bits| ("client_max_window_bits", bits)),
        ]
        .into_iter()
        .flatten()
    }
}

/// The extension with its parameters, as in the header.
impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (name, value) in self.list() {
            write!(f, "; {name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

fn flag(param: &Param<'_>) -> Result<(), ParameterError> {
    if param.value.is_some() { Err(ParameterError::Value(param.name.to_owned())) } else { Ok(()) }
}

/// 8 to 15 without leading zeros (section 7.1.2), quoted or not.
fn window_bits(param: &Param<'_>) -> Result<Option<u8>, ParameterError> {
    let Some(text) = param.unquoted() else { return Ok(None) };
    match text.as_bytes() {
        [digit @ b'8'..=b'9'] => Ok(Some(digit - b'0')),
        [b'1', digit @ b'0'..=b'5'] => Ok(Some(10 + digit - b'0')),
        _ => Err(ParameterError::Value(param.name.to_owned())),
    }
}

fn is_deflate(extension: &Extension<'_>) -> bool {
    extension.name.eq_ignore_ascii_case(NAME)
}

/// What a client offers: all it understands, and what it asks for.
#[must_use]
pub fn offer(wanted: &Preferences) -> Parameters {
    let smaller = |bits: u8| (bits < MAX_WINDOW_BITS).then_some(bits);
    Parameters {
        server_no_context_takeover: wanted.server_no_context_takeover,
        client_no_context_takeover: wanted.client_no_context_takeover,
        server_max_window_bits: smaller(wanted.server_max_window_bits),
        client_max_window_bits: Some(smaller(wanted.client_max_window_bits)),
    }
}

/// What a server answers to the list of offers in `header`: the first that can be accepted is. `None` declines them all,
/// and the connection goes on without compression.
#[must_use]
pub fn accept(header: &str, wanted: &Preferences) -> Option<Parameters> {
    let offers = extensions::parse(header);
    let mut offer = offers.iter().filter(|extension| is_deflate(extension));
    // What is not understood is declined (section 7.1): another offer may be simpler.
    let offer = offer.find_map(|extension| Parameters::parse(&extension.params).ok())?;
    let smaller = |bits: u8, said: bool| (said || bits < MAX_WINDOW_BITS).then_some(bits);
    let server_bits = wanted.server_max_window_bits.min(offer.server_window_bits());
    let client_bits = wanted.client_max_window_bits.min(offer.client_window_bits());
    Some(Parameters {
        server_no_context_takeover: wanted.server_no_context_takeover || offer.server_no_context_takeover,
        client_no_context_takeover: wanted.client_no_context_takeover || offer.client_no_context_takeover,
        server_max_window_bits: smaller(server_bits, offer.server_max_window_bits.is_some()),
        // A client that does not offer it does not understand it (section 7.1.2.2).
        client_max_window_bits: offer
            .client_max_window_bits
            .and_then(|value| smaller(client_bits, value.is_some()).map(Some)),
    })
}

/// Why an answer does not fit the offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// An extension that was not offered.
    UnexpectedExtension(String),
    /// The extension occurs twice.
    Twice,
    /// A parameter that means nothing.
    Parameter(ParameterError),
    /// The server did not agree to what was asked for.
    NotAgreed(&'static str),
    /// A window larger than what was offered, or without a size.
    WindowBits(&'static str),
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnexpectedExtension(name) => write!(f, "extension {name} was not requested"),
            Self::Twice => f.write_str("the extension occurs twice"),
            Self::Parameter(error) => error.fmt(f),
            Self::NotAgreed(name) => write!(f, "parameter {name} was requested and is missing"),
            Self::WindowBits(name) => write!(f, "parameter {name} is not within what was offered"),
        }
    }
}

/// Checks a server's answer to `offer`; `None` when it has declined.
///
/// # Errors
/// The first thing that is wrong with it: the handshake has failed (section 7.1).
pub fn check_answer(header: &str, offer: &Parameters) -> Result<Option<Parameters>, AnswerError> {
    let answer = extensions::parse(header);
    if let Some(other) = answer.iter().find(|extension| !is_deflate(extension)) {
        return Err(AnswerError::UnexpectedExtension(other.name.to_owned()));
    }
    let answer = match &answer[..] {
        [] => return Ok(None),
        [one] => Parameters::parse(&one.params).map_err(AnswerError::Parameter)?,
        _ => return Err(AnswerError::Twice),
    };
    if offer.server_no_context_takeover && !answer.server_no_context_takeover {
        return Err(AnswerError::NotAgreed("server_no_context_takeover"));
    }
    match (offer.server_max_window_bits, answer.server_max_window_bits) {
        (Some(_), None) => return Err(AnswerError::NotAgreed("server_max_window_bits")),
        (Some(most), Some(bits)) if bits > most => {
            return Err(AnswerError::WindowBits("server_max_window_bits"));
        }
        _ => {}
    }
    match (offer.client_max_window_bits, answer.client_max_window_bits) {
        (_, None) => {}
        (Some(most), Some(Some(bits))) if bits <= most.unwrap_or(MAX_WINDOW_BITS) => {}
        _ => return Err(AnswerError::WindowBits("client_max_window_bits")),
    }
    Ok(Some(answer))
}

#[cfg(test)]
#[path = "deflate_tests.rs"]
mod tests;
