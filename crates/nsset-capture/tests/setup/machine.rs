//! A machine of classic BPF: what the kernel does with a program.

use nsset_capture::Instruction;

/// What the kernel knows of a packet besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Knowledge {
    pub protocol: u32,
    pub packet_type: u32,
    pub link: u32,
    pub vlan_tag: Option<u32>,
}

const EXTENSIONS: u32 = 0xffff_f000;

/// Returns how much of the packet the program takes. A load behind the end of the packet ends the program with 0.
pub fn run(program: &[Instruction], packet: &[u8], knowledge: Knowledge) -> u32 {
    execute(program, packet, knowledge).unwrap_or(0)
}

fn execute(program: &[Instruction], packet: &[u8], knowledge: Knowledge) -> Option<u32> {
    let (mut a, mut x, mut next) = (0u32, 0u32, 0usize);
    let mut memory = [0u32; 16];
    loop {
        let Instruction { code, jump_true, jump_false, value: k } = *program.get(next).expect("the program has no end");
        next += 1;
        let load = |offset: u32, size: usize| number(packet, knowledge, offset, size);
        let jump = |condition: bool| usize::from(if condition { jump_true } else { jump_false });
        match code {
            0x20 => a = load(k, 4)?,
            0x28 => a = load(k, 2)?,
            0x30 => a = load(k, 1)?,
            0x40 => a = load(x.wrapping_add(k), 4)?,
            0x48 => a = load(x.wrapping_add(k), 2)?,
            0x50 => a = load(x.wrapping_add(k), 1)?,
            0x80 => a = packet.len() as u32,
            0x00 => a = k,
            0x01 => x = k,
            0xb1 => x = 4 * (load(k, 1)? & 0xf),
            0x60 => a = memory[k as usize],
            0x61 => x = memory[k as usize],
            0x02 => memory[k as usize] = a,
            0x03 => memory[k as usize] = x,
            0x04 => a = a.wrapping_add(k),
            0x0c => a = a.wrapping_add(x),
            0x54 => a &= k,
            0x74 => a = a.wrapping_shr(k),
            0x05 => next += k as usize,
            0x15 => next += jump(a == k),
            0x25 => next += jump(a > k),
            0x35 => next += jump(a >= k),
            0x45 => next += jump(a & k != 0),
            0x07 => x = a,
            0x87 => a = x,
            0x06 => return Some(k),
            0x16 => return Some(a),
            other => panic!("an instruction that the machine does not have: {other:#x}"),
        }
    }
}

fn number(packet: &[u8], knowledge: Knowledge, offset: u32, size: usize) -> Option<u32> {
    match offset.checked_sub(EXTENSIONS) {
        Some(0) => return Some(knowledge.protocol),
        Some(4) => return Some(knowledge.packet_type),
        Some(8) => return Some(knowledge.link),
        Some(44) => return Some(knowledge.vlan_tag.unwrap_or(0)),
        Some(48) => return Some(knowledge.vlan_tag.is_some().into()),
        Some(other) => panic!("an extension that the machine does not have: {other}"),
        None => {}
    }
    let bytes = packet.get(offset as usize..)?.get(..size)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
