/** The pages for users of other projects: every name is listed, and every replacement is shown in a snippet. */
import { describe, expect, test } from 'vitest'
import { chaptersOf, textOf } from '../../scripts/pages/pages.ts'

/** The names of the other projects. For neslink those of the main branch, and older ones that may still be in use. */
const NAMES: Record<string, readonly string[]> = {
  'docs/coming-from/neslink.md': words(`
    Do DoFd NsDo LinkDo Action NsAction LinkAction LinkAction.ActionName LinkAction.Do ErrNoLink
    Namespace Namespace.String Namespace.Exists NsFd NsFd.Int NsFd.Valid NsFd.Inode NsFd.Dev NsFd.close NsFdNone
    NsProvider NsProvider.Provide NPGeneric NPNow NPProcess NPThread NPName NPNameAt NPPath DefaultMountPath
    docker.NPName docker.NPID docker.NPDocker docker.NPDockerContainer
    NAGeneric NANewNs NANewNsAt NADeleteNamed NADeleteNamedAt NASetLinkNs NAGetNsFd NALinks NAGetLink NAExecNescript
    LinkProvider LinkProvider.Provide LPGeneric LPName LPAlias LPIndex
    LAGeneric LANewBridge LANewVeth LANewDummy LANewGRETap LANewWireguard LANewVxlan LADelete LASetName LASetAlias
    LASetHw LASetUp LASetDown LASetPromiscOn LASetPromiscOff LAAddAddr LADelAddr LAAddNetem LAAddTbf
    process.NAGetProcesses process.Task process.Task.Process process.Task.Task process.Task.RootTask process.Task.NsDev process.Task.NsInode
    ovs.LAAttachBridge ovs.LADetachBridge`),
  'docs/coming-from/netns.md': words(`
    NsHandle NsHandle.Equal NsHandle.String NsHandle.UniqueId NsHandle.IsOpen NsHandle.Close None
    Get Set Setns New NewNamed DeleteNamed GetFromPath GetFromName GetFromPid GetFromThread GetFromDocker
    CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO SYS_SETNS ErrNotImplemented`),
  'docs/coming-from/gonso.md': words(`
    Current FromPid FromDir Unshare UnshareOpt UnshareConfig WithIDMaps IDMap Set Set.Unshare Set.Close Set.ID Set.Dup
    Set.Fds Set.Do Set.DoRaw Set.Mount Set.MountNS FdSet FdSet.Get FdSet.Close
    Pool NewPool Pool.Run Pool.Get Pool.Put Pool.Len
    NS_CGROUP NS_IPC NS_MNT NS_NET NS_PID NS_TIME NS_USER NS_UTS`),
  'docs/coming-from/pyroute2.md': lines(`
    NetNS
    NetNS.remove
    NetNS.close
    netns.create
    netns.remove
    netns.listnetns
    netns.attach
    netns.getnsfd
    netns.setns
    netns.pushns
    netns.popns
    netns.dropns
    netns.create_socket
    netns.pid_to_ns
    netns.ns_pids
    NSPopen
    NSPopen.communicate
    NSPopen.wait
    NSPopen.release
    IPRoute()
    IPRoute(netns=name)
    IPRoute.close
    AsyncIPRoute
    IPBatch
    NetlinkError
    get_links
    link_lookup
    link('get')
    link('dump')
    link('add')
    link('set')
    link('set', net_ns_fd=name)
    link('del')
    ensure
    get_addr
    addr('add')
    addr('delete')
    flush_addr
    get_routes
    get_default_routes
    route('add')
    route('append')
    route('replace')
    route('del')
    route('get')
    flush_routes
    get_qdiscs
    tc('add')
    tc('replace')
    tc('del')
    get_classes
    get_filters
    link('property_add')
    neigh
    get_neighbours
    get_ntables
    rule
    get_rules
    flush_rules
    fdb
    brport
    vlan_filter
    vlandb
    get_vlans
    stats
    route_dump
    route_dumps
    route_load
    route_loads
    dump
    probe
    register_link_kind
    unregister_link_kind
    list_link_kind
    poll
    bind
    get_netnsid
    set_netnsid
    get_netns_info
    WireGuard
    WireGuard.set
    WireGuard.info
    NDB`),
  'docs/coming-from/iproute2.md': lines(`
    ip netns list
    ip netns add NAME
    ip netns attach NAME PID
    ip netns set NAME NETNSID
    ip netns delete NAME
    ip netns identify PID
    ip netns pids NAME
    ip netns exec NAME CMD
    ip netns monitor
    ip netns list-id
    ip -all netns delete
    ip -all netns exec CMD
    ip -n NAME …
    ip -batch FILE
    ip -json
    ip link show
    ip link add
    ip link set
    ip link set DEV name NAME
    ip link set DEV netns NAME
    ip link set DEV arp off
    ip link set DEV addrgenmode none
    ip link set DEV type bond active_slave PORT
    ip link delete
    ip address show
    ip address add
    ip address del
    ip route show
    ip route add
    ip route get
    ip route append
    ip route replace
    ip route del
    ip rule show
    ip rule add
    ip rule del
    ip neighbour show
    ip neighbour add
    ip neighbour replace
    ip neighbour del
    ip nexthop
    ip link property add dev DEV altname NAME
    ip link set DEV netns NAME name NEW
    ip link add link DEV name NAME netns NS type KIND
    ip link set DEV type bridge OPTION
    bridge link set dev DEV isolated on
    ethtool -K DEV tso off
    bridge vlan
    ip address replace
    ss -tuwxa
    ss -tln
    ss -K
    ip monitor
    ip monitor nsid
    bridge monitor
    tc qdisc show
    tc qdisc add
    tc qdisc replace
    tc qdisc del
    tc class
    tc filter
    bridge
    bridge fdb show
    bridge fdb add
    sysctl -w
    sysctl -n
    wg genkey
    wg set
    wg show
    unshare PROGRAM
    unshare --mount
    unshare --uts
    unshare --ipc
    unshare --net
    unshare --pid
    unshare --user
    unshare --cgroup
    unshare --time
    unshare --KIND=FILE
    unshare --fork
    unshare --map-user
    unshare --map-group
    unshare --map-root-user
    unshare --map-current-user
    unshare --map-auto
    unshare --map-subids
    unshare --map-users
    unshare --map-groups
    unshare --kill-child
    unshare --mount-proc
    unshare --propagation
    unshare --setgroups
    unshare --keep-caps
    unshare --root
    unshare --wd
    unshare --setuid
    unshare --setgid
    unshare --monotonic
    unshare --boottime
    unshare --forward-signals
    unshare --mount-binfmt
    unshare --load-interp
    unshare --owner
    nsenter PROGRAM
    nsenter --all
    nsenter --target
    nsenter --mount
    nsenter --uts
    nsenter --ipc
    nsenter --net
    nsenter --net-socket
    nsenter --user-parent
    nsenter --pid
    nsenter --cgroup
    nsenter --user
    nsenter --time
    nsenter --KIND=FILE
    nsenter --KIND=:NSID
    nsenter --setuid
    nsenter --setgid
    nsenter --preserve-credentials
    nsenter --keep-caps
    nsenter --env
    nsenter --join-cgroup
    nsenter --root
    nsenter --wd
    nsenter --wdns
    nsenter --no-fork
    nsenter --follow-context
    lsns
    lsns --task PID
    lsns --type KIND
    lsns --output NS,TYPE
    lsns --output ONS,PNS
    lsns --output PATH
    lsns --json
    lsns --persistent
    lsns --tree
    lsns --list
    lsns --noheadings
    lsns --output-all
    lsns --list-columns
    lsns --filter
    lsns --raw
    lsns --notruncate
    lsns --nowrap`),
}

describe.each(Object.entries(NAMES))('%s', (path, names) => {
  const chapters = chaptersOf(path)

  test('has every name of the other project, once', () => {
    const listed = chapters.flatMap(({ rows }) => rows.map(({ name }) => (names.includes(name) ? name : bare(name))))
    expect(listed.toSorted()).toEqual(names.toSorted())
  })

  test('shows each replacement in a snippet of the same chapter', () => {
    const unshown = chapters
      .filter(({ title }) => title !== 'Without an equal')
      .flatMap(({ rows, snippets }) => {
        const words = new Set(snippets.flatMap(({ code }) => wordsOf(code)))
        return rows.flatMap(({ name, here }) => {
          const missing = here.flatMap(wordsOf).filter((word) => !words.has(word) && !names.includes(word))
          return here.length === 0 ? [`${name}: nothing`] : missing.map((word) => `${name}: ${word}`)
        })
      })
    expect(unshown).toEqual([])
  })
})

test.each(['gonso', 'netns', 'pyroute2', 'neslink'])(
  'the page on %s compares with the version that is measured',
  (name) => {
    const [, version = ''] = new RegExp(`\\b${name} (v?[\\d.]+\\d)`).exec(textOf('docs/performance.md')) ?? []
    expect(version).not.toBe('')
    expect(textOf(`docs/coming-from/${name}.md`)).toContain(`${version}`)
  },
)

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

function lines(text: string): string[] {
  return text.trim().split(/\s*\n\s*/)
}

/** Without its arguments. */
function bare(name: string): string {
  return name.replace(/\(.*/, '')
}

function wordsOf(code: string): string[] {
  return code.match(/[A-Za-z_]\w*/g) ?? []
}
