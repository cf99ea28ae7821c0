//! The order of the elements of a set.

use super::{element::Element, found::element_operand};
use crate::{
    error::{Error, Result},
    firewall::matching::data_type::DataType,
};

/// Sorts the elements of a set without concatenations by their keys, and refuses those that overlap.
pub(crate) fn sort_intervals(elements: &mut [Element], key: &DataType, has_intervals: bool) -> Result<()> {
    elements.sort_by(|one, other| one.key.cmp(&other.key));
    let overlap = elements.windows(2).find(|pair| match pair {
        [one, other] => one.last() >= other.key.as_slice(),
        _ => false,
    });
    match overlap {
        Some(pair) => {
            let text = |element: &Element| {
                let operand = element_operand(&element.key, element.last.as_deref(), key, has_intervals);
                operand.map_or_else(|| "'*'".to_owned(), |operand| operand.to_string())
            };
            let overlapping: Vec<_> = pair.iter().map(text).collect();
            Err(Error::InvalidArgument(format!("the elements {} overlap", overlapping.join(" and "))))
        }
        None => Ok(()),
    }
}
