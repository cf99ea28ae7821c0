import { invalidValue } from '../../errors.ts'
import { parseCaptureOptions } from '../../validate/monitoring/capture-options.ts'
import type { LinkRef } from '../../validate/network/link-ref.ts'
import { applyOne } from '../actions/apply.ts'
import { type ApplyTarget, ensureOpen } from '../actions/apply-target.ts'
import { blocking } from '../actions/procedure.ts'
import { BLOCKING } from '../actions/way.ts'
import type { Link } from '../netlink/link.ts'
import { linkActions } from '../netlink/links.ts'
import { createCapture, type PacketCapture } from './packet-capture.ts'

/** The name of all links, as in libpcap. */
const ANY = 'any'

/** @internal The kernel puts packets into the buffer when this returns. */
export function openCapture({ set, network }: ApplyTarget, ref: LinkRef, options: unknown): PacketCapture {
  const { signal, promiscuous, ...parsed } = parseCaptureOptions(options)
  if (ref === ANY && promiscuous) throw invalidValue('options.promiscuous', "needs one link, not 'any'", promiscuous)
  const get = ref === ANY ? undefined : linkActions.get(ref)
  signal?.throwIfAborted()
  ensureOpen(set)
  const link = get && (blocking(applyOne({ set, network, way: BLOCKING }, get)) as Link)
  const name = link?.name ?? ANY
  const native = network.capture({ link: link?.index ?? 0, name, promiscuous, ...parsed })
  return createCapture(native, { name, filter: parsed.filter }, signal)
}
