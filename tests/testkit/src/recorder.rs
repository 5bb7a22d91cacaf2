//! What a pair remembers of what happened, if it is asked to.

use core::ops::Range;

use crate::pair::Side;

/// Something that happened at one end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A verb of the engine was called.
    Call { verb: String, outcome: String },
    /// These bytes of the direction from this end have left it.
    Left(Range<usize>),
    /// These bytes of the direction towards this end have arrived.
    Arrived(Range<usize>),
    /// This end was told that the transport has ended.
    Ended,
    /// The test did something to the transport.
    Remark(String),
}

/// Remembers events, or does not.
#[derive(Clone, Debug)]
pub(crate) enum Recorder {
    /// Events are not even described.
    Off,
    /// In the order in which they happened.
    On(Vec<(Side, Event)>),
}

impl Recorder {
    pub(crate) fn on() -> Self {
        Self::On(Vec::new())
    }

    pub(crate) fn note(&mut self, side: Side, event: impl FnOnce() -> Event) {
        match self {
            Self::Off => {}
            Self::On(events) => events.push((side, event())),
        }
    }

    pub(crate) fn events(&self) -> &[(Side, Event)] {
        match self {
            Self::Off => &[],
            Self::On(events) => events,
        }
    }
}
