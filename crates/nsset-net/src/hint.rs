//! Hints: what the user can do about a request that the kernel refused.

use std::borrow::Cow;

use nix::errno::Errno;

/// Returns a hint for an error of a request. `kind` is that of a link or a queueing discipline.
pub(crate) fn of(
    request: &'static str,
    errno: Errno,
    words: Option<&str>,
    kind: Option<&str>,
) -> Option<Cow<'static, str>> {
    if let (Some(kind), Some(thing)) = (kind, missing(request, errno, words)) {
        let module = module(request, kind);
        return Some(format!("the kernel has no '{kind}' {thing}; load the module {module}, if there is one").into());
    }
    if let Some(hint) = words.and_then(|words| of_words(request, words, kind)) {
        return Some(hint.into());
    }
    let hint = match (errno, request) {
        // The kernel's message names the operation that is not permitted.
        (Errno::EPERM, _) if words.is_some() => return None,
        (Errno::EPERM, "RTM_NEWLINK" | "RTM_SETLINK") => {
            "changing a network needs CAP_NET_ADMIN in the user namespace that owns it, and in the one that owns the other \
             network where a link goes there: an ordinary user makes both with base.unshare('net') from one 'user' set"
        }
        (Errno::EPERM, "WG_CMD_GET_DEVICE") => {
            "reading the keys and peers of a link needs CAP_NET_ADMIN in the user namespace that owns its network"
        }
        (Errno::EPERM, "WG_CMD_SET_DEVICE") => {
            "it needs CAP_NET_ADMIN in the user namespace that owns the link's network; the port and the mark in the one \
             that owns the network in which the link was created, too, which must still exist"
        }
        (Errno::EBUSY, "ioctl(TUNSETIFF)") => "a link with that name exists",
        (Errno::ENOENT, "CTRL_CMD_GETFAMILY") => "the kernel has no such family of generic netlink",
        (Errno::EPERM, _) => "changing a network needs CAP_NET_ADMIN in the user namespace that owns it",
        (Errno::EEXIST, "RTM_NEWLINK") => {
            "a link with that name or alternative name exists, or one with the name of the peer, or a tunnel with the same data"
        }
        (Errno::EEXIST, "RTM_SETLINK") => {
            "another link has that name, or a link, perhaps this one, has it as an alternative name: delete that name first; \
             `links.move` can give the link another name on the way"
        }
        (Errno::EEXIST, "RTM_NEWLINKPROP") => "a link has that name or alternative name",
        (Errno::ENONET, "RTM_SETLINK" | "RTM_NEWLINK") => {
            "the network in which the WireGuard link was created no longer exists, nor does its socket: create a new link"
        }
        (Errno::EEXIST, "RTM_NEWADDR") => "the link already has that address, perhaps with another prefix",
        (Errno::EEXIST, "RTM_NEWROUTE") => "a route to that destination with that metric exists: replace it",
        (Errno::EEXIST, "RTM_NEWQDISC") => "that parent has a queueing discipline: replace it, or delete it first",
        (Errno::ENOENT | Errno::EINVAL, "RTM_DELQDISC") => {
            "that parent has only the kernel's default; 'ingress' and 'clsact' have the parent 'ingress'"
        }
        (Errno::EEXIST, "RTM_NEWNSID") => "the network has an id here, which cannot be changed",
        (Errno::ENOSPC, "RTM_NEWNSID") => "another network has that id",
        (Errno::EEXIST, "RTM_NEWRULE") => "a rule with the same properties exists",
        (Errno::ENOENT, "RTM_DELRULE") => "no rule has these properties",
        (Errno::EAFNOSUPPORT | Errno::EOPNOTSUPP, "RTM_NEWRULE" | "RTM_DELRULE") => {
            "the kernel was built without policy routing (CONFIG_IP_MULTIPLE_TABLES, CONFIG_IPV6_MULTIPLE_TABLES)"
        }
        (Errno::ENETUNREACH, "RTM_GETROUTE") => "no route leads to that address",
        (Errno::EHOSTUNREACH, "RTM_GETROUTE") => "a route of type 'unreachable' leads to that address",
        (Errno::EACCES, "RTM_GETROUTE") => "a route or a rule of type 'prohibit' leads to that address",
        (Errno::EINVAL, "RTM_GETROUTE") => "a route or a rule of type 'blackhole' may lead to that address",
        (Errno::EEXIST, "RTM_NEWTCLASS") => "the link has a class with that handle: replace it",
        (Errno::ENOENT, "RTM_NEWTCLASS" | "RTM_DELTCLASS") => {
            "the queueing discipline or the class is not there: add a qdisc that has classes, with a handle, first"
        }
        (Errno::EBUSY, "RTM_DELTCLASS") => "the class has classes below it, or filters lead to it: delete these first",
        (Errno::EEXIST, "RTM_NEWTFILTER") => {
            "a filter with that priority and handle exists: replace it, or delete it first, since the kernel changes no filter of \
             kind matchall"
        }
        (Errno::ENOENT, "RTM_NEWTFILTER") => {
            "an action, or the program of bpf, is not there; load the module act_KIND of the action, if there is one"
        }
        (Errno::EINVAL, "RTM_NEWTFILTER" | "RTM_DELTFILTER") => {
            "the parent has to be a qdisc or class of the link; 'ingress' and 'egress' need a qdisc of type 'clsact'"
        }
        (Errno::EEXIST, "RTM_NEWNEXTHOP") => "a next hop with that id exists: replace it",
        (Errno::ENOENT, "RTM_DELNEXTHOP") => "no next hop has that id",
        (Errno::EOPNOTSUPP, "RTM_NEWNEXTHOP" | "RTM_DELNEXTHOP" | "RTM_GETNEXTHOP") => {
            "the kernel has no next hop objects: they need Linux 5.3"
        }
        (Errno::EEXIST, "RTM_NEWNEIGH") => {
            "it exists: replace it, or append a further destination to the entry of a VXLAN"
        }
        (Errno::ENOENT, "RTM_DELNEIGH") => "it does not exist",
        (Errno::EOPNOTSUPP, "RTM_NEWNEIGH" | "RTM_DELNEIGH") => {
            "the link has no such table: 'self' is for bridges and VXLANs, 'master' for the ports of a bridge"
        }
        (Errno::EBUSY, "RTM_SETLINK") => "bring the link down first",
        (Errno::EBUSY, "RTM_NEWLINK") => "the device of the link, or its master, is in use",
        (Errno::ENETUNREACH, "RTM_NEWROUTE") => {
            "the gateway cannot be reached: its device must be up and have an address in the gateway's network"
        }
        (Errno::ENETDOWN, "RTM_NEWROUTE") => "bring the device up first",
        (Errno::ESRCH, "RTM_DELROUTE") => "the route does not exist",
        (Errno::EADDRNOTAVAIL, "RTM_DELADDR") => "the link does not have the address",
        (Errno::EOPNOTSUPP, "WG_CMD_GET_DEVICE" | "WG_CMD_SET_DEVICE") => "it is not a wireguard link",
        (Errno::EADDRINUSE, "WG_CMD_SET_DEVICE") => {
            "another socket uses the port in the network in which the link was created"
        }
        (Errno::EOPNOTSUPP, _) => "the kernel was built without support for it, or the link does not support it",
        (Errno::EBADMSG, _) => "the kernel's answer is malformed",
        (Errno::ETIMEDOUT, _) => "the kernel did not answer",
        (Errno::EAGAIN, _) => "the listed objects kept changing; try again",
        _ => return None,
    };
    Some(hint.into())
}

/// Returns a hint for a message of the kernel: bond_enslave() of drivers/net/bonding/bond_main.c, vxlan_config_validate() of
/// drivers/net/vxlan/vxlan_core.c, tc_modify_qdisc(), tc_get_qdisc() and qdisc_create() of net/sched/sch_api.c.
fn of_words(request: &str, words: &str, kind: Option<&str>) -> Option<&'static str> {
    let says = |part: &str| words.contains(part);
    match request {
        "RTM_SETLINK" | "RTM_NEWLINK" if says("enslaved while up") || says("slave is up") => {
            Some("a bond accepts only links that are down: bring it down first, and up again as its port")
        }
        "RTM_NEWLINK" if words.starts_with("Local interface required") => {
            Some("give a 'dev': the link through which the multicast group is reached")
        }
        // The two kinds share one parent, and the kernel does not replace one by the other.
        "RTM_NEWQDISC" if says("Exclusivity flag on") && matches!(kind, Some("ingress" | "clsact")) => {
            Some("the link already has an 'ingress' or a 'clsact': keep it, or delete it first (parent 'ingress')")
        }
        "RTM_NEWQDISC" if says("Exclusivity flag on") => {
            Some("that parent has a queueing discipline: replace it, or delete it first")
        }
        "RTM_NEWQDISC" if says("reserved for ingress and clsact") => Some(
            "arriving packets do not wait there, so they cannot be delayed or shaped: put the queueing discipline on the \
             other end, or on an 'ifb' link to which a filter redirects arriving packets",
        ),
        // Newer kernels append "must match existing qdisc".
        "RTM_NEWQDISC" if words.starts_with("Invalid qdisc name") => {
            Some("that parent has a queueing discipline of another kind: delete it first, with its own parent")
        }
        "RTM_DELQDISC" if words.starts_with("Invalid qdisc name") || words.starts_with("Invalid handle") => {
            Some("that parent has another queueing discipline: list() returns its kind and its handle")
        }
        _ => None,
    }
}

/// Returns what the kernel does not support, a link or a queueing discipline: rtnl_newlink() of net/core/rtnetlink.c,
/// tc_modify_qdisc() of net/sched/sch_api.c, ctrl_getfamily() of net/netlink/genetlink.c.
fn missing(request: &str, errno: Errno, words: Option<&str>) -> Option<&'static str> {
    match (request, errno, words) {
        ("RTM_NEWLINK", Errno::EOPNOTSUPP, Some("Unknown device type")) | ("CTRL_CMD_GETFAMILY", Errno::ENOENT, _) => {
            Some("link")
        }
        ("RTM_NEWQDISC", Errno::ENOENT, Some("Specified qdisc kind is unknown" | "Specified qdisc not found")) => {
            Some("queueing discipline")
        }
        ("RTM_NEWTFILTER", Errno::ENOENT, Some("TC classifier not found")) => Some("filter"),
        _ => None,
    }
}

/// Returns the name of the kernel module for a kind.
fn module<'a>(request: &str, kind: &'a str) -> Cow<'a, str> {
    match (request, kind) {
        ("RTM_NEWQDISC", kind) => format!("sch_{kind}").into(),
        ("RTM_NEWTFILTER", kind) => format!("cls_{kind}").into(),
        (_, "bond") => "bonding".into(),
        (_, "vlan") => "8021q".into(),
        (_, "gre" | "gretap") => "ip_gre".into(),
        (_, "ip6gre" | "ip6gretap") => "ip6_gre".into(),
        (_, "ip6tnl") => "ip6_tunnel".into(),
        (_, "vti") => "ip_vti".into(),
        (_, "vti6") => "ip6_vti".into(),
        (_, "xfrm") => "xfrm_interface".into(),
        (_, kind) => kind.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_count_before_the_number() {
        let bond = of("RTM_SETLINK", Errno::EPERM, Some("Device can not be enslaved while up"), None).unwrap();
        assert!(bond.contains("bring it down first"), "{bond}");
        assert_eq!(of("RTM_SETLINK", Errno::EPERM, Some("Something else"), None), None);
        assert!(of("RTM_SETLINK", Errno::EPERM, None, None).unwrap().contains("CAP_NET_ADMIN"));
        let taken = |kind| of("RTM_NEWQDISC", Errno::EEXIST, Some("Exclusivity flag on, cannot modify"), Some(kind));
        assert!(taken("tbf").unwrap().contains("replace it"));
        assert!(taken("clsact").unwrap().contains("parent 'ingress'"));
    }
}
