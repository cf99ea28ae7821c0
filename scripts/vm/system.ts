/** What a guest consists of: a kernel of Debian, and the programs of the suite that has it. */
import { download } from './debian.ts'
import { type Kernel, kernelIn, newestOf } from './kernel.ts'
import { ofThisHost, ofVersion } from './suites.ts'

export interface System {
  kernel: Kernel
  /** The paths of the packages. */
  programs: string[]
}

/** The packages whose programs the guest has; their dependencies are included. */
const PACKAGES = [
  ...['bash', 'bsdutils', 'coreutils', 'dash', 'diffutils', 'findutils', 'grep', 'hostname', 'mawk', 'mount', 'procps'],
  ...['kmod', 'libc-bin', 'libc6', 'libcap2-bin', 'libstdc++6', 'sed', 'strace', 'tar', 'uidmap', 'util-linux'],
  ...['conntrack', 'curl', 'dnsmasq-base', 'ethtool', 'iperf3', 'iproute2', 'iputils-ping', 'nftables', 'openssl'],
  ...['bird2', 'bubblewrap', 'busybox-static', 'gcc', 'libc6-dev', 'python3', 'socat', 'tcpdump', 'wireguard-tools'],
]

/** That of a version such as `6.12`, or of this host's suite; downloads what the cache lacks. */
export function systemOf(version: string | undefined, cache: string): System {
  const { image, suite, env } = version === undefined ? ofThisHost(cache) : ofVersion(version, cache)
  const name = version === undefined ? 'kernel' : `kernel-${version}`
  const source = version === undefined ? newestOf(image, env) : { image: () => image, env }
  const kernel = kernelIn(cache, { ...source, name })
  const options = [`--target-release=${suite}`]
  return { kernel, programs: download(cache, `programs-${suite}`, PACKAGES, { env, options }) }
}
