//! Whether a flow may begin.

use crate::{
    flows::Flow,
    reports::{Refusal, What},
    rules::{Reason, Verdict},
    shared::Shared,
};

/// Judges a new flow. Waits for the owner of the uplink if no rule settles it.
pub async fn ask(flow: &Flow, shared: &Shared) -> Result<(), Reason> {
    let names = shared.memory.borrow().names(flow.to.address);
    flow.names.borrow_mut().clone_from(&names);
    flow.is_judged.set(true);
    match judge(flow, shared, &names) {
        Verdict::Allowed => {}
        Verdict::AllowedByName => flow.by_name.set(true),
        Verdict::Refused(reason) => return Err(reason),
        Verdict::Ask => {
            shared.questions.ask(flow.to, names, shared.settings.patience).await?;
            flow.decided();
            // The rules may have changed meanwhile.
            if !flow.is_allowed_by(&shared.rules.borrow()) {
                return Err(Reason::Denied);
            }
        }
    }
    Ok(())
}

/// Only what is allowed otherwise can be one of the host's own addresses, which the kernel is asked for: a flood of others costs less.
fn judge(flow: &Flow, shared: &Shared, names: &[String]) -> Verdict {
    let rules = shared.rules.borrow();
    let verdict = rules.judge(flow.to, names, false);
    if matches!(verdict, Verdict::Refused(_)) || !shared.own.has(flow.to.address) {
        return verdict;
    }
    flow.is_own.set(true);
    rules.judge(flow.to, names, true)
}

/// Reports that a flow is refused.
pub fn refuse(flow: &Flow, shared: &Shared, reason: Reason) {
    let said = flow.said.borrow().clone();
    let name = said.or_else(|| flow.names.borrow().first().cloned());
    shared.refuse(Refusal { what: What::Flow(flow.to), name, reason });
}
