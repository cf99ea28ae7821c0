/**
 * A container's cgroup, by the last component of its path:
 *
 *     <id>                                 cgroupfs: Docker, containerd, kubelet
 *     docker-<id>.scope                    systemd; likewise nerdctl-, cri-containerd-, crio-, libpod-
 *     libpod-<id>, libpod-payload-<id>     Podman with cgroupfs, and --cgroups=split
 *     kubepods-….slice:cri-containerd:<id> containerd, where the kubelet expects systemd and runc does not
 *
 * What precedes the id is free: there are more runtimes than can be listed.
 */
const WITH_ID = /^(?:(.*)[-:])?([0-9a-f]{64})(?:\.scope)?$/

/** `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`: the monitor of a container, outside of it. */
const MONITOR = /(?:^|-)conmon$/

/** Units of systemd's, which are no containers by these names. */
const UNIT = /\.(?:scope|slice|service|mount|socket|swap)$/

/** @internal The id of the container that a cgroup of this name is for. */
export function containerIdOf(component: string): string | undefined {
  const [, before = '', id] = WITH_ID.exec(component) ?? []
  return MONITOR.test(before) ? undefined : id
}

/** @internal Whether a cgroup of this name may be that of a container whose id is the user's own choice. */
export function isNamedFor(component: string, id: string): boolean {
  if (component === id) return !UNIT.test(id)
  return component === `runc-${id}.scope` || component === `crun-${id}.scope`
}

/** @internal Cgroups below a container's that are not the container: its monitor's, and other containers'. */
export function isApart(component: string): boolean {
  return component === 'supervisor' || WITH_ID.test(component)
}
