//! What a poll was told to wait for, and the least that tells it otherwise.
//!
//! Knows tokens and interests; neither bytes nor TLS.

use std::io;

use mio::event::Source;
use mio::{Interest, Registry, Token};

/// What a poll knows of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// The source belongs to no poll.
    None,
    /// It belongs to a poll, which knows nothing of it: there is nothing to wait for, and mio has
    /// no empty interest.
    Dormant,
    /// The poll waits for this.
    Waiting { token: Token, interest: Interest },
}

impl Registration {
    /// Tells the poll what to wait for from now on, if that is news. An error changes nothing.
    pub(crate) fn tell<S: Source + ?Sized>(
        self,
        source: &mut S,
        registry: &Registry,
        token: Token,
        wanted: Option<Interest>,
    ) -> io::Result<Self> {
        match (self, wanted) {
            (Self::None | Self::Dormant, None) => Ok(Self::Dormant),
            (Self::None | Self::Dormant, Some(interest)) => {
                registry.register(source, token, interest)?;
                Ok(Self::Waiting { token, interest })
            }
            (Self::Waiting { .. }, None) => {
                registry.deregister(source)?;
                Ok(Self::Dormant)
            }
            (Self::Waiting { .. }, Some(interest)) => {
                let told = Self::Waiting { token, interest };
                if self != told {
                    registry.reregister(source, token, interest)?;
                }
                Ok(told)
            }
        }
    }

    /// Takes the source out of its poll. An error changes nothing.
    pub(crate) fn end<S: Source + ?Sized>(
        self,
        source: &mut S,
        registry: &Registry,
    ) -> io::Result<Self> {
        match self {
            Self::None => Err(io::ErrorKind::NotFound.into()),
            Self::Dormant => Ok(Self::None),
            Self::Waiting { .. } => {
                registry.deregister(source)?;
                Ok(Self::None)
            }
        }
    }
}
