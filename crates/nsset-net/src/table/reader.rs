//! Reads an object as serde describes it.

use std::fmt::{self, Display, Write};

use serde::{
    Serialize, Serializer,
    ser::{self, Impossible, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant},
};

use super::{
    cell::Cell,
    row::Row,
    shape::{Kind, Name, Shapes},
};

/// Why an object cannot be part of a table.
#[derive(Debug)]
pub struct Unwritable(String);

impl Display for Unwritable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unwritable {}

impl ser::Error for Unwritable {
    fn custom<T: Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// What the next value is.
#[derive(Clone, Copy)]
enum Place {
    /// The object itself.
    Whole,
    /// The value of the property with this name.
    Property(&'static str),
    /// The name of a property of a map.
    Key,
    /// The value of the property whose name was read last.
    Entry,
}

pub struct Reader<'a> {
    row: &'a mut Row,
    shapes: &'a mut Shapes,
    place: Place,
    /// The latest name of a property of a map.
    key: String,
}

impl<'a> Reader<'a> {
    pub fn new(row: &'a mut Row, shapes: &'a mut Shapes) -> Self {
        Self { row, shapes, place: Place::Whole, key: String::new() }
    }

    /// Takes the step to the property whose value comes next.
    fn follow(&mut self, kind: Kind) -> Result<(), Unwritable> {
        let name = match self.place {
            Place::Property(name) => Name::Static(name),
            Place::Entry => Name::Dynamic(&self.key),
            Place::Whole | Place::Key => return Err(Unwritable("a table has objects, whose names are texts".into())),
        };
        self.row.end = self.shapes.follow(self.row.end, kind, name);
        Ok(())
    }

    fn put(&mut self, cell: Cell) -> Result<(), Unwritable> {
        self.follow(Kind::Value)?;
        self.row.cells.push(cell);
        Ok(())
    }

    /// Puts the text that was written behind this place.
    fn put_text(&mut self, start: usize) -> Result<(), Unwritable> {
        self.put(Cell::Text(start..self.row.bytes.len()))
    }

    /// Begins an object. The whole object has neither a begin nor an end.
    fn open(&mut self) -> Result<Properties<'_, 'a>, Unwritable> {
        if let Place::Whole = self.place {
            return Ok(Properties { reader: self, ends: 0 });
        }
        self.follow(Kind::Object)?;
        Ok(Properties { reader: self, ends: 1 })
    }
}

impl<'r, 'a> Serializer for &'r mut Reader<'a> {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Elements<'r, 'a>;
    type SerializeTuple = Elements<'r, 'a>;
    type SerializeTupleStruct = Elements<'r, 'a>;
    type SerializeTupleVariant = Impossible<(), Unwritable>;
    type SerializeMap = Properties<'r, 'a>;
    type SerializeStruct = Properties<'r, 'a>;
    type SerializeStructVariant = Properties<'r, 'a>;

    fn serialize_bool(self, value: bool) -> Result<(), Unwritable> {
        self.put(Cell::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Unwritable> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Unwritable> {
        self.put(Cell::Signed(value))
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unwritable> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unwritable> {
        self.put(Cell::Unsigned(value))
    }

    fn serialize_f32(self, value: f32) -> Result<(), Unwritable> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritable> {
        self.put(Cell::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<(), Unwritable> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Unwritable> {
        if let Place::Key = self.place {
            self.key.clear();
            self.key.push_str(value);
            return Ok(());
        }
        let start = self.row.bytes.len();
        self.row.bytes.extend_from_slice(value.as_bytes());
        self.put_text(start)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        let start = self.row.bytes.len();
        write!(Appended(&mut self.row.bytes), "{value}").map_err(ser::Error::custom)?;
        self.put_text(start)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Unwritable> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), Unwritable> {
        self.put(Cell::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Unwritable> {
        self.put(Cell::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Unwritable> {
        self.put(Cell::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unwritable> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unwritable> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unwritable> {
        let mut properties = self.open()?;
        SerializeStruct::serialize_field(&mut properties, variant, value)?;
        SerializeStruct::end(properties)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'r, 'a>, Unwritable> {
        let start = self.row.bytes.len();
        self.row.bytes.push(b'[');
        Ok(Elements { reader: self, start })
    }

    fn serialize_tuple(self, length: usize) -> Result<Elements<'r, 'a>, Unwritable> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Elements<'r, 'a>, Unwritable> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Unwritable>, Unwritable> {
        Err(Unwritable(format!("no object has a tuple named {variant}")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Properties<'r, 'a>, Unwritable> {
        self.open()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Properties<'r, 'a>, Unwritable> {
        self.open()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Properties<'r, 'a>, Unwritable> {
        let Properties { reader, ends } = self.open()?;
        reader.place = Place::Property(variant);
        let inner = reader.open()?;
        Ok(Properties { ends: ends + inner.ends, ..inner })
    }
}

/// The elements of an array, which is JSON: an array has no columns.
pub struct Elements<'r, 'a> {
    reader: &'r mut Reader<'a>,
    start: usize,
}

impl SerializeSeq for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let bytes = &mut self.reader.row.bytes;
        if bytes.len() > self.start + 1 {
            bytes.push(b',');
        }
        serde_json::to_writer(bytes, value).map_err(ser::Error::custom)
    }

    fn end(self) -> Result<(), Unwritable> {
        self.reader.row.bytes.push(b']');
        self.reader.put(Cell::Array(self.start..self.reader.row.bytes.len()))
    }
}

impl ser::SerializeTuple for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Unwritable> {
        SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Elements<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Unwritable> {
        SerializeSeq::end(self)
    }
}

/// The properties of an object.
pub struct Properties<'r, 'a> {
    reader: &'r mut Reader<'a>,
    /// How many objects end with it.
    ends: usize,
}

impl SerializeStruct for Properties<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        self.reader.place = Place::Property(name);
        value.serialize(&mut *self.reader)
    }

    fn end(self) -> Result<(), Unwritable> {
        for _ in 0..self.ends {
            self.reader.row.end = self.reader.shapes.follow(self.reader.row.end, Kind::End, Name::Static(""));
        }
        Ok(())
    }
}

impl SerializeStructVariant for Properties<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
        SerializeStruct::serialize_field(self, name, value)
    }

    fn end(self) -> Result<(), Unwritable> {
        SerializeStruct::end(self)
    }
}

impl SerializeMap for Properties<'_, '_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.reader.place = Place::Key;
        key.serialize(&mut *self.reader)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        self.reader.place = Place::Entry;
        value.serialize(&mut *self.reader)
    }

    fn end(self) -> Result<(), Unwritable> {
        SerializeStruct::end(self)
    }
}

/// Writes texts behind bytes.
struct Appended<'a>(&'a mut Vec<u8>);

impl Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
