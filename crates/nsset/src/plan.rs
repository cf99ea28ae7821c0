//! The order in which a set's namespaces are joined.

use std::sync::Arc;

use crate::{
    kind::{Kind, Kinds},
    namespace::{Namespace, NamespaceId},
    program::Program,
    set::NamespaceSet,
    thread,
};

/// Once in the user namespace, the helper may join what that owns; the pid namespace counts for its next child, and
/// the time namespace is last because a process that joined one may not share its memory (setns(2)).
const ORDER: [Kind; 8] = [Kind::User, Kind::Mnt, Kind::Uts, Kind::Ipc, Kind::Net, Kind::Cgroup, Kind::Pid, Kind::Time];

/// Writes the steps that join these kinds of the set, those the thread stands in already left out. The answer is what
/// was joined.
pub fn join<'fd>(program: &mut Program<'fd>, set: &'fd NamespaceSet, kinds: Kinds) -> Kinds {
    let joined: Vec<_> = in_order(set, kinds);
    for namespace in &joined {
        program.setns(namespace);
    }
    joined.iter().map(|namespace| namespace.kind()).collect()
}

fn in_order(set: &NamespaceSet, kinds: Kinds) -> Vec<&Arc<Namespace>> {
    let foreign = |namespace: &&Arc<Namespace>| thread::stands_in(namespace.kind()) != Some(namespace.id());
    let wanted = ORDER.into_iter().filter(|kind| kinds.contains(*kind)).filter_map(|kind| set.find(kind));
    let wanted: Vec<_> = wanted.filter(foreign).collect();
    let Some(user) = wanted.iter().find(|namespace| namespace.kind() == Kind::User).map(|user| user.id()) else {
        return wanted;
    };
    // What is owned above the user namespace can be joined only before all capabilities up there are given up.
    let (below, above): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|namespace| namespace.kind() == Kind::User || is_owned_within(namespace, user));
    above.into_iter().chain(below).collect()
}

/// Whether the namespace belongs to this user namespace or to one below it.
fn is_owned_within(namespace: &Namespace, user: NamespaceId) -> bool {
    if namespace.owner_id() == Some(user) {
        return true;
    }
    let mut ancestor = namespace.owner().and_then(|owner| owner.parent());
    while let Ok(above) = ancestor {
        if above.id() == user {
            return true;
        }
        ancestor = above.parent();
    }
    false
}
