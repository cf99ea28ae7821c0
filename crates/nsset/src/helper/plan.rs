//! The order in which a set's namespaces are joined.

use std::sync::Arc;

use crate::{
    error::Result,
    helper::program::Program,
    kind::{Kind, Kinds},
    namespaces::namespace::{Namespace, NamespaceId},
    namespaces::set::NamespaceSet,
    proc,
    threads::thread,
};

/// Once in the user namespace, the helper may join what that owns; the pid namespace counts for its next child, and
/// the time namespace is last because a process that joined one may not share its memory (setns(2)).
const ORDER: [Kind; 8] = [Kind::User, Kind::Mnt, Kind::Uts, Kind::Ipc, Kind::Net, Kind::Cgroup, Kind::Pid, Kind::Time];

/// Those of these kinds that the set holds and the thread does not stand in.
pub fn foreign(set: &NamespaceSet, kinds: Kinds) -> Kinds {
    let wanted = kinds.iter().filter_map(|kind| set.find(kind));
    let foreign = wanted.filter(|namespace| thread::current_id(namespace.kind()) != Some(namespace.id()));
    foreign.map(|namespace| namespace.kind()).collect()
}

/// Writes the steps that go into these kinds of the set, but for those that the thread stands in, and says which they are.
/// From the first of them on nobody inside may look into the helper.
pub fn go_inside(program: &mut Program<'_>, set: &NamespaceSet, kinds: Kinds) -> Result<Kinds> {
    let foreign = foreign(set, kinds);
    if foreign.contains(Kind::User) {
        program.hold_proc(proc::hold()?);
    }
    program.undumpable();
    join(program, set, foreign);
    Ok(foreign)
}

/// Writes the steps that join these kinds of the set.
pub fn join(program: &mut Program<'_>, set: &NamespaceSet, kinds: Kinds) {
    let wanted = ORDER.into_iter().filter(|kind| kinds.contains(*kind)).filter_map(|kind| set.find(kind));
    for namespace in in_order(&wanted.collect::<Vec<_>>()) {
        program.setns(namespace);
    }
}

/// What is owned above the set's user namespace can be joined only before all capabilities up there are given up.
fn in_order(wanted: &[&Arc<Namespace>]) -> Vec<Arc<Namespace>> {
    let Some(user) = wanted.iter().find(|namespace| namespace.kind() == Kind::User).map(|user| user.id()) else {
        return wanted.iter().copied().cloned().collect();
    };
    let is_below = |namespace: &Arc<Namespace>| namespace.kind() == Kind::User || is_owned_within(namespace, user);
    let (below, above): (Vec<_>, Vec<_>) = wanted.iter().copied().cloned().partition(is_below);
    by_way_of_their_owners(above).into_iter().chain(below).collect()
}

/// Between the caller's user namespace and the set's there may be others, whose namespaces the set holds too: an ordinary
/// user has the capability to join those only from inside of their owners, the outermost first.
fn by_way_of_their_owners(above: Vec<Arc<Namespace>>) -> Vec<Arc<Namespace>> {
    let mut owned: Vec<_> = above
        .into_iter()
        .map(|namespace| {
            let owner = namespace.owner().ok().filter(|owner| Some(owner.id()) != thread::current_id(Kind::User));
            (owner.as_ref().map_or(0, depth), owner, namespace)
        })
        .collect();
    owned.sort_by_key(|(depth, ..)| *depth);
    let mut order: Vec<Arc<Namespace>> = Vec::new();
    for (_, owner, namespace) in owned {
        if let Some(owner) = owner.filter(|owner| !order.iter().any(|joined| joined.id() == owner.id())) {
            order.push(Arc::new(owner));
        }
        order.push(namespace);
    }
    order
}

/// How many user namespaces are above this one, as far as the caller may see.
fn depth(user: &Namespace) -> usize {
    std::iter::successors(user.parent().ok(), |above| above.parent().ok()).count()
}

/// Whether the namespace belongs to this user namespace or to one below it.
fn is_owned_within(namespace: &Namespace, user: NamespaceId) -> bool {
    if namespace.owner_id() == Some(user) {
        return true;
    }
    let owners = std::iter::successors(namespace.owner().ok(), |owner| owner.parent().ok());
    owners.into_iter().any(|owner| owner.id() == user)
}
