//! The compiler of libpcap, by `tcpdump -ddd`.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use nsset_capture::Instruction;

/// Whether tcpdump is installed. If not, this prints why a test is skipped.
pub fn is_installed() -> bool {
    let found = Command::new("tcpdump").arg("--version").output().is_ok();
    if !found {
        println!("skipped: tcpdump is not installed");
    }
    found
}

/// Compiles a filter for packets of a link type.
///
/// # Errors
/// What tcpdump says is wrong with it.
pub fn compile(filter: &str, link_type: u32) -> Result<Vec<Instruction>, String> {
    // Names are not resolved.
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-n", "-ddd", "-r", "-", filter]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tcpdump.spawn().unwrap();
    child.stdin.take().unwrap().write_all(empty_file(link_type).as_flattened()).unwrap();
    let output = child.wait_with_output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    Ok(text.lines().skip(1).map(instruction).collect())
}

fn instruction(line: &str) -> Instruction {
    let numbers: Vec<u32> = line.split(' ').map(|number| number.parse().unwrap()).collect();
    let [code, jump_true, jump_false, value] = numbers[..] else { panic!("not an instruction: {line}") };
    Instruction { code: code as u16, jump_true: jump_true as u8, jump_false: jump_false as u8, value }
}

/// A file of pcap without packets, which tells tcpdump the link type.
fn empty_file(link_type: u32) -> [[u8; 4]; 6] {
    [0xa1b2_c3d4, 2 | 4 << 16, 0, 0, 262_144, link_type].map(u32::to_ne_bytes)
}
