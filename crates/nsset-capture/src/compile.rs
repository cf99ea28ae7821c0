//! From the filter and the direction of a capture to a program.

use crate::{
    error::Error,
    filter::{Layout, lower, parse},
    link_type::LinkType,
    options::{Direction, Filter, Options},
    program::{self, Assembler, Condition, Instruction, MOST_INSTRUCTIONS, extension, simplify},
};

/// The index of the loopback link in every network.
const LOOPBACK: u32 = 1;
const PACKET_OUTGOING: u32 = 4;

/// Compiles the filter and the direction to a program.
pub fn compile(options: &Options, link: LinkType) -> Result<Vec<Instruction>, Error> {
    let mut assembler = Assembler::default();
    let refuse = assembler.accept(0);
    let start = match &options.filter {
        Filter::Program(bytes) => assembler.program(&program::read(bytes)?),
        Filter::Text(text) => {
            let accept = assembler.accept(options.snap_length);
            match parse(text)? {
                Some(expression) => {
                    assembler.condition(&simplify(lower(&expression, Layout::of(link))?), accept, refuse)
                }
                None => accept,
            }
        }
    };
    let start = assembler.condition(&in_direction(options), start, refuse);
    let too_long = || Error::Program(format!("the filter needs more than {MOST_INSTRUCTIONS} instructions of BPF"));
    assembler.finish(start).ok_or_else(too_long)
}

/// A packet that a loopback link sends is received by it, and would be captured twice.
fn in_direction(options: &Options) -> Condition {
    let is_outgoing = Condition::equal(extension::PACKET_TYPE, PACKET_OUTGOING);
    let is_of_loopback = Condition::equal(extension::LINK_INDEX, LOOPBACK);
    match options.direction {
        Direction::In => is_outgoing.not(),
        Direction::Out => is_outgoing,
        Direction::Both if options.link == LOOPBACK => is_outgoing.not(),
        Direction::Both if options.link == 0 => Condition::All(vec![is_outgoing, is_of_loopback]).not(),
        Direction::Both => Condition::All(vec![]),
    }
}
