//! Writes a program from its end to its beginning. Jumps of classic BPF only go forward, so the place that one goes to is known
//! when it is written.

use std::collections::HashMap;

use super::{
    condition::{Comparison, Condition, Load, Operator, Size, Value},
    instruction::{Instruction, MOST_INSTRUCTIONS},
};

/// The codes of linux/bpf_common.h that are used.
mod code {
    pub const LOAD_WORD: u16 = 0x20;
    pub const LOAD_HALF: u16 = 0x28;
    pub const LOAD_BYTE: u16 = 0x30;
    /// Added to a load: at X + k.
    pub const INDIRECT: u16 = 0x20;
    pub const LOAD_LENGTH: u16 = 0x80;
    pub const LOAD_CONSTANT: u16 = 0x00;
    /// X = 4 * (P[k] & 0xf)
    pub const LOAD_HEADER_LENGTH: u16 = 0xb1;
    pub const AND: u16 = 0x54;
    pub const JUMP: u16 = 0x05;
    pub const JUMP_EQUAL: u16 = 0x15;
    pub const JUMP_GREATER: u16 = 0x25;
    pub const JUMP_AT_LEAST: u16 = 0x35;
    pub const RETURN: u16 = 0x06;
}

/// The farthest that a conditional jump goes.
const FARTHEST: usize = 255;

/// A place in the program: how many instructions there are from it to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(usize);

/// A program, whose last instruction comes first.
#[derive(Default)]
pub struct Assembler {
    reversed: Vec<Instruction>,
    /// The last jump to a place that is far away.
    jumps: HashMap<Label, Label>,
}

impl Assembler {
    /// Writes what ends the program with a length: how much of the packet is taken, 0 for a packet that is not.
    pub fn accept(&mut self, length: u32) -> Label {
        self.push(Instruction::new(code::RETURN, length))
    }

    /// Writes a program of someone else. Returns where it begins.
    pub fn program(&mut self, program: &[Instruction]) -> Label {
        self.reversed.extend(program.iter().rev());
        Label(self.reversed.len())
    }

    /// Writes what sets the register to 0.
    pub fn reset(&mut self) -> Label {
        self.push(Instruction::new(code::LOAD_CONSTANT, 0))
    }

    /// Writes a condition, which leads to one of two places. Returns where it begins.
    pub fn condition(&mut self, condition: &Condition, yes: Label, no: Label) -> Label {
        match condition {
            Condition::Is(comparison) => {
                self.jump(*comparison, yes, no);
                self.load(comparison.value())
            }
            Condition::Not(inner) => self.condition(inner, no, yes),
            Condition::All(all) => self.sequence(all, yes, |next| (next, no)),
            Condition::Any(any) => self.sequence(any, no, |next| (yes, next)),
        }
    }

    /// Writes conditions of which each leads to the next one, and the last one to `end`. A value that the one before has loaded is not
    /// loaded again.
    fn sequence(&mut self, parts: &[Condition], end: Label, places: impl Fn(Label) -> (Label, Label)) -> Label {
        let before = [None].into_iter().chain(parts.iter().map(Condition::value));
        let parts: Vec<_> = parts.iter().zip(before).collect();
        parts.into_iter().rev().fold(end, |next, (part, before)| {
            let (yes, no) = places(next);
            if before.is_some() && before == part.value() {
                return self.again(part, yes, no);
            }
            self.condition(part, yes, no)
        })
    }

    /// Writes a condition about a value that has been loaded.
    fn again(&mut self, condition: &Condition, yes: Label, no: Label) -> Label {
        match condition {
            Condition::Is(comparison) => self.jump(*comparison, yes, no),
            Condition::Not(inner) => self.again(inner, no, yes),
            Condition::All(_) | Condition::Any(_) => self.condition(condition, yes, no),
        }
    }

    /// Returns the program that begins at a place, or `None` if it is too long for the kernel.
    pub fn finish(mut self, start: Label) -> Option<Vec<Instruction>> {
        self.reversed.truncate(start.0);
        self.reversed.reverse();
        (self.reversed.len() <= MOST_INSTRUCTIONS).then_some(self.reversed)
    }

    fn jump(&mut self, Comparison { operator, value, .. }: Comparison, yes: Label, no: Label) -> Label {
        let code = match operator {
            Operator::Equal => code::JUMP_EQUAL,
            Operator::Greater => code::JUMP_GREATER,
            Operator::AtLeast => code::JUMP_AT_LEAST,
        };
        // The jump to the other place can move this one by one instruction.
        let yes = self.near(yes, FARTHEST - 1);
        let no = self.near(no, FARTHEST);
        let [jump_true, jump_false] = [yes, no].map(|label| self.distance(label) as u8);
        self.push(Instruction { code, jump_true, jump_false, value })
    }

    fn load(&mut self, Value { load, mask }: Value) -> Label {
        if mask != u32::MAX {
            self.push(Instruction::new(code::AND, mask));
        }
        match load {
            Load::Length => self.push(Instruction::new(code::LOAD_LENGTH, 0)),
            Load::At { offset, size } => self.push(Instruction::new(load_code(size), offset)),
            Load::BehindIpv4 { network, offset, size } => {
                self.push(Instruction::new(load_code(size) + code::INDIRECT, network + offset));
                self.push(Instruction::new(code::LOAD_HEADER_LENGTH, network))
            }
        }
    }

    /// Returns a place that leads to a label and is not farther away than this.
    fn near(&mut self, label: Label, farthest: usize) -> Label {
        if self.distance(label) <= farthest {
            return label;
        }
        if let Some(jump) = self.jumps.get(&label).filter(|jump| self.distance(**jump) <= farthest) {
            return *jump;
        }
        let jump = self.push(Instruction::new(code::JUMP, self.distance(label) as u32));
        self.jumps.insert(label, jump);
        jump
    }

    /// How many instructions the next one would skip to get to a label.
    fn distance(&self, label: Label) -> usize {
        self.reversed.len().saturating_sub(label.0)
    }

    fn push(&mut self, instruction: Instruction) -> Label {
        self.reversed.push(instruction);
        Label(self.reversed.len())
    }
}

const fn load_code(size: Size) -> u16 {
    match size {
        Size::Byte => code::LOAD_BYTE,
        Size::Half => code::LOAD_HALF,
        Size::Word => code::LOAD_WORD,
    }
}
