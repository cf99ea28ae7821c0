//! What an uplink tells, for JavaScript.

use napi_derive::napi;
use nsset_uplink::{Asked, FlowReport, Reason, Refusal, Statistics, What};

/// A flow that has not ended.
#[napi(object, object_from_js = false)]
pub struct NativeFlow {
    pub protocol: String,
    pub source_address: String,
    pub source_port: u16,
    pub address: String,
    pub port: u16,
    pub names: Vec<String>,
    pub is_open: bool,
    pub age: f64,
    pub bytes_sent: i64,
    pub bytes_received: i64,
}

/// What was refused.
#[napi(object, object_from_js = false)]
pub struct NativeRefusal {
    /// `tcp`, `udp`, `icmp`, `dns`, or the number of another protocol.
    pub protocol: String,
    pub address: Option<String>,
    pub port: Option<u16>,
    pub name: Option<String>,
    pub reason: String,
    /// Which kind of closed address it is.
    pub kind: Option<String>,
}

/// Some refusals, and the position after them.
#[napi(object, object_from_js = false)]
pub struct NativeRefusals {
    pub refusals: Vec<NativeRefusal>,
    pub position: i64,
}

/// A flow to decide.
#[napi(object, object_from_js = false)]
pub struct NativeQuestion {
    pub id: u32,
    pub protocol: String,
    pub address: String,
    pub port: u16,
    pub names: Vec<String>,
}

/// What an uplink has done.
#[napi(object, object_from_js = false)]
pub struct NativeUplinkStatistics {
    pub flows: i64,
    pub open: i64,
    pub refused: i64,
    pub questions: i64,
    pub bytes_sent: i64,
    pub bytes_received: i64,
}

impl From<FlowReport> for NativeFlow {
    fn from(flow: FlowReport) -> Self {
        Self {
            protocol: flow.to.protocol.as_str().into(),
            source_address: flow.from.ip().to_string(),
            source_port: flow.from.port(),
            address: flow.to.address.to_string(),
            port: flow.to.port,
            names: flow.names,
            is_open: flow.is_open,
            age: flow.age,
            bytes_sent: flow.bytes_sent as i64,
            bytes_received: flow.bytes_received as i64,
        }
    }
}

impl From<Refusal> for NativeRefusal {
    fn from(refusal: Refusal) -> Self {
        let (protocol, address, port) = match refusal.what {
            What::Flow(to) => (to.protocol.as_str().to_owned(), Some(to.address), Some(to.port)),
            What::Protocol(number, to) => (number.to_string(), Some(to), None),
            What::Question(address) => ("dns".to_owned(), address, None),
        };
        let kind = match refusal.reason {
            Reason::Closed(why) => Some(why.as_str().to_owned()),
            _ => None,
        };
        let address = address.map(|address| address.to_string());
        let port = port.filter(|port| *port != 0);
        Self { protocol, address, port, name: refusal.name, reason: refusal.reason.as_str().into(), kind }
    }
}

impl From<(Vec<Refusal>, u64)> for NativeRefusals {
    fn from((refusals, position): (Vec<Refusal>, u64)) -> Self {
        Self { refusals: refusals.into_iter().map(NativeRefusal::from).collect(), position: position as i64 }
    }
}

impl From<Asked> for NativeQuestion {
    fn from(asked: Asked) -> Self {
        Self {
            id: asked.id,
            protocol: asked.destination.protocol.as_str().into(),
            address: asked.destination.address.to_string(),
            port: asked.destination.port,
            names: asked.names,
        }
    }
}

impl From<Statistics> for NativeUplinkStatistics {
    fn from(now: Statistics) -> Self {
        Self {
            flows: now.flows as i64,
            open: now.open as i64,
            refused: now.refused as i64,
            questions: now.questions as i64,
            bytes_sent: now.bytes_sent as i64,
            bytes_received: now.bytes_received as i64,
        }
    }
}
