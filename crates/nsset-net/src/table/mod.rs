//! A list of objects as columns, which JavaScript reads in a quarter of the time of a JSON array of objects (decision 0037).
//!
//! The objects are grouped by their shape: the names of their properties, in their order, also in nested objects. A value that all
//! objects of a shape share is written once, in a template. The others are columns:
//!
//! ```text
//! [[0,2,1,1], [{"dst":"a","dev":{"index":7}}, {"dst":["a","b"],"dev":{}}], [{"dst":"c"}, {}]]
//!  runs: two of shape 0, one of shape 1        the template, and its columns
//! ```
//!
//! `src/network/actions/table.ts` reads it.

mod cell;
mod column;
mod reader;
mod row;
mod shape;

use serde::Serialize;

pub use self::reader::Unwritable;
use self::{reader::Reader, row::Row, shape::Shapes};

/// The objects of a list, or of a part of one.
#[derive(Debug, Default)]
pub struct Table {
    shapes: Shapes,
    row: Row,
    /// Which shape the objects have, in their order, and how many of them follow each other.
    runs: Vec<(usize, usize)>,
    /// How many values all objects have.
    values: usize,
}

impl Table {
    /// Adds an object. Fails if it has no properties: then the table can no longer be used.
    pub fn add(&mut self, object: &impl Serialize) -> Result<(), Unwritable> {
        self.row.clear();
        object.serialize(&mut Reader::new(&mut self.row, &mut self.shapes))?;
        let shape = self.shapes.add(&self.row);
        self.values += self.row.cells.len();
        match self.runs.last_mut() {
            Some((last, count)) if *last == shape => *count += 1,
            _ => self.runs.push((shape, 1)),
        }
        Ok(())
    }

    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns how many values all objects have, which is a measure of the time that JavaScript takes to read them.
    pub const fn values(&self) -> usize {
        self.values
    }

    pub fn text(&self) -> String {
        let mut text = Vec::from(*b"[[");
        for (place, (shape, count)) in self.runs.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            text.extend_from_slice(format!("{comma}{shape},{count}").as_bytes());
        }
        text.push(b']');
        self.shapes.write(&mut text);
        text.push(b']');
        // All of it was written as UTF-8.
        String::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    /// Reads a text as `src/network/actions/table.ts` does.
    fn read(text: &str) -> Vec<Value> {
        let table: Vec<Value> = serde_json::from_str(text).unwrap();
        let (runs, shapes) = table.split_first().unwrap();
        let mut taken = vec![0; shapes.len()];
        let mut objects = Vec::new();
        for run in runs.as_array().unwrap().chunks(2) {
            let shape = run[0].as_u64().unwrap() as usize;
            for _ in 0..run[1].as_u64().unwrap() {
                let mut object = shapes[shape][0].clone();
                put(&mut object, &shapes[shape][1], taken[shape]);
                taken[shape] += 1;
                objects.push(object);
            }
        }
        objects
    }

    fn put(object: &mut Value, columns: &Value, row: usize) {
        for (name, column) in columns.as_object().unwrap() {
            match column.get(row) {
                Some(value) => object[name] = value.clone(),
                None => put(&mut object[name], column, row),
            }
        }
    }

    fn text_of(objects: &[impl Serialize]) -> String {
        let mut table = Table::default();
        for object in objects {
            table.add(object).unwrap();
        }
        table.text()
    }

    #[test]
    fn what_all_objects_of_a_shape_share_is_written_once() {
        let objects = [
            json!({ "dst": "a", "dev": { "index": 7 } }),
            json!({ "dst": "b", "dev": { "index": 7 } }),
            json!({ "dst": "c" }),
        ];
        // serde_json sorts the names of a value.
        let shapes = [r#"[{"dev":{"index":7},"dst":"a"},{"dev":{},"dst":["a","b"]}]"#, r#"[{"dst":"c"},{}]"#];
        assert_eq!(text_of(&objects), format!("[[0,2,1,1],{}]", shapes.join(",")));
    }

    #[test]
    fn objects_come_back_in_their_order() {
        let objects = [
            json!({ "a": 1, "b": { "c": "x", "d": { "e": null } } }),
            json!({ "a": 2, "b": { "c": "x", "d": { "e": null } } }),
            json!({ "a": 2, "b": { "c": "x" }, "d": { "e": true } }),
            json!({}),
            json!({ "a": -3, "b": { "c": "\"\\\u{7f}ü", "d": { "e": [1, { "f": [] }] } } }),
            json!({ "a": u64::MAX, "b": { "c": "", "d": { "e": [] } } }),
            json!({ "a": 0.5, "b": { "c": "x" }, "d": { "e": false } }),
            json!({}),
        ];
        assert_eq!(read(&text_of(&objects)), objects);
        assert_eq!(text_of(&objects[..0]), "[[]]");
    }

    #[test]
    fn objects_never_share_an_array() {
        assert_eq!(text_of(&[json!({ "a": [1] }), json!({ "a": [1] })]), r#"[[0,2],[{"a":null},{"a":[[1],[1]]}]]"#);
    }

    #[derive(Serialize)]
    enum Reference {
        Index(u32),
        Both { name: &'static str, id: Option<u8> },
    }

    #[derive(Serialize)]
    struct Object {
        #[serde(flatten)]
        reference: Reference,
        within: Reference,
        pair: (u8, char),
        #[serde(flatten)]
        more: BTreeMap<String, i8>,
    }

    #[test]
    fn variants_and_flattened_values_are_objects() {
        let objects = [
            Object {
                reference: Reference::Index(1),
                within: Reference::Both { name: "n", id: None },
                pair: (1, 'c'),
                more: BTreeMap::new(),
            },
            Object {
                reference: Reference::Both { name: "m", id: Some(2) },
                within: Reference::Index(2),
                pair: (2, 'ä'),
                more: BTreeMap::from([("x".into(), -1), ("y".into(), 1)]),
            },
        ];
        let expected = serde_json::to_value(&objects).unwrap();
        assert_eq!(Value::Array(read(&text_of(&objects))), expected);
    }

    #[test]
    fn nothing_else_is_in_a_table() {
        for value in [json!(1), json!("a"), json!([{}]), json!(null)] {
            assert!(Table::default().add(&value).is_err(), "{value}");
        }
        assert!(Table::default().add(&BTreeMap::from([(1, 2)])).is_err());
    }
}
