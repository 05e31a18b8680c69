//! The WebSocket protocol after the opening handshake (RFC 6455 sections 5 to 8, RFC 7692 section 7.2), without any I/O.
//!
//! Theory of operation: a [`Connection`] is fed with the bytes of its peer and answers with [`Event`]s; it is asked to
//! send and answers with bytes. What a peer does wrong is an event too ([`Event::Failed`]), never an `Err` or a panic:
//! after it, receiving is over. What the local side does wrong is an `Err` of the call that did it.
//!
//! [`receiver::Receiver`] is the receiving half, [`encoder`] the sending half; both can be used alone.

#![forbid(unsafe_code)]

pub mod close;
pub mod config;
pub mod connection;
pub mod deflate;
pub mod encoder;
pub mod entropy;
pub mod error;
pub mod event;
pub mod header;
pub mod inflate;
pub mod limits;
pub mod mask;
pub mod opcode;
pub mod receiver;
pub mod utf8;

pub use close::CloseFrame;
pub use config::{Config, Inflation, MaskPolicy, Role, TextForm};
pub use connection::Connection;
pub use deflate::Compressor;
pub use error::{LocalError, PeerError};
pub use event::{Event, MessageKind};
pub use header::FrameHeader;
pub use limits::Limits;
pub use opcode::OpCode;
