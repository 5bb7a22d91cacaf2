//! How long one asks and listens before the next is looked at.

use mio::net::TcpStream;
use offwire_mio::TlsSource;

use crate::client::Looking;
use crate::talk::{Material, Progress, Protocol, Talk, Trouble};

/// How many messages a slow reader sends if nothing stops it: more than fits between the two of us.
const FLOOD_ECHO: usize = 2_048;

/// As [`FLOOD_ECHO`], in requests.
const FLOOD_HTTP: usize = 40_000;

/// One question after another until so many are answered; then looks whether the server is there.
pub(crate) fn exchange(
    source: &mut TlsSource<TcpStream>,
    talk: &mut Talk,
    looking: &mut Looking<'_>,
    target: usize,
) -> Result<Progress, Trouble> {
    loop {
        if talk.asked == talk.answered
            && talk.asked < target
            && talk.ask(source, looking.material)? == Progress::Blocked
        {
            return Ok(Progress::Blocked);
        }
        let heard = talk.hear(source, looking.material, looking.scratch)?;
        match (heard, talk.asked == talk.answered) {
            (Progress::Closed, _) => return Ok(Progress::Closed),
            (Progress::Done | Progress::Blocked, false) => return Ok(Progress::Blocked),
            (Progress::Done | Progress::Blocked, true) if talk.asked >= target => {
                return Ok(Progress::Done);
            }
            (Progress::Done | Progress::Blocked, true) => {}
        }
    }
}

/// Asks without listening until it is blocked, or has asked enough.
pub(crate) fn flood(
    source: &mut TlsSource<TcpStream>,
    talk: &mut Talk,
    material: &Material,
) -> Result<(), Trouble> {
    let enough = match talk.protocol() {
        Protocol::Echo => FLOOD_ECHO,
        Protocol::Http => FLOOD_HTTP,
    };
    while talk.asked < enough && talk.ask(source, material)? == Progress::Done {}
    Ok(())
}

/// Listens, and finishes the question that was blocked.
pub(crate) fn drain(
    source: &mut TlsSource<TcpStream>,
    talk: &mut Talk,
    looking: &mut Looking<'_>,
) -> Result<Progress, Trouble> {
    loop {
        if talk.hear(source, looking.material, looking.scratch)? == Progress::Closed {
            return Ok(Progress::Closed);
        }
        match source.engine().committed() {
            0 if talk.asked == talk.answered => return Ok(Progress::Done),
            0 => return Ok(Progress::Blocked),
            _ => match talk.ask(source, looking.material)? {
                Progress::Done => {}
                blocked @ (Progress::Blocked | Progress::Closed) => return Ok(blocked),
            },
        }
    }
}
