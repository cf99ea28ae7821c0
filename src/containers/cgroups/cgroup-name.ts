/**
 * The last component of the path of a container's cgroup:
 *
 *     <id>                                 cgroupfs: Docker, containerd, kubelet
 *     docker-<id>.scope                    systemd; likewise nerdctl-, cri-containerd-, crio-, libpod-
 *     libpod-<id>, libpod-payload-<id>     Podman with cgroupfs, and --cgroups=split
 *     kubepods-….slice:cri-containerd:<id> containerd, if the kubelet expects systemd and runc does not
 *
 * Any prefix is accepted, because there are more runtimes than can be listed.
 */
const WITH_ID = /^(?:(.*)[-:])?([0-9a-f]{64})(?:\.scope)?$/

/** `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`: the monitor of a container, which runs outside of it. */
const MONITOR = /(?:^|-)conmon$/

/** Names of systemd units, which are not containers of that name. */
const UNIT = /\.(?:scope|slice|service|mount|socket|swap)$/

/** @internal Returns the id of the container that a cgroup of this name belongs to. */
export function containerIdOf(component: string): string | undefined {
  const [, before = '', id] = WITH_ID.exec(component) ?? []
  return MONITOR.test(before) ? undefined : id
}

/** @internal Returns whether a cgroup of this name can belong to a container whose id was chosen by the user. */
export function isNamedFor(component: string, id: string): boolean {
  if (component === id) return !UNIT.test(id)
  return component === `runc-${id}.scope` || component === `crun-${id}.scope`
}

/** @internal Returns whether a cgroup below a container's is not part of the container: its monitor, or another container. */
export function isSeparate(component: string): boolean {
  return component === 'supervisor' || WITH_ID.test(component)
}
