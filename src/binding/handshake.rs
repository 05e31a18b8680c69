//! The opening handshake, for requests and responses that Node's HTTP parser has read.

use napi::{Error, Result, Status};
use napi_derive::napi;

use crate::handshake::client::{self, ResponseFields};
use crate::handshake::deflate::{self, Parameters, Preferences};
use crate::handshake::server::{self, RequestFields};
use crate::handshake::{cookies, extensions, key, tokens};

/// Why a handshake is refused.
#[napi(object)]
pub struct Refusal {
    /// The HTTP status to answer with.
    pub status: u32,
    /// What is wrong.
    pub reason: String,
    /// Name of a header that has to go with the status.
    pub header_name: Option<String>,
    /// Its value.
    pub header_value: Option<String>,
}

/// Checks the fields of a request; `null` when it is a correct opening handshake.
#[napi(catch_unwind)]
pub fn check_request(
    method: Option<String>,
    host: Option<String>,
    upgrade: Option<String>,
    connection: Option<String>,
    key: Option<String>,
    version: Option<String>,
) -> Option<Refusal> {
    let fields = RequestFields {
        method: method.as_deref(),
        host: host.as_deref(),
        upgrade: upgrade.as_deref(),
        connection: connection.as_deref(),
        key: key.as_deref(),
        version: version.as_deref(),
    };
    let refusal = server::check(&fields).err()?;
    Some(Refusal {
        status: u32::from(refusal.status),
        reason: refusal.reason,
        header_name: refusal.header.map(|(name, _)| name.to_owned()),
        header_value: refusal.header.map(|(_, value)| value.to_owned()),
    })
}

/// Checks the fields of a 101 response; `null` when the connection is open, else what is wrong. `offer` is the value of
/// `Sec-WebSocket-Extensions` in the request, if permessage-deflate was offered.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "one for each header")]
pub fn check_response(
    request_key: String,
    protocols: Vec<String>,
    upgrade: Option<String>,
    connection: Option<String>,
    accept: Option<String>,
    protocol: Option<String>,
    extensions: Option<String>,
    offer: Option<String>,
) -> Option<String> {
    let fields = ResponseFields {
        upgrade: upgrade.as_deref(),
        connection: connection.as_deref(),
        accept: accept.as_deref(),
        protocol: protocol.as_deref(),
        extensions: extensions.as_deref(),
    };
    let protocols: Vec<&str> = protocols.iter().map(String::as_str).collect();
    let offer = offer.as_deref().and_then(Parameters::from_header);
    client::check(&fields, &request_key, &protocols, offer.as_ref()).err().map(|error| error.to_string())
}

/// A new value for `Sec-WebSocket-Key`, from the operating system's random source.
#[napi(catch_unwind)]
pub fn random_key() -> Result<String> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)
        .map_err(|error| Error::new(Status::GenericFailure, format!("no random bytes to be had: {error}")))?;
    Ok(key::encode_key(nonce))
}

/// The head of the response that accepts a handshake; `headers` are names and values in turn.
#[napi(catch_unwind)]
pub fn accept_response(key: String, headers: Vec<String>) -> Result<String> {
    server::accept_response(&key, &pairs(&headers)).map_err(|error| invalid_header(&error))
}

/// The head of any response; `headers` are names and values in turn.
#[napi(catch_unwind)]
pub fn response(status: u32, phrase: String, headers: Vec<String>) -> Result<String> {
    server::response(status as u16, &phrase, &pairs(&headers)).map_err(|error| invalid_header(&error))
}

fn pairs(headers: &[String]) -> Vec<(&str, &str)> {
    headers.as_chunks::<2>().0.iter().map(|[name, value]| (name.as_str(), value.as_str())).collect()
}

fn invalid_header(error: &server::InvalidHeader) -> Error {
    let name = &error.name;
    Error::new(
        Status::InvalidArg,
        format!("Header {name:?} is not a token, or its value contains control characters."),
    )
}

/// Whether `text` is a token (RFC 9110 section 5.6.2), as the name of a subprotocol has to be.
#[napi(catch_unwind)]
pub fn is_token(text: String) -> bool {
    tokens::is_token(&text)
}

/// The elements of a comma-separated header.
#[napi(catch_unwind)]
pub fn parse_list(header: String) -> Vec<String> {
    tokens::list(&header).map(str::to_owned).collect()
}

/// A cookie of a request.
#[napi(object, object_from_js = false)]
pub struct Cookie {
    /// The name as sent.
    pub name: String,
    /// The decoded value, `null` for a pair without `=`.
    #[napi(ts_type = "string | null")]
    pub value: napi::Either<String, napi::bindgen_prelude::Null>,
}

/// Takes a `Cookie` header apart.
#[napi(catch_unwind)]
pub fn parse_cookies(header: String) -> Vec<Cookie> {
    let cookie = |cookie: cookies::Cookie<'_>| Cookie {
        name: cookie.name.to_owned(),
        value: match cookie.value {
            Some(value) => napi::Either::A(value.into_owned()),
            None => napi::Either::B(napi::bindgen_prelude::Null),
        },
    };
    cookies::parse(&header).into_iter().map(cookie).collect()
}

/// A parameter of an extension.
#[napi(object, object_from_js = false)]
pub struct ExtensionParam {
    /// Its name.
    pub name: String,
    /// Its value, with quotes if it was sent with them.
    pub value: Option<String>,
}

/// An extension a client offers.
#[napi(object, object_from_js = false)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its parameters in order.
    pub params: Vec<ExtensionParam>,
}

/// Takes a `Sec-WebSocket-Extensions` header apart.
#[napi(catch_unwind)]
pub fn parse_extensions(header: String) -> Vec<Extension> {
    let param = |param: &extensions::Param<'_>| ExtensionParam {
        name: param.name.to_owned(),
        value: param.value.map(str::to_owned),
    };
    let extension = |extension: &extensions::Extension<'_>| Extension {
        name: extension.name.to_owned(),
        params: extension.params.iter().map(param).collect(),
    };
    extensions::parse(&header).iter().map(extension).collect()
}

/// What a side wants of permessage-deflate.
#[napi(object, object_to_js = false)]
pub struct DeflatePreferences {
    /// The server is not to refer to earlier messages.
    pub server_no_context_takeover: bool,
    /// The client is not to refer to earlier messages.
    pub client_no_context_takeover: bool,
    /// The logarithm of the server's largest window, from 8 to 15.
    pub server_max_window_bits: u32,
    /// The logarithm of the client's largest window, from 8 to 15.
    pub client_max_window_bits: u32,
}

impl From<DeflatePreferences> for Preferences {
    fn from(wanted: DeflatePreferences) -> Self {
        Self {
            server_no_context_takeover: wanted.server_no_context_takeover,
            client_no_context_takeover: wanted.client_no_context_takeover,
            server_max_window_bits: wanted.server_max_window_bits as u8,
            client_max_window_bits: wanted.client_max_window_bits as u8,
        }
    }
}

/// The value of `Sec-WebSocket-Extensions` with which a client offers permessage-deflate.
#[napi(catch_unwind)]
pub fn offer_deflate(wanted: DeflatePreferences) -> String {
    deflate::offer(&wanted.into()).to_string()
}

/// The value of `Sec-WebSocket-Extensions` with which a server answers to offers; `null` when it declines them all.
#[napi(catch_unwind)]
pub fn accept_deflate(header: String, wanted: DeflatePreferences) -> Option<String> {
    deflate::accept(&header, &wanted.into()).map(|answer| answer.to_string())
}

/// What two sides have agreed on.
#[napi(object, object_from_js = false)]
pub struct DeflateAgreement {
    /// The server does not refer to earlier messages.
    pub server_no_context_takeover: bool,
    /// The client does not refer to earlier messages.
    pub client_no_context_takeover: bool,
    /// The logarithm of the server's largest window.
    pub server_max_window_bits: u32,
    /// The logarithm of the client's largest window.
    pub client_max_window_bits: u32,
    /// The parameters as they stand in the answer.
    pub params: Vec<ExtensionParam>,
}

/// What the answer means that this side has made, or checked; `null` for one that agrees to nothing.
#[napi(catch_unwind)]
pub fn deflate_agreement(answer: String) -> Option<DeflateAgreement> {
    let agreed = Parameters::from_header(&answer)?;
    let param = |(name, value): (&str, Option<u8>)| ExtensionParam {
        name: name.to_owned(),
        value: value.map(|bits| bits.to_string()),
    };
    Some(DeflateAgreement {
        server_no_context_takeover: agreed.server_no_context_takeover,
        client_no_context_takeover: agreed.client_no_context_takeover,
        server_max_window_bits: u32::from(agreed.server_window_bits()),
        client_max_window_bits: u32::from(agreed.client_window_bits()),
        params: agreed.list().map(param).collect(),
    })
}
