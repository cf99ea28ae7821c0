//! The values of one property in all objects of a shape.

use super::cell::Cell;

/// The values of a property: the first one, and all of them if they differ.
#[derive(Debug)]
pub struct Column {
    /// The first value.
    first: Cell,
    /// The bytes of the first value, if it is a text.
    bytes: Vec<u8>,
    /// The values as JSON, with commas between them. `None` as long as all are equal to the first.
    values: Option<Vec<u8>>,
}

impl Column {
    /// Creates the column for a value of the first object.
    pub fn of(first: &Cell, bytes: &[u8]) -> Self {
        match first {
            Cell::Text(range) => {
                let bytes = bytes.get(range.clone()).unwrap_or_default().to_vec();
                Self { first: Cell::Text(0..bytes.len()), bytes, values: None }
            }
            // Objects never share an array, which is mutable: the column has one for each.
            Cell::Array(_) => {
                let mut values = Vec::new();
                first.write(bytes, &mut values);
                Self { first: Cell::Null, bytes: Vec::new(), values: Some(values) }
            }
            _ => Self { first: first.clone(), bytes: Vec::new(), values: None },
        }
    }

    /// Adds a value. `rows` is the number of the values before it.
    pub fn add(&mut self, cell: &Cell, bytes: &[u8], rows: usize) {
        if let Some(values) = &mut self.values {
            values.push(b',');
            cell.write(bytes, values);
            return;
        }
        if self.is_first(cell, bytes) {
            return;
        }
        let mut values = Vec::new();
        for _ in 0..rows {
            self.first.write(&self.bytes, &mut values);
            values.push(b',');
        }
        cell.write(bytes, &mut values);
        self.values = Some(values);
    }

    fn is_first(&self, cell: &Cell, bytes: &[u8]) -> bool {
        match (&self.first, cell) {
            (Cell::Text(_), Cell::Text(range)) => bytes.get(range.clone()) == Some(&*self.bytes),
            (first, cell) => first == cell,
        }
    }

    /// Writes the first value, with which the template has the right kind of value in this place.
    pub fn write_first(&self, text: &mut Vec<u8>) {
        self.first.write(&self.bytes, text);
    }

    /// Returns the values, if they differ.
    pub fn values(&self) -> Option<&[u8]> {
        self.values.as_deref()
    }
}
