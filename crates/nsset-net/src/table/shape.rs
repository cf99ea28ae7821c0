//! The shapes of objects.

use std::{borrow::Cow, ptr};

use super::{
    column::Column,
    row::{Row, START},
};

/// What comes next in an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A property with a value.
    Value,
    /// A property with an object, whose properties follow.
    Object,
    /// The end of an object.
    End,
}

/// The name of a property.
#[derive(Clone, Copy, Debug)]
pub enum Name<'a> {
    /// From the code of this program.
    Static(&'static str),
    Dynamic(&'a str),
}

impl<'a> Name<'a> {
    #[expect(clippy::match_same_arms, reason = "the names live for different times")]
    fn text(self) -> &'a str {
        match self {
            Self::Static(name) => name,
            Self::Dynamic(name) => name,
        }
    }

    /// Names are mostly the same bytes in memory, which are the quickest to compare.
    fn is(self, known: &str) -> bool {
        ptr::eq(known, self.text()) || known == self.text()
    }

    fn into_owned(self) -> Cow<'static, str> {
        match self {
            Self::Static(name) => Cow::Borrowed(name),
            Self::Dynamic(name) => Cow::Owned(name.into()),
        }
    }
}

/// A way through the properties of objects. Objects that begin in the same way share the steps up to the first difference.
#[derive(Debug)]
struct Step {
    kind: Kind,
    name: Cow<'static, str>,
    before: usize,
    /// The first of the steps that can follow, and the next of those that can follow the one before.
    next: Option<usize>,
    other: Option<usize>,
    /// The shape of the objects that end here.
    shape: Option<usize>,
}

/// The shapes that were found.
#[derive(Debug)]
pub struct Shapes {
    steps: Vec<Step>,
    shapes: Vec<Shape>,
}

/// Objects with the same properties.
#[derive(Debug)]
struct Shape {
    /// The steps of the objects, without the first.
    steps: Vec<usize>,
    columns: Vec<Column>,
    rows: usize,
}

impl Default for Shapes {
    fn default() -> Self {
        let start =
            Step { kind: Kind::Object, name: Cow::Borrowed(""), before: START, next: None, other: None, shape: None };
        Self { steps: vec![start], shapes: Vec::new() }
    }
}

impl Shapes {
    /// Returns the step that follows another one.
    pub fn follow(&mut self, before: usize, kind: Kind, name: Name<'_>) -> usize {
        let mut next = self.steps.get(before).and_then(|step| step.next);
        while let Some((at, step)) = next.and_then(|at| self.steps.get(at).map(|step| (at, step))) {
            if step.kind == kind && name.is(&step.name) {
                return at;
            }
            next = step.other;
        }
        let at = self.steps.len();
        let other = self.steps.get_mut(before).and_then(|step| step.next.replace(at));
        self.steps.push(Step { kind, name: name.into_owned(), before, next: None, other, shape: None });
        at
    }

    /// Adds an object, and returns the number of its shape.
    pub fn add(&mut self, row: &Row) -> usize {
        let known = self.steps.get(row.end).and_then(|step| step.shape);
        if let Some((number, shape)) = known.and_then(|number| self.shapes.get_mut(number).map(|shape| (number, shape)))
        {
            for (column, cell) in shape.columns.iter_mut().zip(&row.cells) {
                column.add(cell, &row.bytes, shape.rows);
            }
            shape.rows += 1;
            return number;
        }
        let columns = row.cells.iter().map(|cell| Column::of(cell, &row.bytes)).collect();
        let number = self.shapes.len();
        self.shapes.push(Shape { steps: self.steps_to(row.end), columns, rows: 1 });
        if let Some(step) = self.steps.get_mut(row.end) {
            step.shape = Some(number);
        }
        number
    }

    fn steps_to(&self, end: usize) -> Vec<usize> {
        let mut steps = Vec::new();
        let mut at = end;
        while at != START {
            steps.push(at);
            at = self.steps.get(at).map_or(START, |step| step.before);
        }
        steps.reverse();
        steps
    }

    /// Writes the template of each shape, and its columns.
    pub fn write(&self, text: &mut Vec<u8>) {
        for shape in &self.shapes {
            text.extend_from_slice(b",[");
            self.write_object(shape, text, |column, name, text| {
                write_name(name, text);
                column.write_first(text);
            });
            text.push(b',');
            self.write_object(shape, text, |column, name, text| {
                let Some(values) = column.values() else { return };
                write_name(name, text);
                text.push(b'[');
                text.extend_from_slice(values);
                text.push(b']');
            });
            text.push(b']');
        }
    }

    fn write_object(&self, shape: &Shape, text: &mut Vec<u8>, write: impl Fn(&Column, &str, &mut Vec<u8>)) {
        let mut columns = shape.columns.iter();
        text.push(b'{');
        for step in shape.steps.iter().filter_map(|at| self.steps.get(*at)) {
            match step.kind {
                Kind::Value => {
                    if let Some(column) = columns.next() {
                        write(column, &step.name, text);
                    }
                }
                Kind::Object => {
                    write_name(&step.name, text);
                    text.push(b'{');
                }
                Kind::End => text.push(b'}'),
            }
        }
        text.push(b'}');
    }
}

/// Writes the name of a property, after a comma if it is not the first of its object.
fn write_name(name: &str, text: &mut Vec<u8>) {
    if text.last() != Some(&b'{') {
        text.push(b',');
    }
    // A text can always be written to memory.
    let _ = serde_json::to_writer(&mut *text, name);
    text.push(b':');
}
