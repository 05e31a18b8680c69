//! What JavaScript calls to have the addon listen, and to answer the requests that come in.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::time::Duration;

use napi::Result;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::environment::started;
use crate::binding::arguments::config;
use crate::binding::tls::TlsContext;
use crate::slots::SlotId;

/// What has come of [`native_listen`].
#[napi(object, object_from_js = false)]
pub struct Listening {
    /// The number of the listener, by which requests name it.
    pub listener: u32,
    /// Where it listens.
    pub address: String,
    /// The port, which the operating system has chosen for port 0.
    pub port: u32,
    /// The error number of the operating system; 0 if it listens.
    pub error: i32,
}

/// Listens at an IP address; with `reuse_port` beside others who do so (SO_REUSEPORT). A request has `timeout` milliseconds to arrive, and its head `max_head_len` bytes. With
/// `passes_on`, a `PASSED` row tells of what is no opening handshake, for `nativeHandOver`, or `nativeUnwrap` with TLS; else it is refused.
/// `tls` is what `nativeTlsContext` has made, or `null`.
#[napi(catch_unwind)]
pub fn native_listen(
    address: String,
    port: u32,
    reuse_port: bool,
    timeout: u32,
    max_head_len: u32,
    passes_on: bool,
    tls: Option<&TlsContext>,
) -> Result<Listening> {
    const INVALID: i32 = 22;
    let failed = |error| Listening { listener: 0, address: String::new(), port: 0, error };
    let (Ok(ip), Ok(port)) = (address.parse::<IpAddr>(), u16::try_from(port)) else {
        return Ok(failed(INVALID));
    };
    let tls = tls.map(|tls| Arc::clone(tls));
    started(|environment| {
        let timeout = Duration::from_millis(u64::from(timeout));
        let listening = environment.with_reactor(|reactor, _| {
            let listening =
                reactor.listen(SocketAddr::new(ip, port), reuse_port, timeout, max_head_len as usize, tls)?;
            if passes_on {
                reactor.pass_on(listening.0);
            }
            Ok::<_, io::Error>(listening)
        });
        let (listener, address) = match listening {
            Some(Ok(listening)) => listening,
            Some(Err(error)) => return failed(error.raw_os_error().unwrap_or(INVALID)),
            None => return failed(INVALID),
        };
        environment.shared.watch_deadlines();
        let (address, port) = (address.ip().to_string(), u32::from(address.port()));
        Listening { listener: listener.raw(), address, port, error: 0 }
    })
}

/// New connections of a listener with TLS get other certificates.
#[napi(catch_unwind)]
pub fn native_secure_listener(listener: u32, tls: &TlsContext) -> Result<()> {
    let tls = Arc::clone(tls);
    started(|environment| {
        environment.with_reactor(|reactor, _| reactor.secure_listener(SlotId::from_raw(listener), tls));
    })
}

/// The certificates of the client of a connection with TLS in DER, its own first.
#[napi(catch_unwind)]
pub fn native_peer_certificates(id: u32) -> Result<Vec<Buffer>> {
    let certificates = started(|environment| {
        environment.with_reactor(|reactor, _| reactor.peer_certificates(SlotId::from_raw(id)))
    })?;
    Ok(certificates.unwrap_or_default().into_iter().map(Buffer::from).collect())
}

/// Stops listening. Connections stay open.
#[napi(catch_unwind)]
pub fn native_close_listener(listener: u32) -> Result<()> {
    started(|environment| {
        environment.with_reactor(|reactor, _| reactor.close_listener(SlotId::from_raw(listener)));
    })
}

/// Lets go of a connection without TLS that a `PASSED` row has told of. Returns its descriptor, which becomes the caller's; -1 when it is
/// gone.
#[napi(catch_unwind)]
pub fn native_hand_over(id: u32) -> Result<i32> {
    started(|environment| {
        let fd = environment.with_reactor(|reactor, _| reactor.hand_over(SlotId::from_raw(id))).flatten();
        fd.map_or(-1, IntoRawFd::into_raw_fd)
    })
}

/// Begins to receive frames of a connection that a `REQUEST` row has told of; arguments as for `nativeAdd`. False when it is gone.
#[napi(catch_unwind)]
pub fn native_begin(
    id: u32,
    mask: u32,
    max_frame_size: f64,
    max_message_size: f64,
    assemble: bool,
    inflation: u32,
    text: u32,
) -> Result<bool> {
    let config = config(mask, max_frame_size, max_message_size, assemble, inflation, text);
    started(|environment| {
        environment.with_reactor(|reactor, _| reactor.begin(SlotId::from_raw(id), config)).unwrap_or_default()
    })
}

/// A duplicate of the descriptor of a connection, which becomes the caller's; -1 when there is none to be had.
#[napi(catch_unwind)]
pub fn native_duplicate(id: u32) -> Result<i32> {
    started(|environment| {
        environment
            .with_reactor(|reactor, _| reactor.duplicate_socket(SlotId::from_raw(id)))
            .flatten()
            .unwrap_or(-1)
    })
}
