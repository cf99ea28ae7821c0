//! Filters of system calls (seccomp(2)), compiled from names.
//!
//! The crate `seccompiler` compiles one list of rules with two outcomes. A filter here has several lists: each is
//! compiled by itself, and what it does not match goes on to the next one. Calls without conditions need no such rules.

use std::collections::{BTreeMap, BTreeSet};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
};
use serde::Deserialize;

use crate::{
    confinement::instructions::{jump, load_number},
    confinement::numbers,
    confinement::system_call_names::{self, Known},
    error::{Error, Result},
};

/// The most instructions that the kernel accepts (`BPF_MAXINSNS`).
const MOST_INSTRUCTIONS: usize = 4096;

/// What happens at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Allow,
    /// It runs, and the kernel logs it.
    Log,
    /// It fails with an error number.
    Deny,
    /// The process ends by SIGSYS.
    Kill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// A condition on an argument.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    /// From 0.
    index: u8,
    operator: Operator,
    value: u64,
    /// The bits that are compared, with `Equal`.
    mask: Option<u64>,
    /// Whether the kernel reads all 64 bits of it.
    is_long: bool,
}

/// A system call, by its name or number, and the conditions that all have to hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Call {
    name: Option<String>,
    number: Option<u32>,
    conditions: Vec<Condition>,
}

/// System calls with the same outcome.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct List {
    action: Action,
    /// Of `Deny`.
    errno: u32,
    calls: Vec<Call>,
}

/// A filter. The API passes it on in this form.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemCallFilter {
    /// The first list that matches decides.
    lists: Vec<List>,
    default_action: Action,
    default_errno: u32,
    /// Whether numbers above all that have a name fail with ENOSYS.
    denies_unknown: bool,
}

/// A filter as instructions for the kernel, of eight bytes each (`struct sock_filter` of linux/filter.h).
#[derive(Clone, Debug)]
pub struct Filter {
    instructions: Vec<u8>,
    is_checked: bool,
}

impl Filter {
    /// Instructions of the caller. The kernel checks only that they can be executed.
    pub fn unchecked(instructions: Vec<u8>) -> Self {
        Self { instructions, is_checked: false }
    }

    pub fn instructions(&self) -> &[u8] {
        &self.instructions
    }

    /// Whether it certainly lets the child execute the program, or end.
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }
}

impl SystemCallFilter {
    pub fn compile(&self) -> Result<Filter> {
        self.check_start()?;
        let mut program = opening();
        for list in &self.lists {
            program.extend(section(list)?);
        }
        if self.denies_unknown {
            program.extend([load_number(), jump_unless_greater(system_call_names::LAST), fail(libc::ENOSYS as u32)]);
        }
        program.push(end_with(outcome(self.default_action, self.default_errno)));
        let length = program.len();
        if length > MOST_INSTRUCTIONS {
            return Err(Error::InvalidArgument(format!(
                "the filter has {length} instructions, and the kernel accepts {MOST_INSTRUCTIONS}"
            )));
        }
        Ok(Filter { instructions: program.iter().flat_map(bytes_of).collect(), is_checked: true })
    }

    /// The filter is in effect when the child executes the program, and when it ends because that failed. If the kernel
    /// killed the child there, while it shares our memory, kernels before 5.16 could end this process with it.
    fn check_start(&self) -> Result<()> {
        for (name, number) in [("execve", libc::SYS_execve), ("exit_group", libc::SYS_exit_group)] {
            if !self.always_allows(number as u32) {
                let message =
                    format!("the filter does not always allow '{name}', which the start of the program takes");
                return Err(Error::InvalidArgument(message));
            }
        }
        Ok(())
    }

    fn always_allows(&self, number: u32) -> bool {
        let is_allowed = |action| matches!(action, Action::Allow | Action::Log);
        for list in &self.lists {
            let mut calls = list.calls.iter().filter(|call| call.is(number)).peekable();
            let is_there = calls.peek().is_some();
            if is_there && !is_allowed(list.action) {
                return false;
            }
            if calls.any(|call| call.conditions.is_empty()) {
                return true;
            }
        }
        is_allowed(self.default_action)
    }
}

impl Call {
    /// Its number here, if it has one.
    fn resolve(&self) -> Result<Option<u32>> {
        let Some(name) = &self.name else { return Ok(self.number) };
        match system_call_names::find(name) {
            Some(Known::Here(number)) => Ok(Some(number)),
            Some(Known::Elsewhere) => Ok(None),
            None => Err(Error::InvalidArgument(format!("'{name}' is not a system call"))),
        }
    }

    fn is(&self, number: u32) -> bool {
        self.resolve().is_ok_and(|own| own == Some(number))
    }

    fn rule(&self) -> Result<SeccompRule> {
        let conditions = self.conditions.iter().map(Condition::compile).collect::<Result<_>>()?;
        SeccompRule::new(conditions).map_err(refused)
    }
}

impl Condition {
    fn compile(&self) -> Result<SeccompCondition> {
        let operator = match (self.operator, self.mask) {
            (Operator::Equal, Some(mask)) => SeccompCmpOp::MaskedEq(mask),
            (Operator::Equal, None) => SeccompCmpOp::Eq,
            (Operator::NotEqual, _) => SeccompCmpOp::Ne,
            (Operator::Less, _) => SeccompCmpOp::Lt,
            (Operator::AtMost, _) => SeccompCmpOp::Le,
            (Operator::Greater, _) => SeccompCmpOp::Gt,
            (Operator::AtLeast, _) => SeccompCmpOp::Ge,
        };
        let length = if self.is_long { SeccompCmpArgLen::Qword } else { SeccompCmpArgLen::Dword };
        SeccompCondition::new(self.index, length, operator, self.value).map_err(refused)
    }
}

/// The outcome of a section for a call that it does not match. It is replaced by a jump behind the section.
const GOES_ON: SeccompAction = SeccompAction::Trace(0xffff);

/// The instructions of one list. A call that it does not match leaves it at its end.
fn section(list: &List) -> Result<BpfProgram> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut unconditional = BTreeSet::new();
    for call in &list.calls {
        let Some(number) = call.resolve()? else { continue };
        if call.conditions.is_empty() {
            unconditional.insert(number);
        } else {
            rules.entry(number.into()).or_default().push(call.rule()?);
        }
    }
    let action = outcome(list.action, list.errno);
    let mut section = numbers::section(&unconditional, end_with(action.clone()));
    section.extend(conditional_section(rules, action)?);
    Ok(section)
}

/// The instructions for calls with conditions, of which those of one rule have to hold.
fn conditional_section(rules: BTreeMap<i64, Vec<SeccompRule>>, action: SeccompAction) -> Result<BpfProgram> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let filter = SeccompFilter::new(rules, GOES_ON, action, TARGET).map_err(refused)?;
    let compiled: BpfProgram = filter.try_into().map_err(refused)?;
    // The check of the architecture is in the opening.
    let mut instructions = compiled.get(ARCHITECTURE_CHECK..).unwrap_or_default().to_vec();
    let goes_on = end_with(GOES_ON);
    let length = instructions.len();
    for (index, instruction) in instructions.iter_mut().enumerate() {
        if *instruction == goes_on {
            *instruction = jump((length - index - 1) as u32);
        }
    }
    Ok(instructions)
}

#[cfg(target_arch = "x86_64")]
const TARGET: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const TARGET: TargetArch = TargetArch::aarch64;

/// How many instructions `seccompiler` begins with, which end a process that calls by another architecture.
const ARCHITECTURE_CHECK: usize = 3;

/// Ends a process that makes a system call of another architecture, whose numbers mean other calls. Those of the x32 ABI
/// have the architecture of x86-64 and a bit in their number; they fail, as on a kernel without x32.
fn opening() -> BpfProgram {
    const X32_BIT: u32 = 0x4000_0000;
    let nothing = SeccompFilter::new(BTreeMap::new(), SeccompAction::Allow, GOES_ON, TARGET);
    let compiled = nothing.and_then(BpfProgram::try_from).unwrap_or_default();
    let mut opening = compiled.get(..ARCHITECTURE_CHECK).unwrap_or_default().to_vec();
    if cfg!(target_arch = "x86_64") {
        opening.extend([load_number(), jump_unless_greater(X32_BIT - 1), fail(libc::ENOSYS as u32)]);
    }
    opening
}

fn outcome(action: Action, errno: u32) -> SeccompAction {
    match action {
        Action::Allow => SeccompAction::Allow,
        Action::Log => SeccompAction::Log,
        Action::Deny => SeccompAction::Errno(errno),
        Action::Kill => SeccompAction::KillProcess,
    }
}

/// Skips the next instruction, unless the number is greater.
const fn jump_unless_greater(number: u32) -> sock_filter {
    sock_filter { code: (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16, jt: 0, jf: 1, k: number }
}

fn fail(errno: u32) -> sock_filter {
    end_with(SeccompAction::Errno(errno))
}

fn end_with(action: SeccompAction) -> sock_filter {
    sock_filter { code: (libc::BPF_RET | libc::BPF_K) as u16, jt: 0, jf: 0, k: action.into() }
}

fn bytes_of(instruction: &sock_filter) -> [u8; 8] {
    let sock_filter { code, jt, jf, k } = instruction;
    let mut bytes = [0; 8];
    let fields = code.to_ne_bytes().into_iter().chain([*jt, *jf]).chain(k.to_ne_bytes());
    for (place, byte) in bytes.iter_mut().zip(fields) {
        *place = byte;
    }
    bytes
}

fn refused(error: seccompiler::BackendError) -> Error {
    Error::InvalidArgument(format!("the filter cannot be compiled: {error}"))
}
