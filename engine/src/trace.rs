//! The feature `tracing`: a span for the handshake, and events for what an operator asks about.
//! Without the feature all of it is nothing.
//!
//! Nothing secret and no plaintext is ever told, and nothing of the peer's but what errors and
//! alerts say.

use crate::tls::secrets::Role;

/// Tells an event of a level, with fields and a message, as `tracing`'s macros do.
#[cfg(feature = "tracing")]
macro_rules! event {
    ($level:ident, $($told:tt)*) => {
        tracing::$level!(target: "offwire", $($told)*)
    };
}

#[cfg(not(feature = "tracing"))]
macro_rules! event {
    ($($told:tt)*) => {};
}

pub(crate) use event;

/// The span of a handshake, entered whenever a verb drives it.
#[derive(Clone, Debug)]
pub(crate) struct HandshakeSpan {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

impl HandshakeSpan {
    #[cfg(feature = "tracing")]
    pub(crate) fn new(role: Role) -> Self {
        Self {
            span: tracing::debug_span!(target: "offwire", "handshake", ?role),
        }
    }

    #[cfg(not(feature = "tracing"))]
    pub(crate) const fn new(_: Role) -> Self {
        Self {}
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    #[cfg(not(feature = "tracing"))]
    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }
}
