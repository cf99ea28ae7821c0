//! Queueing disciplines, classes and filters, as watched objects.

use super::object::{Key, Object, digest, json};
use crate::{
    class::{Class, ClassStatistics},
    filter::Filter,
    netlink::attributes::Malformed,
    qdisc::{Qdisc, QdiscCounters},
};

impl TryFrom<Qdisc> for Object {
    type Error = Malformed;

    fn try_from(mut qdisc: Qdisc) -> Result<Self, Malformed> {
        let text = json(&qdisc)?;
        qdisc.statistics = QdiscCounters::default();
        let digest = digest(&json(&qdisc)?);
        Ok(Self::new(Key::Qdisc { link: qdisc.link, parent: qdisc.parent }, text, digest))
    }
}

impl TryFrom<Class> for Object {
    type Error = Malformed;

    fn try_from(mut class: Class) -> Result<Self, Malformed> {
        let text = json(&class)?;
        class.statistics = ClassStatistics::default();
        let digest = digest(&json(&class)?);
        Ok(Self::new(Key::Class { link: class.link, handle: class.handle }, text, digest))
    }
}

impl TryFrom<Filter> for Object {
    type Error = Malformed;

    fn try_from(filter: Filter) -> Result<Self, Malformed> {
        let text = json(&filter)?;
        let digest = digest(&json(&filter.without_counters())?);
        let Filter { link, parent, chain, priority, protocol, handle, .. } = filter;
        Ok(Self::new(Key::Filter { link, parent, chain, priority, protocol, handle }, text, digest))
    }
}
