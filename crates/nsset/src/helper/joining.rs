//! The order in which the namespaces of a set are joined.

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

/// In the user namespace, the helper may join the namespaces that it owns. The pid namespace takes effect for the next
/// child. The time namespace is last, because a process that joins one may not share its memory (setns(2)).
const ORDER: [Kind; 8] = [Kind::User, Kind::Mnt, Kind::Uts, Kind::Ipc, Kind::Net, Kind::Cgroup, Kind::Pid, Kind::Time];

/// The kinds, of these, that the set holds and the thread is not in.
pub fn foreign(set: &NamespaceSet, kinds: Kinds) -> Kinds {
    let wanted = kinds.iter().filter_map(|kind| set.find(kind));
    let foreign = wanted.filter(|namespace| thread::current_id(namespace.kind()) != Some(namespace.id()));
    foreign.map(|namespace| namespace.kind()).collect()
}

/// Writes the steps that join these kinds of the set, except those that the thread is in, and returns which kinds they
/// are. The helper is undumpable before the first of them, so that no process inside can inspect it.
pub fn enter(program: &mut Program<'_>, set: &NamespaceSet, kinds: Kinds) -> Result<Kinds> {
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

/// A namespace that is owned above the user namespace of the set can be joined only before the helper gives up its
/// capabilities there.
fn in_order(wanted: &[&Arc<Namespace>]) -> Vec<Arc<Namespace>> {
    let Some(user) = wanted.iter().find(|namespace| namespace.kind() == Kind::User).map(|user| user.id()) else {
        return wanted.iter().copied().cloned().collect();
    };
    let is_below = |namespace: &Arc<Namespace>| namespace.kind() == Kind::User || is_owned_within(namespace, user);
    let (below, above): (Vec<_>, Vec<_>) = wanted.iter().copied().cloned().partition(is_below);
    by_way_of_their_owners(above).into_iter().chain(below).collect()
}

/// There may be further user namespaces between that of the caller and that of the set, and the set may hold namespaces
/// that they own. An ordinary user has the capability to join those only inside their owners, so these are joined
/// first, the outermost before the others.
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

/// The number of user namespaces above this one, as far as the caller may see.
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
