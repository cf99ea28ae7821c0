//! Flow tables: connections that bypass the rules.

use serde::{Deserialize, Serialize};

use super::{
    expression::field::Field,
    family::Family,
    hook::{self, Priority},
    message::{
        HEADER,
        chain::DEVICE_NAME,
        flow_table::{COUNTER, DEVICES, FLAGS, HOOK, HOOK_NUMBER, NAME, OFFLOAD, PRIORITY},
    },
    statement::is_false,
};
use crate::netlink::{
    attributes::{Attributes, Malformed, text},
    nfnetlink::writer::Writer,
};

/// A table of connections whose packets the kernel forwards between these links without the rules.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FlowTable {
    pub hook: String,
    pub priority: Priority,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub counter: bool,
    /// Whether the hardware forwards the packets.
    #[serde(default, skip_serializing_if = "is_false")]
    pub offload: bool,
}

/// The order of links does not matter.
impl PartialEq for FlowTable {
    fn eq(&self, other: &Self) -> bool {
        let parts = |table: &Self| {
            let mut devices = table.devices.clone();
            devices.sort();
            let priority = table.priority.number(Family::Inet);
            (table.hook.clone(), priority, devices, table.counter, table.offload)
        };
        parts(self) == parts(other)
    }
}

impl FlowTable {
    pub(super) fn write(&self, writer: &mut Writer) {
        // The hooks of links have the same numbers in each family.
        let number = hook::number(Family::Netdev, &self.hook).unwrap_or(0);
        let priority = self.priority.number(Family::Inet).unwrap_or(0);
        writer.nest(HOOK, |writer| {
            writer.put_u32(HOOK_NUMBER, number);
            writer.put_u32(PRIORITY, priority.cast_unsigned());
            writer.nest(DEVICES, |writer| {
                for device in &self.devices {
                    writer.put_text(DEVICE_NAME, device);
                }
            });
        });
        let flags = u32::from(self.offload) * OFFLOAD + u32::from(self.counter) * COUNTER;
        if flags != 0 {
            writer.put_u32(FLAGS, flags);
        }
    }

    /// Reads a flow table with its name; `None` if it has something that has no name here.
    pub(super) fn read(message: &[u8]) -> Result<Option<(String, Self)>, Malformed> {
        let (mut name, mut number, mut priority, mut flags) = (String::new(), 0, 0, 0);
        let mut devices = Vec::new();
        for attribute in Attributes::behind(HEADER, message)? {
            match attribute? {
                (NAME, value) => name = text(value),
                (FLAGS, value) => flags = u32::read(Some(value))?,
                (HOOK, value) => {
                    for attribute in Attributes::within(value) {
                        match attribute? {
                            (HOOK_NUMBER, value) => number = u32::read(Some(value))?,
                            (PRIORITY, value) => priority = u32::read(Some(value))?.cast_signed(),
                            (DEVICES, value) => {
                                let names = Attributes::within(value).map(|device| device.map(|(_, name)| text(name)));
                                devices = names.collect::<Result<_, _>>()?;
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        let Some(hook) = hook::name(Family::Netdev, number) else { return Ok(None) };
        if flags & !(OFFLOAD | COUNTER) != 0 {
            return Ok(None);
        }
        let (counter, offload) = (flags & COUNTER != 0, flags & OFFLOAD != 0);
        let priority = Priority::of(priority, Family::Inet);
        Ok(Some((name, Self { hook: hook.to_owned(), priority, devices, counter, offload })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let devices = vec!["eth0".to_owned(), "eth1".to_owned()];
        let priority = Priority::Number(-5);
        let table = FlowTable { hook: "ingress".into(), priority, devices, counter: true, offload: false };
        let mut writer = Writer::default();
        writer.extend(&[0; HEADER]);
        writer.put_text(NAME, "f");
        table.write(&mut writer);
        assert_eq!(FlowTable::read(writer.bytes()), Ok(Some(("f".to_owned(), table))));
    }
}
