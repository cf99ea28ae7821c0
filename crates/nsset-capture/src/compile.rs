//! From the filter and the direction of a capture to a program.

use crate::{
    error::Error,
    filter::{Layout, lower, parse},
    link_type::LinkType,
    options::{Direction, Filter, Options},
    program::{self, Assembler, Condition, Instruction, Label, MOST_INSTRUCTIONS, extension, simplify},
};

/// The index of the loopback link in every network.
const LOOPBACK: u32 = 1;
const PACKET_OUTGOING: u32 = 4;

const ALWAYS: Condition = Condition::All(vec![]);

/// Compiles the filter and the direction to a program.
pub fn compile(options: &Options, link: LinkType) -> Result<Vec<Instruction>, Error> {
    let direction = in_direction(options);
    let mut assembler = Assembler::default();
    let (start, refuse) = match &options.filter {
        Filter::Program(bytes) => {
            let start = assembler.program(&program::read(bytes)?);
            // It begins with registers that are 0, as the kernel guarantees.
            let start = if direction == ALWAYS { start } else { assembler.reset() };
            (start, assembler.accept(0))
        }
        Filter::Text(text) => {
            let refuse = assembler.accept(0);
            let accept = assembler.accept(options.snap_length);
            (expression(&mut assembler, text, link, accept, refuse)?, refuse)
        }
    };
    let start = assembler.condition(&direction, start, refuse);
    let too_long = || Error::Program(format!("the filter needs more than {MOST_INSTRUCTIONS} instructions of BPF"));
    assembler.finish(start).ok_or_else(too_long)
}

fn expression(
    assembler: &mut Assembler,
    text: &str,
    link: LinkType,
    accept: Label,
    refuse: Label,
) -> Result<Label, Error> {
    let Some(expression) = parse(text)? else { return Ok(accept) };
    let condition = simplify(lower(&expression, Layout::of(link))?);
    Ok(assembler.condition(&condition, accept, refuse))
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
        Direction::Both => ALWAYS,
    }
}
