//! The object that is added to a table: its values, and the way through its properties.

use super::cell::Cell;

/// Where each object begins.
pub const START: usize = 0;

/// The latest object.
#[derive(Debug, Default)]
pub struct Row {
    pub cells: Vec<Cell>,
    /// The texts and arrays among its values.
    pub bytes: Vec<u8>,
    /// Its last step.
    pub end: usize,
}

impl Row {
    /// Makes room for the next object.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.bytes.clear();
        self.end = START;
    }
}
