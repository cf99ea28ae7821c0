//! How the value of an attribute is written and read.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use netlink_packet_core::{DefaultNla, Emitable};
use serde::{Deserialize, Serialize};
use serde_with::serde_as;

use crate::{
    link_ref::LinkRef,
    mac::Mac,
    milliseconds::Milliseconds,
    netlink::attributes::{Attributes, Malformed, array_at, text, u8_at, u16_at, u32_at, u64_at},
    octets::Octets,
};

/// The value of an attribute, which is also a field of plain data.
pub(crate) trait Value: Sized {
    fn write(&self) -> Vec<u8>;
    fn read(bytes: &[u8]) -> Result<Self, Malformed>;
}

macro_rules! numbers {
    ($($number:ty: $at:ident,)*) => {
        $(impl Value for $number {
            fn write(&self) -> Vec<u8> {
                self.to_ne_bytes().into()
            }

            fn read(bytes: &[u8]) -> Result<Self, Malformed> {
                $at(bytes, 0)
            }
        })*
    };
}

numbers! { u8: u8_at, u16: u16_at, u32: u32_at, u64: u64_at, }

impl Value for i32 {
    fn write(&self) -> Vec<u8> {
        self.to_ne_bytes().into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(u32::cast_signed)
    }
}

impl Value for bool {
    fn write(&self) -> Vec<u8> {
        vec![u8::from(*self)]
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u8_at(bytes, 0).map(|byte| byte != 0)
    }
}

impl Value for String {
    fn write(&self) -> Vec<u8> {
        [self.as_bytes(), &[0]].concat()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(text(bytes))
    }
}

impl Value for Ipv4Addr {
    fn write(&self) -> Vec<u8> {
        self.octets().into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at::<4>(bytes, 0).map(Self::from)
    }
}

impl Value for Ipv6Addr {
    fn write(&self) -> Vec<u8> {
        self.octets().into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at::<16>(bytes, 0).map(Self::from)
    }
}

impl Value for Mac {
    fn write(&self) -> Vec<u8> {
        self.0.into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at(bytes, 0).map(Self)
    }
}

/// A link. A reference that is not an index is looked up before it is written.
impl Value for LinkRef {
    fn write(&self) -> Vec<u8> {
        match self {
            Self::Index(index) => index.write(),
            Self::Name(_) | Self::Alias(_) => Vec::new(),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(Self::Index)
    }
}

/// An array, as attributes in an attribute: the type of each is its position.
impl<T: Value> Value for Vec<T> {
    fn write(&self) -> Vec<u8> {
        let nested: Vec<_> = (0_u16..).zip(self).map(|(at, each)| DefaultNla::new(at, each.write())).collect();
        let mut bytes = vec![0; nested.as_slice().buffer_len()];
        nested.as_slice().emit(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Attributes::within(bytes).map(|attribute| T::read(attribute?.1)).collect()
    }
}

/// A duration in `USER_HZ`, a hundredth of a second (time(7)). In plain data: milliseconds.
#[serde_as]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ticks(#[serde_as(as = "Milliseconds")] pub Duration);

impl From<Duration> for Ticks {
    fn from(value: Duration) -> Self {
        Self(value)
    }
}

impl Value for Ticks {
    fn write(&self) -> Vec<u8> {
        u32::try_from(self.0.as_millis() / 10).unwrap_or(u32::MAX).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|ticks| Self(Duration::from_millis(10 * u64::from(ticks))))
    }
}

/// A duration in whole milliseconds.
#[serde_as]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WholeMilliseconds(#[serde_as(as = "Milliseconds")] pub Duration);

impl From<Duration> for WholeMilliseconds {
    fn from(value: Duration) -> Self {
        Self(value)
    }
}

impl Value for WholeMilliseconds {
    fn write(&self) -> Vec<u8> {
        u32::try_from(self.0.as_millis()).unwrap_or(u32::MAX).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|milliseconds| Self(Duration::from_millis(milliseconds.into())))
    }
}

/// A boolean of 32 bits. The kernel may have other numbers than one for true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WideBool(pub bool);

impl From<bool> for WideBool {
    fn from(value: bool) -> Self {
        Self(value)
    }
}

impl Value for WideBool {
    fn write(&self) -> Vec<u8> {
        u32::from(self.0).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|number| Self(number != 0))
    }
}

/// A number in network byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NetworkOrder<T>(pub T);

impl Value for NetworkOrder<u16> {
    fn write(&self) -> Vec<u8> {
        self.0.to_be_bytes().into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at(bytes, 0).map(|bytes| Self(u16::from_be_bytes(bytes)))
    }
}

impl Value for NetworkOrder<u32> {
    fn write(&self) -> Vec<u8> {
        self.0.to_be_bytes().into()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        array_at(bytes, 0).map(|bytes| Self(u32::from_be_bytes(bytes)))
    }
}

/// A duration in microseconds.
#[serde_as]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Microseconds(#[serde_as(as = "Milliseconds")] pub Duration);

impl Value for Microseconds {
    fn write(&self) -> Vec<u8> {
        u32::try_from(self.0.as_micros()).unwrap_or(u32::MAX).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|microseconds| Self(Duration::from_micros(microseconds.into())))
    }
}

/// A duration in nanoseconds.
#[serde_as]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanoseconds(#[serde_as(as = "Milliseconds")] pub Duration);

impl Value for Nanoseconds {
    fn write(&self) -> Vec<u8> {
        u32::try_from(self.0.as_nanos()).unwrap_or(u32::MAX).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|nanoseconds| Self(Duration::from_nanos(nanoseconds.into())))
    }
}

/// A rate in bit/s, which the kernel has in bytes per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ByteRate(pub u64);

impl Value for ByteRate {
    fn write(&self) -> Vec<u8> {
        (self.0 / 8).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u64_at(bytes, 0).map(|rate| Self(rate.saturating_mul(8)))
    }
}

/// The same in 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortByteRate(pub u64);

impl Value for ShortByteRate {
    fn write(&self) -> Vec<u8> {
        u32::try_from(self.0 / 8).unwrap_or(u32::MAX).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        u32_at(bytes, 0).map(|rate| Self(8 * u64::from(rate)))
    }
}

/// A power of two, of which the kernel has the logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PowerOfTwo(pub u32);

impl Value for PowerOfTwo {
    fn write(&self) -> Vec<u8> {
        self.0.checked_ilog2().unwrap_or(0).write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        1_u32.checked_shl(u32_at(bytes, 0)?).map(Self).ok_or(Malformed)
    }
}

/// A value that the kernel reports with all bits set if there is none: that is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limited<T>(pub T);

impl<T: Value> Value for Limited<T> {
    fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.iter().all(|byte| *byte == u8::MAX) {
            return Err(Malformed);
        }
        T::read(bytes).map(Self)
    }
}

/// Numbers of 32 bits, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(pub Vec<u32>);

impl Value for Words {
    fn write(&self) -> Vec<u8> {
        self.0.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        (0..bytes.len() / 4).map(|at| u32_at(bytes, 4 * at)).collect::<Result<_, _>>().map(Self)
    }
}

/// An address of which the kernel reports zeros if there is none: these are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Specified<T>(pub T);

impl<T: Value> Value for Specified<T> {
    fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(Malformed);
        }
        T::read(bytes).map(Self)
    }
}

impl Value for Octets {
    fn write(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        Ok(Self(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<T: Value + PartialEq + std::fmt::Debug>(value: &T) {
        assert_eq!(T::read(&value.write()).as_ref(), Ok(value));
        assert!(T::read(&[]).is_err());
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        comes_back(&7_u16);
        comes_back(&-7_i32);
        comes_back(&true);
        comes_back(&Ipv4Addr::new(192, 0, 2, 1));
        comes_back(&Mac([2, 0, 0, 0, 0, 1]));
        comes_back(&Ticks(Duration::from_millis(1500)));
        comes_back(&WholeMilliseconds(Duration::from_millis(7)));
        comes_back(&NetworkOrder(0x0102_0304_u32));
        assert_eq!(NetworkOrder(0x0102_u16).write(), [1, 2]);
        comes_back(&Specified(Ipv4Addr::LOCALHOST));
        assert!(Specified::<Ipv4Addr>::read(&[0; 4]).is_err());
        comes_back(&Microseconds(Duration::from_micros(7)));
        comes_back(&Nanoseconds(Duration::from_nanos(7)));
        comes_back(&ByteRate(8000));
        comes_back(&ShortByteRate(8000));
        comes_back(&PowerOfTwo(1024));
        comes_back(&Limited(7_u32));
        assert!(Limited::<u32>::read(&[255; 4]).is_err());
        assert_eq!(Words::read(&Words(vec![1, 2]).write()), Ok(Words(vec![1, 2])));
        let addresses = vec![Ipv4Addr::LOCALHOST, Ipv4Addr::new(192, 0, 2, 1)];
        assert_eq!(addresses.write(), [8, 0, 0, 0, 127, 0, 0, 1, 8, 0, 1, 0, 192, 0, 2, 1]);
        assert_eq!(Vec::read(&addresses.write()), Ok(addresses));
    }
}
