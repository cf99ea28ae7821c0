/** `unshare('user')` with one-entry maps, with a small heap and with 1 GiB of live Buffers. */
import { NamespaceSet } from 'nsset'
import { interleave, microseconds } from '../measure.ts'
import type { Row } from '../row.ts'

const MIB = 1024 * 1024

export async function suite(): Promise<Row[]> {
  const small = await measure()
  const ballast = Array.from({ length: 1024 }, () => Buffer.alloc(MIB, 1))
  const large = await measure()
  if (ballast.length === 0) throw new Error('the ballast has to live until here')
  return [
    { name: "unshareSync('user')", unit: 'µs', ...small, limit: { of: 'ours', most: 350 } },
    {
      name: "unshareSync('user'), 1 GiB of Buffers (floor: small heap)",
      unit: 'µs',
      ...large,
      floor: small.ours,
      limit: { of: 'ratio', most: 1.5 },
    },
  ]
}

async function measure(): Promise<Pick<Row, 'ours' | 'p95' | 'samples'> & { ours: number }> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const uidMaps = [{ containerId: 0, hostId: uid, size: 1 }]
  const gidMaps = [{ containerId: 0, hostId: gid, size: 1 }]
  const call = () => NamespaceSet.unshareSync('user', { uidMaps, gidMaps }).close()
  const figures = await interleave([{ name: 'ours', sample: () => microseconds(call, 20) }], 50)
  const { median = Number.NaN, p95 = Number.NaN, samples = 0 } = figures.get('ours') ?? {}
  return { ours: median, p95, samples }
}
