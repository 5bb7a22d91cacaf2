//! Whom the two loops over sockets talk to: clients and a server on loopback, in one process.
//!
//! Knows sockets only as far as connecting them; how bytes move is the loops' business.

use core::net::SocketAddr;
use std::net::{TcpListener, TcpStream};

use offwire::{Alert, Certificate, Client, Engine, Error, Server};
use offwire_testkit::Contexts;

use crate::conversation::{Conversation, Expected, Farewell, Fault, Part};

const MIB: usize = 1 << 20;

/// A client, what the two ends say, and what should come of it.
struct Plan {
    name: &'static str,
    server_name: &'static str,
    client_says: usize,
    farewell: Farewell,
    client_expects: Expected,
    server_expects: Expected,
}

/// What the server says to everyone: more than any client, so that clients close their half first.
const SERVER_SAYS: usize = 6 * MIB;

fn plans() -> Vec<Plan> {
    let good = |name, client_says| Plan {
        name,
        server_name: "localhost",
        client_says,
        farewell: Farewell::CloseNotify,
        client_expects: Expected::Complete,
        server_expects: Expected::Complete,
    };
    vec![
        good("bulk 1", 4 * MIB),
        good("bulk 2", 5 * MIB),
        good("quiet", 0),
        Plan {
            farewell: Farewell::Silence,
            client_expects: Expected::Truncated,
            server_expects: Expected::Truncated,
            ..good("vanishing", MIB)
        },
        Plan {
            server_name: "other.test",
            client_expects: Expected::Refused(Error::Certificate(Certificate::NotValidForName)),
            server_expects: Expected::Refused(Error::Alert(Alert::BAD_CERTIFICATE)),
            ..good("wrong name", MIB)
        },
    ]
}

/// One end of one connection, before any byte has moved.
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) socket: TcpStream,
    pub(crate) engine: Engine,
    pub(crate) conversation: Conversation,
    pub(crate) expected: Expected,
}

/// The listener, the contexts, and the clients that the server should meet.
pub(crate) struct Loopback {
    pub(crate) listener: TcpListener,
    client: Client,
    server: Server,
    /// The plans by the client's address, which the server sees as its peer's.
    plans: Vec<(SocketAddr, Plan)>,
}

impl Loopback {
    /// Listens, on a port that the system chooses.
    pub(crate) fn new() -> Result<Self, Fault> {
        let (client, server) = Contexts::new().build();
        Ok(Self {
            listener: TcpListener::bind("127.0.0.1:0")?,
            client,
            server,
            plans: Vec::new(),
        })
    }

    /// Connects every client.
    pub(crate) fn connect(&mut self) -> Result<Vec<End>, Fault> {
        let mut ends = Vec::new();
        for (number, plan) in plans().into_iter().enumerate() {
            let socket = TcpStream::connect(self.listener.local_addr()?)?;
            let name = plan.server_name.try_into()?;
            ends.push(End {
                name: format!("{}: client", plan.name),
                engine: self.client.connect(name)?,
                conversation: Conversation::new(Part {
                    voice: 2 * number as u64,
                    to_say: plan.client_says,
                    peer_voice: 2 * number as u64 + 1,
                    to_hear: SERVER_SAYS,
                    farewell: plan.farewell,
                }),
                expected: plan.client_expects.clone(),
                // The client's own address is what the server sees.
                socket: {
                    self.plans.push((socket.local_addr()?, plan));
                    socket
                },
            });
        }
        Ok(ends)
    }

    /// The server's end of an accepted connection.
    pub(crate) fn accept(&self, socket: TcpStream) -> Result<End, Fault> {
        let peer = socket.peer_addr()?;
        let mut plans = self.plans.iter().enumerate();
        let (number, (_, plan)) = plans
            .find(|(_, (address, _))| *address == peer)
            .ok_or("a stranger connected")?;
        Ok(End {
            name: format!("{}: server", plan.name),
            socket,
            engine: self.server.accept(),
            conversation: Conversation::new(Part {
                voice: 2 * number as u64 + 1,
                to_say: SERVER_SAYS,
                peer_voice: 2 * number as u64,
                to_hear: plan.client_says,
                farewell: Farewell::CloseNotify,
            }),
            expected: plan.server_expects.clone(),
        })
    }
}
