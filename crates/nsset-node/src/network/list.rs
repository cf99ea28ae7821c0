//! A list, written as the kernel sends it.

use std::mem;

use nsset_net::{Listed, Table};

use crate::{network::outcome::PromisedResults, network_thread::failure::Failure};

/// The size of the first part in bytes. It is a JSON array: a table pays off for more objects only (decision 0037).
const FIRST_PART: usize = 16 * 1024;

/// How many values the objects of the next part have. Each part is twice as long as the one before, up to `LONGEST_PART`: JavaScript
/// begins early, and a long list has few parts.
const SECOND_PART: usize = 2 * 1024;
const LONGEST_PART: usize = 16 * 1024;

/// What stands for the list among the results if it was sent in parts.
const SENT: &str = "null";

/// Writes a list, and sends it in parts if there is a promise.
pub struct ListWriter<'a> {
    promised: Option<&'a PromisedResults>,
    /// The first objects: a JSON array without its closing bracket.
    first: Vec<u8>,
    /// Whether the first objects are complete.
    is_long: bool,
    /// The other objects.
    table: Table,
    part: usize,
    is_sent: bool,
    failure: Option<nsset::Error>,
}

impl<'a> ListWriter<'a> {
    pub fn new(promised: Option<&'a PromisedResults>) -> Self {
        let (first, table) = (Vec::new(), Table::default());
        Self { promised, first, is_long: false, table, part: SECOND_PART, is_sent: false, failure: None }
    }

    pub fn add(&mut self, object: &impl Listed) {
        if self.is_long {
            self.add_to_table(object);
        } else {
            self.add_to_first(object);
        }
    }

    fn add_to_first(&mut self, object: &impl Listed) {
        self.first.push(if self.first.is_empty() { b'[' } else { b',' });
        if let Err(error) = object.write(&mut self.first) {
            self.failure = Some(unwritable(&error));
        }
        self.is_long = self.first.len() >= FIRST_PART;
        if self.is_long {
            self.send();
        }
    }

    fn add_to_table(&mut self, object: &impl Listed) {
        if let Err(error) = object.add_to(&mut self.table) {
            self.failure = Some(unwritable(&error));
        }
        if self.table.values() >= self.part {
            self.part = (2 * self.part).min(LONGEST_PART);
            self.send();
        }
    }

    /// Returns the result of the operation, which is JSON.
    pub fn end(mut self) -> Result<String, Failure> {
        if self.is_sent && !self.table.is_empty() {
            self.send();
        }
        match self.failure {
            Some(error) => Err(error.into()),
            None if self.is_sent => Ok(SENT.into()),
            None => Ok(self.take()),
        }
    }

    fn send(&mut self) {
        let Some(promised) = self.promised else { return };
        let part = self.take();
        promised.send_part(part);
        self.is_sent = true;
    }

    /// Returns the text of what was added since the last part: an array, or an array and a table.
    fn take(&mut self) -> String {
        let mut first = mem::take(&mut self.first);
        if first.is_empty() {
            first.push(b'[');
        }
        first.push(b']');
        // serde_json writes UTF-8 only.
        let first = String::from_utf8(first).unwrap_or_default();
        if self.table.is_empty() {
            return first;
        }
        format!(r#"{{"first":{first},"table":{}}}"#, mem::take(&mut self.table).text())
    }
}

/// Returns the text of a whole list.
pub fn list<T: Listed>(objects: &[T]) -> Result<String, Failure> {
    let mut list = ListWriter::new(None);
    for object in objects {
        list.add(object);
    }
    list.end()
}

/// The error of an object that is none in JavaScript, which is a bug of nsset.
fn unwritable(error: &impl ToString) -> nsset::Error {
    nsset::Error::InvalidArgument(error.to_string())
}
