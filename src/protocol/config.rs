//! What a connection is told at its start.

/// Which end of the connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Masks what it sends and expects unmasked frames (RFC 6455 section 5.1).
    Client,
    /// Sends unmasked frames and expects masked ones.
    Server,
}

/// Whether received frames have to be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaskPolicy {
    /// Refuse unmasked frames: what a server does.
    Required,
    /// Refuse masked frames: what a client does.
    Forbidden,
    /// Take both, for sockets that are not connected to a real peer.
    Either,
}

impl From<Role> for MaskPolicy {
    fn from(role: Role) -> Self {
        match role {
            Role::Client => Self::Forbidden,
            Role::Server => Self::Required,
        }
    }
}

/// Whether what is known of earlier messages serves to inflate later ones (RFC 7692 section 7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inflation {
    /// Each message stands for itself: memory is needed only while one is on its way.
    EachAlone,
    /// The peer may refer to earlier messages: memory is held from the first compressed one on.
    ContextTakeover,
}

/// In which form text messages are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// [`MessageKind::Text`](super::MessageKind::Text): valid UTF-8, for programs that want strings.
    Checked,
    /// [`MessageKind::TextBytes`](super::MessageKind::TextBytes), valid UTF-8 as well, for programs that want bytes.
    CheckedBytes,
    /// The same without a look at what is in them: for programs that check for themselves.
    UncheckedBytes,
}

/// Limits and modes of the receiving half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Whether received frames have to be masked.
    pub mask: MaskPolicy,
    /// The longest payload of one frame in bytes; more is refused with 1009. Default: 64 KiB.
    pub max_frame_size: u64,
    /// The longest message in bytes, over all its frames; more is refused with 1009. Default: 1 MiB.
    /// A compressed message is measured by what it contains. When `assemble` is off nothing is kept of messages, and this
    /// is the most that one compressed frame may contain.
    pub max_message_size: u64,
    /// Whether frames are put together to messages (the default) or handed out one by one.
    pub assemble: bool,
    /// How to inflate compressed messages; `None` (the default) when permessage-deflate was not agreed on.
    pub inflation: Option<Inflation>,
    /// In which form text messages are reported. Default: as valid UTF-8.
    pub text: TextForm,
}

impl Config {
    /// The defaults for `role`.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            mask: role.into(),
            max_frame_size: 1 << 16,
            max_message_size: 1 << 20,
            assemble: true,
            inflation: None,
            text: TextForm::Checked,
        }
    }
}
