//! Whether a flow may begin.

use crate::{
    flows::{Flow, own_address::is_own},
    reports::{Refusal, What},
    rules::{Reason, Verdict},
    shared::Shared,
};

/// Judges a new flow. Waits for the owner of the uplink if no rule settles it.
pub async fn ask(flow: &Flow, shared: &Shared) -> Result<(), Reason> {
    let names = shared.memory.borrow().names(flow.to.address);
    flow.is_own.set(is_own(flow.to.address));
    flow.names.borrow_mut().clone_from(&names);
    flow.is_judged.set(true);
    let verdict = shared.rules.borrow().judge(flow.to, &names, flow.is_own.get());
    match verdict {
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

/// Reports that a flow is refused.
pub fn refuse(flow: &Flow, shared: &Shared, reason: Reason) {
    let said = flow.said.borrow().clone();
    let name = said.or_else(|| flow.names.borrow().first().cloned());
    shared.refuse(Refusal { what: What::Flow(flow.to), name, reason });
}
